import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Storage
import Testing

@testable import Command

@Suite("The built command on policies")
struct PolicyCommandLineTests {
  private static let policies = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "policies").path

  /// Command lines that helps show, word by word.
  private static var examples: [[String]] {
    PolicyCommand.configuration.subcommands.flatMap { command in
      command.configuration.discussion.components(separatedBy: "\n").compactMap { line -> [String]? in
        let call = line.drop { $0 == " " }.replacing("Example: ", with: "")
        return call.hasPrefix("runnerhub policy ") ? Array(words(String(call)).dropFirst()) : nil
      }
    }
  }

  /// As a shell cuts a line: at blanks outside of quotes.
  private static func words(_ line: String) -> [String] {
    var words = [""]
    var quote: Character?
    for character in line {
      if character == quote {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
      } else if quote == nil, character == " " {
        words.append("")
      } else {
        words[words.count - 1].append(character)
      }
    }
    return words.filter { !$0.isEmpty }
  }

  @Test("every subcommand's help has an example")
  func examplesAreThere() {
    for command in PolicyCommand.configuration.subcommands {
      let name = command.configuration.commandName ?? ""
      #expect(command.configuration.discussion.contains("runnerhub policy \(name)"), "\(command)")
    }
  }

  @Test("every example of a help is a call that is understood", arguments: examples)
  func example(call: [String]) throws { _ = try RunnerHubCommand.parseAsRoot(call) }

  @Test("shells complete subcommands, words and folders", arguments: ["bash", "zsh", "fish"])
  func completion(shell: String) throws {
    let script = try Binary.run(["--generate-completion-script", shell])
    #expect(script.status == 0)
    for word in ["policy", "replay", "affinity", "minimum-coverage"] { #expect(script.output.contains(word), "\(word)") }
  }

  @Test("eval takes a fleet and containers from files")
  func given() throws {
    let fleet = "pools:\n  - { name: linux, total: 10, busy: 10, pending: 9, maximum: 50 }\n"
    let scaling = try Binary.run(
      ["policy", "eval", "scaling", "--fleet", "fleet.yaml", "--policies", Self.policies], files: ["fleet.yaml": fleet])
    #expect(scaling.status == 0, "\(scaling)")
    #expect(scaling.output.hasPrefix("pool      linux (has 10)\nwanted    19\n"))
    let affinity = try Binary.run(
      ["policy", "eval", "affinity", "--containers", "c.json", "--policies", Self.policies, "--json"],
      files: ["c.json": #"[{"name": "a", "repository": "acme/storefront"}, {"name": "b", "is_new": true}]"#])
    #expect(affinity.status == 0, "\(affinity)")
    struct Answer: Decodable {
      struct Candidate: Decodable { var name: String; var score: Double? }
      var candidates: [Candidate]
    }
    let answer = try JSONDecoder().decode(Answer.self, from: Data(affinity.output.utf8))
    #expect(answer.candidates.map(\.name) == ["a", "b"])
    let wrong = try Binary.run(
      ["policy", "eval", "scaling", "--fleet", "fleet.yaml", "--policies", Self.policies], files: ["fleet.yaml": "pols: []"])
    #expect(wrong.status == 64)
    #expect(wrong.error.hasPrefix("runnerhub: fleet: unknown field 'pols' – did you mean 'pools'?"))
    let without = try Binary.run(["policy", "eval", "routing"])
    #expect(without.status == 64)
    #expect(without.error.hasPrefix("runnerhub: routing is asked about a job: name the body of its delivery by --event payload.json"))
  }

  @Test("new, check, test and types work on a fresh folder")
  func fresh() throws {
    let base = FileManager.default.temporaryDirectory.appending(path: "policies-\(UUID().uuidString)").path
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: base) } }
    for kind in ["routing", "priority", "affinity", "scaling"] {
      let made = try Binary.run(["policy", "new", kind, "--policies", base])
      #expect(made.status == 0, "\(made)")
    }
    #expect(try Binary.run(["policy", "new", "routing", "--policies", base]).status == 1)
    let check = try Binary.run(["policy", "check", base, "--strict"])
    #expect(check.status == 0, "\(check)")
    let test = try Binary.run(["policy", "test", base, "--minimum-coverage", "100", "--junit", base + "/junit.xml"])
    #expect(test.status == 0, "\(test)")
    #expect(test.output.contains("lines covered 100 %"))
    #expect(FileManager.default.fileExists(atPath: base + "/junit.xml"))
    let diff = try Binary.run(["policy", "diff", base, Self.policies])
    #expect(diff.status == 0, "\(diff)")
    #expect(diff.output.contains("--- \(base)/routing.lua\n+++ \(Self.policies)/routing.lua\n@@ "))
  }

  @Test("replay makes recorded decisions again, and says how to see them")
  func replay() async throws {
    let base = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID().uuidString)", directoryHint: .isDirectory)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: base) } }
    try await Self.record(in: base)
    let next = base.appending(path: "next")
    try FileManager.default.createDirectory(at: next, withIntermediateDirectories: true)
    try Data(
      "local r = { api = 1 }\nfunction r.route(job) return job.name == 'unit-1' and 'orchestrator' or 'traditional', 'all stay' end\nreturn r"
        .utf8
    )
    .write(to: next.appending(path: "routing.lua"))
    let outcome = try Binary.run(["policy", "replay", "--since", "1h", "--policies", next.path, "--data", base.path])
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.hasPrefix("4 jobs replayed in "))
    #expect(outcome.output.contains("\nrouting    3 differ (75.0 %): 3 orchestrator → traditional\n"))
    #expect(outcome.output.hasSuffix("examples: runnerhub policy replay --since 1h --policies \(next.path) --show routing\n"))
    let shown = try Binary.run(["policy", "replay", "--since", "1h", "--policies", next.path, "--data", base.path, "--show", "routing"])
    #expect(shown.output.contains("unit-2 · acme/storefront (2): orchestrator → traditional\n  before  then\n  after   all stay"))
    let same = try Binary.run(["policy", "replay", "--since", "1h", "--policies", next.path, "--against", next.path, "--data", base.path])
    #expect(same.output.contains("routing    0 of 4 differ"))
    let diff = try Binary.run(["policy", "diff", Self.policies, next.path, "--since", "1h", "--data", base.path])
    #expect(diff.output.contains("routing    3 differ"))
    let none = try Binary.run(["policy", "replay", "--policies", next.path, "--data", base.path + "/none"])
    #expect(none.status == 64)
    #expect(none.error.contains("name the data directory of serve by --data FOLDER"))
    let span = try Binary.run(["policy", "replay", "--since", "yesterday", "--data", base.path])
    #expect(span.error.hasPrefix("runnerhub: --since is \"yesterday\": expected a time such as 90m, 24h or 7d"))
  }

  /// Four routed jobs, as `serve` would have logged them.
  private static func record(in folder: URL) async throws {
    let store = try SQLiteStore(path: folder.appending(path: "runnerhub.sqlite").path)
    let now = Date()
    var additions = Changes()
    for id in 1...4 {
      var job = Job(
        id: JobID(rawValue: "\(id)"), forgeID: Int64(id), runID: 1, runAttempt: 1,
        repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: true, defaultBranch: "main"), workflow: "CI",
        name: "unit-\(id)",
        labels: ["linux"], headSHA: "f83a356604ae3c5d03e1b46ef4d1ca77d64a90b0", headBranch: "main", createdAt: now, receivedAt: now)
      job.route = .orchestrator
      let seen = try store.input(of: .job(PolicyJob(job)), at: now)
      let fleet = try store.input(of: .fleet(FleetSnapshot(fleet: PolicyFleet(now: now, pools: [], pending: 0, active: 0))), at: now)
      additions.decisionInputs += [seen, fleet]
      additions.decisions.append(
        DecisionRecord(
          kind: "routing", jobID: job.id, pool: nil, output: "orchestrator", reason: "then", bundle: "built-in", fallbackCause: nil,
          microseconds: 1, at: now, input: seen.digest, snapshot: fleet.digest))
    }
    _ = try await store.commit(additions, at: .jobDecided)
  }

  @Test("test --watch tells what changed, and ends quietly with Ctrl-C")
  func watch() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "watch-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    let file = folder.appending(path: "routing_test.lua")
    try Data("test('a', function() expect(1).equals(1) end)".utf8).write(to: file)
    let log = folder.appending(path: "log.txt")
    try #require(FileManager.default.createFile(atPath: log.path, contents: nil))
    let process = Process()
    process.executableURL = Binary.url
    process.arguments = ["policy", "test", folder.path, "--watch"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: log)
    process.standardError = process.standardOutput
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    try Self.wait(for: log, toHold: "1 passed in ")
    try Data("test('a', function() expect(1).equals(2) end)".utf8).write(to: file)
    try Self.wait(for: log, toHold: "✗ routing_test.lua: a\n")
    try Self.wait(for: log, toHold: "0 passed, 1 failed\n")
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(process.terminationReason == .exit)
  }

  private static func wait(for log: URL, toHold text: String) throws {
    let end = Date(timeIntervalSinceNow: 20)
    while Date() < end {
      if String(decoding: try Data(contentsOf: log), as: UTF8.self).contains(text) { return }
      Thread.sleep(forTimeInterval: 0.02)
    }
    Issue.record("the log never held \"\(text)\": \(String(decoding: try Data(contentsOf: log), as: UTF8.self))")
  }
}
