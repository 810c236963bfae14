import Engines
import Foundation
import JSON
import Plugins
import Testing

@Suite("The kit for authors of plugins", .timeLimit(.minutes(3)))
struct PluginKitTests {
  /// A folder of plugins for one test.
  private final class Bench {
    let root = FileManager.default.temporaryDirectory.appending(path: "kit-\(UUID().uuidString)", directoryHint: .isDirectory)

    func new(_ kind: PluginKind = .notifier, _ language: PluginTemplate.Language = .python, _ name: String = "pager") throws -> URL {
      _ = try PluginTemplate(kind: kind, language: language, name: name).write(into: root)
      return root.appending(path: name, directoryHint: .isDirectory)
    }

    func replace(_ old: String, by new: String, in file: String) throws {
      let url = root.appending(path: file)
      let text = try String(contentsOf: url, encoding: .utf8)
      #expect(text.contains(old), "\(file) does not hold \(old)")
      try Data(text.replacing(old, with: new).utf8).write(to: url)
    }

    func write(_ text: String, to file: String) throws { try Data(text.utf8).write(to: root.appending(path: file)) }

    deinit {
      do {
        try FileManager.default.removeItem(at: root)
      } catch {
        Issue.record("\(root.path) is left behind: \(error)")
      }
    }
  }

  private static func test(_ folder: URL, record: URL? = nil) async -> PluginTestReport {
    await PluginSuite.run(folder: folder, hostVersion: "test", firstProcess: FirstProcess.script, record: record)
  }

  private static func replay(_ record: URL, _ folder: URL, ignoring: [String] = []) async throws -> PluginReplay.Outcome {
    let result: Result<PluginReplay.Outcome, PluginReplay.Refusal> = await withCheckedContinuation { continuation in
      Thread {
        continuation.resume(
          returning: Result { () throws(PluginReplay.Refusal) in
            try PluginReplay.run(record: record, folder: folder, ignoring: ignoring, hostVersion: "test")
          })
      }.start()
    }
    return try result.get()
  }

  @Test(
    "a new plugin passes at once", arguments: PluginKind.allCases, [PluginTemplate.Language.shell, .python, .lua])
  func templates(kind: PluginKind, language: PluginTemplate.Language) async throws {
    let bench = Bench()
    let folder = try bench.new(kind, language)
    #expect(CheckedPlugin.commandProblems(try PluginManifest.read(folder: folder), folder) == [])
    let report = await Self.test(folder)
    #expect(report.failed == 0, "\(report.text)")
    #expect(report.checks.allSatisfy { $0.outcome == .passed }, "\(report.text)")
    if kind == .notifier {
      #expect(
        report.text
          == "handshake ✓  configuration ✓  alert ✓  resolve ✓  time limit ✓  garbage in ✓  shutdown ✓      7 passed")
    }
  }

  @Test("a new plugin in Swift builds, and passes at once", arguments: PluginKind.allCases)
  func swift(kind: PluginKind) async throws {
    let bench = Bench()
    let folder = try bench.new(kind, .swift)
    let build = Process()
    build.executableURL = URL(filePath: "/usr/bin/env")
    build.arguments = ["swift", "build", "-c", "release", "--package-path", folder.path(percentEncoded: false)]
    let output = Pipe()
    build.standardOutput = output
    build.standardError = output
    try build.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    build.waitUntilExit()
    try #require(build.terminationStatus == 0, "\(text)")
    #expect(CheckedPlugin.commandProblems(try PluginManifest.read(folder: folder), folder) == [])
    let report = await Self.test(folder)
    #expect(report.checks.allSatisfy { $0.outcome == .passed }, "\(report.text)")
  }

  @Test("what is there is never overwritten, and what makes no sense is refused with the reason")
  func refusals() throws {
    let bench = Bench()
    let folder = try bench.new()
    try bench.write("mine", to: "pager/pager.py")
    #expect(throws: PluginTemplate.Refusal.self) { try bench.new() }
    #expect(try String(contentsOf: folder.appending(path: "pager.py"), encoding: .utf8) == "mine")
    for (language, name) in [
      (PluginTemplate.Language.shell, "A b"), (.shell, "../x"), (.shell, "protocol"), (.python, "json"), (.lua, "json"),
    ] {
      #expect(throws: PluginTemplate.Refusal.self, "\(language) \(name)") {
        try PluginTemplate(kind: .engine, language: language, name: name)
      }
    }
  }

  @Test(
    "the suite says what is missing",
    arguments: [
      (
        "return {\"notifier/notify\": self.notify}", "return {}",
        "alert: notifier/notify was refused with -32601 (no method 'notifier/notify'): answer it with {}"
      ),
      (
        "return {}", "return []",
        "alert: the result of notifier/notify is not as docs/plugin-protocol/notifier-notify.result.json says: is a list of 0, expected a mapping"
      ),
      (
        "self.told.add(key)", "print('told')",
        "it wrote a line that is no JSON: told (standard output is for messages alone: log to standard error)"
      ),
      (
        "event, alert = need", "import os; os._exit(3); event, alert = need",
        "alert: notifier/notify was not answered: it ended with status 3"
      ),
      (
        "Notifier().run()", "Notifier().run(); import time; time.sleep(60)",
        "it still runs 5 s after shutdown: end when standard input does"
      ),
    ])
  func complaints(old: String, new: String, expected: String) async throws {
    let bench = Bench()
    let folder = try bench.new()
    try bench.replace(old, by: new, in: "pager/pager.py")
    let report = await Self.test(folder)
    #expect(report.failed > 0)
    #expect(report.text.contains(expected), "\(report.text)")
  }

  @Test(
    "calls at once, cancelled calls, a runner's end and GARM's contract are tried",
    arguments: [
      (
        PluginKind.notifier, "pager.py", "        with self.lock:\n",
        "        if self.lock.locked():\n            raise RuntimeError()\n        with self.lock:\n            import time; time.sleep(0.05)\n",
        "time limit: notifier/notify (8 at once) was refused with -32603 (a defect: RuntimeError): answer it as if it came alone"
      ),
      (
        .notifier, "protocol.py", "continue  # A notification.", "sys.exit(3)",
        "time limit: notifier/notify was not answered: it ended with status 3"
      ),
      (
        .engine, "pager.py", "raise Failure(INVALID, f\"container {spec['id']} exists already, made for something else\")", "return {}",
        "create: engine/create was answered with {} though this container was made for another pool: answer it with error -32002"
      ),
      (
        .engine, "pager.py", "file.seek(offset)", "pass", "run: engine/log does not begin at the byte that it is asked from"
      ),
      (
        .garmProvider, "pager.py", "raise Failure(f\"GARM_COMMAND {command!r} is not known\")", "return \"\"",
        "✘ it refuses an unknown command, with a reason"
      ),
      (
        .garmProvider, "pager.py", "(self.facts(name) or {}).get(\"pool\") == self.pool", "self.facts(name)",
        "the machine is in the list of another pool: it would be taken for a leak there"
      ),
    ] as [(PluginKind, String, String, String, String)])
  func moreComplaints(kind: PluginKind, file: String, old: String, new: String, expected: String) async throws {
    let bench = Bench()
    let folder = try bench.new(kind)
    try bench.replace(old, by: new, in: "pager/\(file)")
    let report = await Self.test(folder)
    #expect(report.failed > 0)
    #expect(report.text.contains(expected), "\(report.text)")
  }

  @Test("a provider's configuration is read as the host reads it, and it has no session to record")
  func providers() async throws {
    let bench = Bench()
    let folder = try bench.new(.garmProvider)
    try bench.write("configuration: {call-timeout: 0}", to: "pager/test_pager.yaml")
    #expect(await Self.test(folder).text.contains("configuration.call-timeout: expected a number of seconds, 1 to 86400"))
    try bench.write("configuration: {}\ninvalid: [{call-timeout: 5}]", to: "pager/test_pager.yaml")
    #expect(await Self.test(folder).text.contains("number 1 of 'invalid' in test_pager.yaml is valid"))
    let record = bench.root.appending(path: "pager.jsonl")
    #expect(await Self.test(folder, record: record).text.contains("there is no session to record"))
    try bench.write(#"{"record":1,"plugin":"pager","version":"1.0.0","kind":"garm-provider","volatile":[]}"# + "\n", to: "pager.jsonl")
    let refusal = await #expect(throws: PluginReplay.Refusal.self) { try await Self.replay(record, folder) }
    #expect(refusal?.description.contains("there is no session to replay") == true)
  }

  @Test("a configuration that the schema takes and the test calls invalid is told, and so is an invalid one")
  func configurations() async throws {
    let bench = Bench()
    let folder = try bench.new()
    try bench.write("configuration: {prefix: 7}", to: "pager/test_pager.yaml")
    #expect(
      await Self.test(folder).text.contains(
        "configuration: the configuration in test_pager.yaml is not valid under that of plugin.yaml: /prefix: is 7, expected a text of at most 40 characters"
      ))
    try bench.write("invalid: [{prefix: short}]", to: "pager/test_pager.yaml")
    #expect(await Self.test(folder).text.contains("though number 1 of 'invalid' in test_pager.yaml must be refused"))
    try bench.write("tests: [{call: health}]", to: "pager/test_pager.yaml")
    #expect(await Self.test(folder).text.contains("test_pager.yaml:1:9: /tests/0: has no 'name'; it is required"))
  }

  @Test("an author's tests talk to a program beside the plugin")
  func ownTests() async throws {
    let bench = Bench()
    let folder = try bench.new()
    try bench.write(
      """
      import http.server, os
      class Handler(http.server.BaseHTTPRequestHandler):
          def do_POST(self):
              self.send_response(204 if self.path == "/ok" else 500); self.end_headers()
      http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
      """, to: "pager/fake.py")
    try bench.replace("abilities: []", by: "abilities: [network]", in: "pager/plugin.yaml")
    try bench.replace("maxLength: 40", by: "maxLength: 400", in: "pager/plugin.yaml")
    try bench.replace(
      "        with open(self.file",
      by: "        import urllib.request; urllib.request.urlopen(self.prefix, b'x')\n        with open(self.file",
      in: "pager/pager.py")
    func tests(_ path: String) -> String {
      """
      helper: {command: [python3, fake.py]}
      configuration: {prefix: "http://127.0.0.1:${port}/\(path)"}
      tests:
        - {name: it is told, call: notifier/notify, with: {event: raised, alert: {id: "9", title: x, severity: info}}, result: {}}
        - {name: it must have a title, call: notifier/notify, with: {event: raised, alert: {id: "10", severity: info}}, error: -32603, log: notifier/notify}
        - {name: this cannot be, call: health, result: {status: failing}}
      """
    }
    try bench.write(tests("ok"), to: "pager/test_pager.yaml")
    let report = await Self.test(folder)
    #expect(report.failed == 1, "\(report.text)")
    #expect(report.text.contains("✓ it is told\n✓ it must have a title\n✘ this cannot be"), "\(report.text)")
    #expect(report.text.contains("the result of health is not as expected: /status is \"ok\", expected \"failing\""))
    try bench.write(tests("broken"), to: "pager/test_pager.yaml")
    #expect(await Self.test(folder).text.contains("alert: notifier/notify was refused with -32603"))
  }

  @Test("a record is played again: the same plugin answers the same, a changed one does not, and secrets are not in it")
  func replay() async throws {
    let bench = Bench()
    let folder = try bench.new(.secrets, .python, "vault")
    let record = bench.root.appending(path: "vault.jsonl")
    #expect(await Self.test(folder, record: record).failed == 0)
    let text = try String(contentsOf: record, encoding: .utf8)
    #expect(!text.contains("sesame"))
    #expect(text.contains("\"***\"") || text.contains(#"\"***\""#))
    for line in text.split(separator: "\n", maxSplits: 20).prefix(20) {
      #expect(MessageSchemas.problems(in: try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)), as: "record") == [])
    }

    let same = try await Self.replay(record, folder)
    #expect(same.answers > 10)
    #expect(same.differences == [])

    try bench.replace(#"version = "1.0.0""#, by: #"version = "1.1.0""#, in: "vault/protocol.py")
    let changed = try await Self.replay(record, folder)
    #expect(
      changed.differences.first.map { "\($0.method)\($0.place): \($0.recorded) \($0.now)" }
        == #"initialize/result/version: "1.0.0" "1.1.0""#)
    #expect(try await Self.replay(record, folder, ignoring: ["/result/version"]).differences == [])

    try bench.write("no record", to: "broken.jsonl")
    await #expect(throws: PluginReplay.Refusal.self) { try await Self.replay(bench.root.appending(path: "broken.jsonl"), folder) }
  }

  @Test("results are written for machines too")
  func junit() async throws {
    let bench = Bench()
    let folder = try bench.new()
    try bench.replace("return {\"notifier/notify\": self.notify}", by: "return {}", in: "pager/pager.py")
    let report = await Self.test(folder)
    let xml = PluginTestReport.junit([report])
    #expect(xml.contains("<testsuite name=\"pager\" tests=\"7\" failures=\"2\""), "\(xml)")
    #expect(xml.contains("<testcase classname=\"plugin.pager\" name=\"alert\""))
    let json = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
    #expect(json.contains("\"failed\":2") && json.contains("\"kind\":\"notifier\""), "\(json)")
  }
}
