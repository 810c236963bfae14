import Engines
import Foundation
import JSON
import Plugins
import Testing

/// What is recorded of a new source's tests: what it told, and a runner that it registered, which is then run beside the queue's stand-in.
@Suite("A new source of plugin new", .timeLimit(.minutes(2))) struct SourceTemplateTests {
  @Test(
    "tells the jobs of its queue, and registers a runner that runs one and tells the queue how it ended",
    arguments: [PluginTemplate.Language.shell, .python, .lua])
  func runs(language: PluginTemplate.Language) async throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "source-\(UUID().uuidString)", directoryHint: .isDirectory)
    defer {
      do { try FileManager.default.removeItem(at: root) } catch { Issue.record("\(root.path) is left behind: \(error)") }
    }
    _ = try PluginTemplate(kind: .source, language: language, name: "jobs").write(into: root)
    let record = root.appending(path: "jobs.jsonl")
    let report = await PluginSuite.run(
      folder: root.appending(path: "jobs", directoryHint: .isDirectory), hostVersion: "test", firstProcess: FirstProcess.script,
      record: record)
    #expect(report.checks.allSatisfy { $0.outcome == .passed }, "\(report.text)")

    let lines = try Self.messages(in: record)
    let told = try #require(lines.first { $0["method"] == .string("source/events") })["params"]?["jobs"]
    #expect(told?.list.compactMap { $0["transition"]?.string } == ["1/queued", "2/queued", "3/queued"])

    let runner = try #require(lines.compactMap { $0["result"] }.first { $0["command"] != nil })
    let home = root.appending(path: "home", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    for file in runner["files"]?.list ?? [] {
      let contents = try #require(file["contents"]?.string.flatMap { Data(base64Encoded: $0) })
      #expect(!String(decoding: contents, as: UTF8.self).contains("sesame"), "a job must not get the queue's own token")
      try contents.write(to: home.appending(path: try #require(file["path"]?.string)))
    }
    // What the job sees, as it sees it; 4 where the queue's token is there.
    let script = home.appending(path: "script.sh")
    let spy = "if { env; cat job.sh queue.conf; } | grep -q sesa[m]e; then exit 4; fi\n"
    try (spy + String(contentsOf: script, encoding: .utf8)).write(to: script, atomically: true, encoding: .utf8)
    let queue = try Queue(root.appending(path: "jobs/stand_in.py"))
    defer { queue.stop() }
    // As the plugin did with its own queue: the same token is given for the same runner and job.
    let settings = home.appending(path: "queue.conf").path(percentEncoded: false)
    #expect(try queue.status(["--data", #"{"name":"rh-1","job":2}"#, "-H", Queue.authorization, "\(queue.url)/runners"]) == "201")
    #expect(try queue.status(["-K", settings, "\(queue.url)/jobs"]) == "403")
    #expect(try queue.status(["-K", settings, "--data", #"{"status":"completed"}"#, "\(queue.url)/jobs/1"]) == "403")
    let job = Process()
    job.executableURL = URL(filePath: "/usr/bin/env")
    job.arguments = try #require(runner["command"]).list.compactMap(\.string)
    job.currentDirectoryURL = home
    job.environment = ["PATH": "/usr/bin:/bin", "JOB_URL": "\(queue.url)/jobs/2", "RUNNER": "rh-1"]
    // As the script of the job ends.
    #expect(try await Self.status(of: job) == 3)
    let ended = try queue.job(2)
    #expect(ended["status"] == .string("completed") && ended["conclusion"] == .string("failure"), "\(ended)")
    #expect(ended["runner"] == .string("rh-1"))
  }

  /// Runs it to its end. Not by `waitUntilExit`, which needs a run loop of its thread.
  private static func status(of process: Process) async throws -> Int32 {
    try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
  }

  private static func messages(in record: URL) throws -> [JSONValue] {
    try String(contentsOf: record, encoding: .utf8).split(separator: "\n").compactMap { line in
      let entry = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
      guard entry["from"] == .string("plugin"), let text = entry["line"]?.string else { return nil }
      return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
  }
}

/// The stand-in of a queue that lies beside a new source.
private final class Queue {
  let url: String
  private let process = Process()

  init(_ program: URL) throws {
    // It says which port it has got when it listens.
    let wrapper = """
      import http.server, os, runpy, sys
      class Told(http.server.ThreadingHTTPServer):
          def __init__(self, address, handler):
              super().__init__((address[0], 0), handler)
              print(self.server_port, flush=True)
      http.server.ThreadingHTTPServer = Told
      runpy.run_path(sys.argv[1])
      """
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-B", "-c", wrapper, program.path(percentEncoded: false)]
    process.environment = ["PATH": "/usr/bin:/bin", "PORT": "0"]
    process.standardOutput = output
    try process.run()
    let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).trimmingCharacters(in: .newlines)
    url = "http://127.0.0.1:\(port)"
  }

  static let authorization = "Authorization: Bearer sesame"

  func job(_ number: Int) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: try curl(["--fail", "-H", Self.authorization, "\(url)/jobs/\(number)"]))
  }

  /// The HTTP status of a request.
  func status(_ words: [String]) throws -> String {
    String(decoding: try curl(words + ["-o", "/dev/null", "-w", "%{http_code}"]), as: UTF8.self)
  }

  private func curl(_ words: [String]) throws -> Data {
    let question = Process()
    question.executableURL = URL(filePath: "/usr/bin/curl")
    question.arguments = ["--silent"] + words
    let output = Pipe()
    question.standardOutput = output
    try question.run()
    return try output.fileHandleForReading.readToEnd() ?? Data()
  }

  /// Not by SIGTERM: a program inherits what the thread that starts it has blocked.
  func stop() { kill(process.processIdentifier, SIGKILL) }
}

extension JSONValue {
  fileprivate var list: [JSONValue] {
    if case .array(let items) = self { items } else { [] }
  }
}
