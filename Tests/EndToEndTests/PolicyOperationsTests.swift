import Emulator
import Foundation
import GRDB
import Testing

/// A running `serve`, whose policies change under it.
@Suite("Policies of a running serve") struct PolicyOperationsTests {
  @Test(
    "a change acts by itself, a broken one is refused, a rollback holds over a restart, and a job's story names its bundle",
    .timeLimit(.minutes(1)))
  func operations() async throws {
    var plan = House.Plan()
    plan.warm = 0
    try await House.run(plan) { house in
      let file = house.hub.folder.appending(path: "policies/routing.lua")
      let good = try String(contentsOf: file, encoding: .utf8)
      let first = try await house.bundle()
      try Data(good.replacing("every job", with: "each job").utf8).write(to: file)
      try await eventually("the changed bundle acts") { try await house.bundle() != first }
      let second = try await house.bundle()

      // What is broken stands in the way of nothing.
      try Data("return {".utf8).write(to: file)
      try await eventually("its refusal") {
        try await house.overview()["policies"]["refusal"].string?.contains("routing.lua:1") == true
      }
      let refused = try await house.command("policy", "reload")
      #expect(refused.status == 1 && refused.output.contains("bundle \(second) stays"), "\(refused.output)")
      #expect(refused.output.contains("routing.lua:1:"), "\(refused.output)")

      let back = try await house.command("policy", "rollback", "--note", "late deploys", "--json")
      #expect(back.status == 0 && back.output.contains(#""outcome":"rolled-back""#), "\(back.output)")
      let unknown = try await house.command("policy", "rollback", "feedbeef")
      #expect(unknown.status == 1 && unknown.output.contains("no bundle feedbeef has acted"), "\(unknown.output)")

      #expect(try await house.hub.stop() == 0)
      try await house.hub.serve()
      #expect(try await house.bundle() == first)
      let history = try await house.command("policy", "history")
      let lines = history.output.split(separator: "\n").map(String.init)
      #expect(lines.first?.hasPrefix("bundle \(first) acts") == true)
      #expect(lines.count(where: { $0.contains(" refused ") }) == 2)
      #expect(lines.contains { $0.contains("rolled-back") && $0.contains(first) && $0.hasSuffix("late deploys") })
      let page = try await house.get("/").text
      #expect(page.contains("rolled-back (live)") && page.contains("late deploys"))
      let metrics = try await house.get("/metrics").text
      #expect(metrics.contains("runnerhub_policy_bundle_info{bundle=\"\(first)\"} 1"))

      try await house.push([".github/workflows/work.yml": Work.workflow([.success("told")])])
      try await house.allEnded(1)
      let story = try await house.command("job", "explain", "told")
      #expect(story.output.contains("routing → orchestrator: every job runs here"), "\(story.output)")
      #expect(story.output.contains("bundle \(first.prefix(6)), "), "\(story.output)")
      #expect(story.output.contains("places considered"), "\(story.output)")
      let decisions = try await house.get("/api/v1/decisions?kind=affinity").json
      #expect(decisions["decisions"].array?.first?["decision"]["candidates"].array?.isEmpty == false)
      let kept = try house.rows("SELECT count(*) AS n FROM decision_inputs WHERE kind = 'job'")
      #expect(kept.first?["n"] == 1)
    }
  }
}

extension House {
  fileprivate func bundle() async throws -> String { try #require(try await overview()["policies"]["bundle"].string) }

  /// Runs a command beside the running `serve`.
  func command(_ words: String...) async throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = try Places.command
    process.arguments = words + ["--data", hub.data.path(percentEncoded: false)]
    process.currentDirectoryURL = hub.folder
    process.standardInput = FileHandle.nullDevice
    let file = hub.folder.appending(path: "command-\(UUID().uuidString).log")
    try Data().write(to: file)
    let output = try FileHandle(forWritingTo: file)
    defer { try? output.close() }
    (process.standardOutput, process.standardError) = (output, output)
    try process.run()
    try await eventually("the end of runnerhub \(words.joined(separator: " "))") { !process.isRunning }
    return (process.terminationStatus, try String(contentsOf: file, encoding: .utf8))
  }
}
