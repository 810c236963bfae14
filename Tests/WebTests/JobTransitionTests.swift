import Foundation
import Testing

@testable import Web

@Suite("What a job's delivery says before it is decoded")
struct JobTransitionTests {
  private func read(_ text: String, event: String = "workflow_job") throws -> String? {
    try JobTransition.read(Data(text.utf8), event: event)
  }

  /// The members as intake's decoder reads them.
  private struct Envelope: Decodable {
    struct Job: Decodable {
      var id: Int64?
      var run_attempt: Int64?
      var status: String?
    }
    var action: String?
    var workflow_job: Job?

    var transition: String? {
      guard let action, let id = workflow_job?.id, let attempt = workflow_job?.run_attempt, let status = workflow_job?.status else {
        return nil
      }
      return "\(id).\(attempt)/\(action)/\(status)"
    }
  }

  @Test("every delivery of GitHub's examples says what JSONSerialization finds in it, and nothing as another event")
  func corpus() throws {
    var found = 0
    for (name, data) in try WebhookCorpus.files() {
      let top = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any], "\(name)")
      let job = top["workflow_job"] as? [String: Any]
      var expected: String?
      if let action = top["action"] as? String, let id = job?["id"] as? Int64, let attempt = job?["run_attempt"] as? Int64,
        let status = job?["status"] as? String
      {
        expected = "\(id).\(attempt)/\(action)/\(status)"
      }
      #expect(try JobTransition.read(data, event: "workflow_job") == expected, "\(name)")
      #expect(try JobTransition.read(data, event: "workflow_run") == nil, "\(name)")
      #expect((expected != nil) == name.hasPrefix("workflow_job/"), "\(name)")
      found += 1
    }
    #expect(found > 0)
  }

  static let plain = #"{"action":"queued","workflow_job":{"id":7,"run_attempt":2,"status":"waiting"}}"#

  @Test(
    "order, space, escapes and other members make no difference",
    arguments: [
      plain, #" { "workflow_job" : { "status" : "waiting" , "run_attempt" : 2 , "id" : 7 } , "action" : "queued" } "#,
      #"{"acti\u006fn":"qu\u0065ued","workflow\u005Fjob":{"\u0069d":7,"run_attempt":2,"statu\u0073":"\u0077aiting"}}"#,
      #"{"steps":[{"action":"x","workflow_job":{"id":1}}],"action":"queued","workflow_job":{"steps":[{"id":1,"status":"x"}],"runner":{"id":5,"status":"y","workflow_job":{"id":6}},"id":7,"a":{},"run_attempt":2,"b":[],"status":"waiting"},"id":9,"status":"z"}"#,
      #"{"repository":{"action":"x","id":1,"workflow_job":{"id":3,"run_attempt":3,"status":"x"}},"action":"queued","workflow_job":{"id":7,"run_attempt":2,"status":"waiting","action":"w"},"run_attempt":8}"#,
      #"{"x":[[[{"id":1}]]],"":"","action":"queued","workflow_job":{"":{"":{}},"id":7,"run_attempt":2,"status":"waiting","é":"☕","id\u0000":8,"i\u0000d":8}}"#,
    ])
  func same(text: String) throws {
    #expect(try read(text) == "7.2/queued/waiting")
    #expect(try JSONDecoder().decode(Envelope.self, from: Data(text.utf8)).transition == "7.2/queued/waiting")
  }

  @Test(
    "of two members of one name the first counts, as it does for the decoder of intake",
    arguments: [
      #"{"action":"a","action":"b","workflow_job":{"id":1,"id":2,"run_attempt":1,"run_attempt":2,"status":"s","status":"t"}}"#,
      #"{"action":"a","workflow_job":{"id":1,"run_attempt":1,"status":"s"},"workflow_job":{"id":3,"run_attempt":4,"status":"t"}}"#,
      #"{"action":"a","workflow_job":{"id":1,"status":"s"},"workflow_job":{"id":3,"run_attempt":4,"status":"t"}}"#,
      #"{"action":"a","workflow_job":null,"workflow_job":{"id":3,"run_attempt":4,"status":"t"}}"#,
      #"{"action":"a","workflow_job":{},"workflow_job":{"id":3,"run_attempt":4,"status":"t"}}"#,
      #"{"action":null,"action":"b","workflow_job":{"id":1,"run_attempt":1,"status":"s"}}"#,
      #"{"action":"a","\u0061ction":"b","workflow_job":{"id":1,"run_attempt":1,"status":"s","status":"u"}}"#,
    ])
  func firstCounts(text: String) throws {
    #expect(try read(text) == JSONDecoder().decode(Envelope.self, from: Data(text.utf8)).transition)
  }

  @Test(
    "where a part is missing, of another type, out of range or no word, nothing is said",
    arguments: [
      "{}", #"{"action":"queued"}"#, #"{"workflow_job":{"id":7,"run_attempt":2,"status":"waiting"}}"#,
      #"{"action":"queued","workflow_job":[{"id":7,"run_attempt":2,"status":"waiting"}]}"#,
      #"{"action":"queued","workflow_job":{"job":{"id":7,"run_attempt":2,"status":"waiting"}}}"#,
      #"{"action":"queued","workflow_job":"id","id":7,"run_attempt":2,"status":"waiting"}"#,
      plain.replacing("7", with: "9223372036854775808"), plain.replacing("7", with: String(repeating: "9", count: 1_000)),
      plain.replacing("7", with: "7.0"), plain.replacing("7", with: "7e0"), plain.replacing("7", with: #""7""#),
      plain.replacing("7", with: "null"), plain.replacing("7", with: "true"), plain.replacing("7", with: "{}"),
      plain.replacing("queued", with: ""), plain.replacing("queued", with: "a/b"), plain.replacing("queued", with: #"a\/b"#),
      plain.replacing("queued", with: "é"), plain.replacing("queued", with: #"\u00e9"#), plain.replacing("queued", with: #"\ud83e\udde1"#),
      plain.replacing("queued", with: #"a\u0000"#), plain.replacing("queued", with: "a b"),
      plain.replacing("queued", with: String(repeating: "a", count: 65)), plain.replacing(#""queued""#, with: "1"),
      plain.replacing(#""waiting""#, with: "[]"), plain.replacing(#""waiting""#, with: #"["waiting"]"#),
    ])
  func nothing(text: String) throws { #expect(try read(text) == nil) }

  @Test("numbers up to the ends of their range and words up to 64 characters are said")
  func ends() throws {
    #expect(try read(Self.plain.replacing("7", with: "9223372036854775807")) == "9223372036854775807.2/queued/waiting")
    #expect(try read(Self.plain.replacing("7", with: "-9223372036854775808")) == "-9223372036854775808.2/queued/waiting")
    let long = String(repeating: "a", count: 64)
    #expect(try read(Self.plain.replacing("queued", with: long)) == "7.2/\(long)/waiting")
  }

  @Test("what is no object is a fault whatever the event, with the same words", arguments: ["workflow_job", "ping"])
  func faults(event: String) throws {
    for cut in 0..<Self.plain.utf8.count {
      let text = String(Self.plain.prefix(cut))
      let fault = try #require(Data(text.utf8).withUnsafeBytes(JSONScanner.fault(in:)))
      #expect(throws: fault) { try read(text, event: event) }
    }
  }

  @Test("twenty times as many members and escapes take about twenty times as long, not four hundred times")
  func linear() throws {
    func body(_ count: Int) -> String {
      let members = (0..<count).map { _ in #""\u0069d\u0020":{"id":[1,{"id":2}]}"# }.joined(separator: ",")
      return #"{\#(members),"action":"queued","workflow_job":{\#(members),"id":7,"run_attempt":2,"status":"waiting"}}"#
    }
    func time(_ text: String) throws -> Duration {
      let times = try (0..<3).map { _ in
        let start = ContinuousClock.now
        let transition = try read(text)
        let time = start.duration(to: .now)
        #expect(transition == "7.2/queued/waiting")
        return time
      }
      return try #require(times.min())
    }
    let (small, large) = (try time(body(500)), try time(body(10_000)))
    #expect(large < small * 100)
  }
}
