import Crypto
import Emulator
import Foundation
import GRDB
import NIOHTTP1
import Testing

/// One of GitHub's example deliveries.
struct Example: Sendable, CustomStringConvertible {
  let event: String
  let name: String
  var body: Data
  var description: String { "\(event)/\(name)" }
  var guid = UUID().uuidString.lowercased()

  /// All of the corpus.
  static func all() throws -> [Example] {
    let folder = Places.corpora.appending(path: "webhooks")
    let files = FileManager.default
    let events = try files.contentsOfDirectory(atPath: folder.path).filter { !$0.contains(".") && $0 != "LICENSE" }.sorted()
    return try events.flatMap { event in
      try files.contentsOfDirectory(atPath: folder.appending(path: event).path).sorted().filter { $0.hasSuffix(".json") }.map {
        Example(event: event, name: $0, body: try Data(contentsOf: folder.appending(path: event).appending(path: $0)))
      }
    }
  }

  func mutated(_ change: (JSON) -> JSON) throws -> Example {
    Example(event: event, name: name, body: try change(try JSON(parsing: body)).encoded())
  }
}

extension House {
  enum Signature {
    case right, none
    case of(Data)
  }

  func post(_ example: Example, signed signature: Signature = .right, type: String = "application/json") async throws -> Reply {
    let address = try #require(await hub.announcement?.webhooks)
    var headers = [
      ("Content-Type", type), ("X-GitHub-Event", example.event), ("X-GitHub-Delivery", example.guid), ("X-GitHub-Hook-ID", "7"),
    ]
    func sign(_ data: Data) -> String {
      let code = HMAC<SHA256>.authenticationCode(for: data, using: SymmetricKey(data: Data(Self.secret.utf8)))
      return "sha256=" + code.map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
    }
    switch signature {
    case .right: headers.append(("X-Hub-Signature-256", sign(example.body)))
    case .of(let other): headers.append(("X-Hub-Signature-256", sign(other)))
    case .none: break
    }
    return try await Self.send(.POST, address, headers: headers, body: example.body)
  }

  /// The answer to a head alone: a body that is too large is refused before it is sent.
  fileprivate func announce(bytes: Int) async throws -> Reply {
    let address = try #require(await hub.announcement.flatMap { URL(string: $0.webhooks) })
    let port = try #require(address.port)
    let connection = try LoopbackConnection(port: UInt16(port))
    return try connection.exchange(
      "POST \(address.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: \(bytes)\r\n"
        + "X-Hub-Signature-256: sha256=\(String(repeating: "0", count: 64))\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: \(UUID().uuidString)\r\nConnection: close\r\n\r\n"
    )
  }

  private func count(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Int {
    try rows("SELECT count(*) AS n FROM \(sql)", arguments).first?["n"] ?? 0
  }

  fileprivate func deliveries() throws -> Int { try count("deliveries") }

  fileprivate func status(of example: Example) throws -> String? {
    try rows("SELECT status FROM deliveries WHERE guid = ?", [example.guid]).first?["status"]
  }

  /// Waits until the intake has looked at all that is stored.
  fileprivate func allTakenIn() async throws {
    try await eventually("an empty inbox") { try count("deliveries WHERE status = 'pending'") == 0 }
  }
}

@Suite("GitHub's example deliveries, posted to a running server", .serialized) struct WebhookCorpusTests {
  private static var plan: House.Plan {
    var plan = House.Plan()
    (plan.routesEverything, plan.labels, plan.warm) = (false, "self-hosted, linux", 0)
    return plan
  }

  /// Life order: the corpus tells of two jobs, one of them queued, in progress and completed, the other one waiting for an approval.
  private static func inLifeOrder(_ examples: [Example]) -> [Example] {
    let order = ["queued", "waiting", "in_progress", "completed"]
    func place(_ example: Example) -> Int { order.firstIndex { example.name.hasPrefix($0) } ?? order.count }
    return examples.sorted { place($0) < place($1) }
  }

  @Test("each is stored byte for byte, once, and only with the right signature") func stored() async throws {
    let examples = try Example.all()
    #expect(examples.count == 36)
    try await House.run(Self.plan) { house in
      for example in examples {
        let reply = try await house.post(example)
        #expect(reply.status == (example.event == "ping" ? 200 : 202), "\(example): \(reply.text)")
        let bodies: [Data] = try house.rows("SELECT body FROM deliveries WHERE guid = ?", [example.guid]).map { $0["body"] }
        #expect(bodies == [example.body], "\(example)")

        let again = try await house.post(example)
        #expect(again.status == 200, "\(example): \(again.text)")
      }
      let stored = try house.deliveries()
      #expect(stored == examples.count)
      try await house.allTakenIn()

      for example in examples {
        var changed = example
        changed.guid = UUID().uuidString
        let middle = changed.body.count / 2
        changed.body[middle] ^= 1
        let refused = [
          try await house.post(changed, signed: .none), try await house.post(changed, signed: .of(Data("other".utf8))),
          try await house.post(changed, signed: .of(example.body)),
        ]
        for reply in refused {
          #expect(reply.status == 401, "\(example)")
          #expect(reply.json["reason"].string?.isEmpty == false, "\(reply.text)")
        }
      }
      #expect(try house.deliveries() == stored)
      let exposition = try await house.get("/metrics").text
      let refusals = exposition.split(separator: "\n").filter { $0.contains(#"outcome="unauthorized""#) }
      #expect(refusals.contains { $0.hasSuffix(" \(examples.count * 3)") }, "\(refusals)")

      // What the product has no use for is stored as ignored, and none is an error.
      for example in examples where !["workflow_job", "workflow_run"].contains(example.event) {
        #expect(try house.status(of: example) == "ignored", "\(example)")
      }
      #expect(try house.rows("SELECT guid FROM deliveries WHERE status = 'malformed'").isEmpty)
      #expect(await house.hub.isRunning)
    }
  }

  @Test("each delivery of a job leads to the row that the state table says, in the order of a life and against it")
  func jobRows() async throws {
    let examples = Self.inLifeOrder(try Example.all().filter { $0.event == "workflow_job" })
    #expect(examples.count == 5)
    try await House.run(Self.plan) { house in
      for example in examples {
        #expect(try await house.post(example).status < 300)
        // No pool of this house offers ubuntu-latest or k8s: a queued job is GitHub's own runners' to run.
        let states = ["queued": "forwarded", "waiting": "waiting", "in_progress": "running", "completed": "completed"]
        let body = try JSON(parsing: example.body)
        let job = body["workflow_job"]
        let word = try #require(job["status"].string)
        let expected = try #require(states[word])
        let id = try #require(job["id"].int)
        try await eventually("job \(id) is \(expected) after \(example)") { try house.row(of: id)?["status"] == expected }
        let row = try #require(try house.row(of: id))
        #expect(row["repository"] == body["repository"]["full_name"].string)
        #expect(row["workflow"] == job["workflow_name"].string)
        #expect(row["run_id"] == job["run_id"].int)
        #expect(row["run_attempt"] == job["run_attempt"].int)
        #expect(row["container_id"] as String? == nil)
        #expect((row["completed_at"] as String? != nil) == (expected == "completed"))
        #expect((row["started_at"] as String? != nil) == ["running", "completed"].contains(expected))
        let metadata = try JSON(parsing: Data((row["metadata"] as String).utf8))
        #expect(metadata["conclusion"].string == job["conclusion"].string)
        #expect(metadata["labels"] == job["labels"])
        #expect(metadata["headSHA"] == job["head_sha"])
      }
      #expect(try house.rows("SELECT id FROM orchestrator_jobs").count == 2)
    }
    try await House.run(Self.plan) { house in
      for example in examples.reversed() { #expect(try await house.post(example).status < 300, "\(example)") }
      try await house.allTakenIn()
      let states: [String] = try house.rows("SELECT status FROM orchestrator_jobs ORDER BY status").map { $0["status"] }
      #expect(states == ["completed", "waiting"])
    }
  }

  @Test("members and actions that nobody knows change nothing of the acceptance", .timeLimit(.minutes(1))) func mutations() async throws {
    @Sendable func strange(_ value: JSON) -> JSON {
      switch value {
      case .object(let members): .object(members.mapValues(strange).merging(["member_of_tomorrow": ["a": [1, nil]]]) { $1 })
      case .array(let items): .array(items.map(strange))
      default: value
      }
    }
    let examples = Self.inLifeOrder(try Example.all())
    try await House.run(Self.plan) { house in
      var told: Set<[String]> = []
      for example in examples {
        let grown = try example.mutated(strange)
        for sent in [grown, try example.mutated { $0.merging(["action": "teleported"]) }] {
          // One transition of a job may be told by several deliveries: it is stored once.
          let message = try JSON(parsing: sent.body)
          let transition = [message["workflow_job"]["id"], message["action"], message["workflow_job"]["status"]]
          let isNew = example.event != "workflow_job" || told.insert(transition.map { "\($0)" }).inserted
          let reply = try await house.post(sent)
          #expect(reply.status == (example.event == "ping" || !isNew ? 200 : 202), "\(example): \(reply.text)")
        }
      }
      try await house.allTakenIn()
      #expect(try house.rows("SELECT guid FROM deliveries WHERE status = 'malformed'").isEmpty)
      let states: [String] = try house.rows("SELECT status FROM orchestrator_jobs ORDER BY status").map { $0["status"] }
      #expect(states == ["completed", "waiting"])
    }
  }

  @Test("a form is unpacked, an unknown event is ignored, and what is wrong is refused with a reason") func otherShapes() async throws {
    try await House.run(Self.plan) { house in
      let example = try #require(try Example.all().first { $0.event == "workflow_job" && $0.name.hasPrefix("queued.payload") })
      var form = example
      let escaped = try #require(String(decoding: example.body, as: UTF8.self).addingPercentEncoding(withAllowedCharacters: .alphanumerics))
      form.body = Data("payload=\(escaped)".utf8)
      #expect(try await house.post(form, type: "application/x-www-form-urlencoded").status == 202)
      let bodies: [Data] = try house.rows("SELECT body FROM deliveries WHERE guid = ?", [form.guid]).map { $0["body"] }
      #expect(bodies == [example.body])

      let unknown = Example(event: "teleport", name: "made up", body: Data(#"{"action": "done"}"#.utf8))
      #expect(try await house.post(unknown).status == 202)
      try await eventually("the unknown event is ignored") { try house.status(of: unknown) == "ignored" }

      let stored = try house.deliveries()
      let broken = Example(event: "push", name: "broken", body: Data(#"{"action": "#.utf8))
      let refusals = [
        (400, try await house.post(broken)), (415, try await house.post(unknown, type: "text/plain")),
        (413, try await house.announce(bytes: (25 << 20) + 1)),
      ]
      for (status, reply) in refusals {
        #expect(reply.status == status, "\(reply.text)")
        #expect(reply.json["reason"].string?.isEmpty == false, "\(reply.text)")
      }
      #expect(try house.deliveries() == stored)
    }
  }
}
