import Domain
import Foundation
import GitHub
import RunnerHub
import Simulation
import Testing

@Suite("Traces")
struct TraceTests {
  @Test("a written trace reads as the same jobs")
  func roundTrip() throws {
    var job = Sample.job(7, at: 0.125, takes: 12.5, environment: "production")
    job.isFromFork = true
    job.estimate = Estimate(
      resources: Resources(milliCPUs: 4000, memory: ByteCount(gibibytes: 8), gpus: 1), durationSeconds: 60, sources: ["trace"])
    let jobs = [Sample.job(6, at: 0, takes: 3), job]
    let trace = try TraceFile.read(try TraceFile.write(jobs), name: "t")
    #expect(trace.jobs == jobs)
  }

  @Test(
    "a line that is wrong is named",
    arguments: [
      ("", "no trace"), (#"{"format":"other","version":1}"#, "t:1: format is \"other\""),
      (#"{"format":"runnerhub-trace","version":9}"#, "t:1: version 9"),
      (TraceTests.head + #"{"id":1}"#, "t:2: no member created_at"),
      (TraceTests.head + TraceTests.line(1) + "\n" + TraceTests.line(1), "t:3: job 1 is there twice"),
      (
        TraceTests.head + TraceTests.line(1).replacing("\"duration_seconds\":5", with: "\"duration_seconds\":-5"),
        "t:2: duration_seconds: -5.0"
      ),
      (
        TraceTests.head + TraceTests.line(1).replacing("2026-09-07T08:00:00Z", with: "yesterday"),
        "t:2: created_at: \"yesterday\" is no time"
      ),
    ])
  func faults(text: String, expected: String) throws {
    let problem = #expect(throws: TraceFile.Problem.self) { try TraceFile.read(Data(text.utf8), name: "t") }
    #expect(problem?.description.contains(expected) == true, "\(problem?.description ?? "no problem")")
  }

  static let head = #"{"format":"runnerhub-trace","version":1}"# + "\n"
  static func line(_ id: Int) -> String {
    #"{"created_at":"2026-09-07T08:00:00Z","duration_seconds":5,"id":\#(id),"labels":["linux"],"name":"test","repository":"a/b"}"#
  }

  @Test("kept deliveries of a job are joined in whatever order they are there")
  func archive() throws {
    var archive = WebhookArchive(decoder: GitHubDeliveryDecoder())
    archive.add(Self.body("completed", conclusion: "failure"), file: "3.json")
    archive.add(Self.body("queued"), file: "1.json")
    archive.add(Self.body("in_progress"), file: "2.json")
    archive.add(Self.body("queued", id: 8), file: "4.json")
    archive.add(Data("{}".utf8), file: "5.json")
    let (trace, unfinished) = archive.trace(name: "kept")
    #expect(unfinished == 1)
    #expect(archive.ignored.map(\.file) == ["5.json"])
    let job = try #require(trace.jobs.first)
    #expect(trace.jobs.count == 1)
    #expect(job.duration == 90 && job.conclusion == .failure && job.repository == "acme/store" && job.labels == ["linux"])
    #expect(job.createdAt == Date(timeIntervalSince1970: 1_788_768_000))
  }

  private static func body(_ action: String, id: Int = 7, conclusion: String? = nil) -> Data {
    let ended = action == "completed"
    return Data(
      """
      {"action": "\(action)", "workflow_job": {"id": \(id), "run_id": 1, "run_attempt": 1, "name": "build", "workflow_name": "CI",
       "labels": ["linux"], "head_sha": "a", "head_branch": "main", "status": "\(action)",
       "conclusion": \(conclusion.map { "\"\($0)\"" } ?? "null"), "created_at": "2026-09-07T08:00:00Z",
       "started_at": "2026-09-07T08:00:10Z", "completed_at": \(ended ? "\"2026-09-07T08:01:40Z\"" : "null"), "steps": []},
       "repository": {"id": 1, "full_name": "acme/store", "private": true, "default_branch": "main"}}
      """.utf8)
  }

  @Test("GitHub's own examples are read or left out with a reason, and never stop the reading")
  func examples() throws {
    guard let folder = ProcessInfo.processInfo.environment["RUNNERHUB_CORPORA"] else { return }
    var archive = WebhookArchive(decoder: GitHubDeliveryDecoder())
    let root = folder + "/webhooks"
    let files = try #require(FileManager.default.enumerator(atPath: root)).compactMap { $0 as? String }.filter { $0.hasSuffix(".json") }
    for file in files { archive.add(try Data(contentsOf: URL(filePath: root + "/" + file)), file: file) }
    #expect(archive.trace(name: "examples").trace.jobs.count >= 1)
  }

  @Test("the page holds its plots, and nothing from elsewhere")
  func page() throws {
    let trace = Trace(name: "<tiny>", jobs: [Sample.job(1, at: 0, takes: 60), Sample.job(2, at: 30, takes: 60)])
    let page = try Sample.comparison(trace, Sample.scenario(Sample.pool(maximum: 2))).page
    #expect(page.components(separatedBy: "<svg ").count == 3)
    #expect(page.contains("&lt;tiny&gt;") && !page.contains("<tiny>"))
    #expect(!page.contains("http") && !page.contains("src=") && !page.contains("NaN") && !page.contains("inf,"))
    #expect(page.contains("prefers-color-scheme: dark"))
  }
}
