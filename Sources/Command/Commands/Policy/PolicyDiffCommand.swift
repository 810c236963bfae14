import ArgumentParser
import Foundation
import Policies
import RunnerHub

/// `runnerhub policy diff`
struct PolicyDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "What changed from one bundle to another: files, functions, data, text, and decisions.",
    discussion: """
      Examples:
        runnerhub policy diff policies ./next
        runnerhub policy diff 7c1f9e03ab12 policies --since 24h
      A bundle is a folder, or the digest of one that the store has. With --since, recorded decisions are made by both.
      """)
  @Argument(help: "The older folder or digest.", completion: .directory) var old: String
  @Argument(help: "The newer folder or digest.", completion: .directory) var new: String
  @Option(help: "Also compare the decisions of recorded jobs: 90m, 24h, 7d.") var since: String?
  @OptionGroup var store: PolicyStore
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let span = try since.map { try PolicyStore.span($0) }
    let (before, after) = (try await store.bundle(old), try await store.bundle(new))
    var report = PolicyCommands.diff(before, after, names: (old, new))
    if let span {
      var replay = Replay(
        candidate: LuaPolicyEngine(bundle: after, builtIn: BuiltInPolicy()),
        baseline: LuaPolicyEngine(bundle: before, builtIn: BuiltInPolicy()))
      let start = ContinuousClock.now
      try await store.forEachDecision(since: Date(timeIntervalSinceNow: -span)) { replay.add($0, job: $1, snapshot: $2) }
      let decisions = PolicyCommands.replay(replay, seconds: (ContinuousClock.now - start) / .seconds(1))
      report.text += "\n\n" + decisions.text
      report.isSuccess = report.isSuccess && decisions.isSuccess
      report.values["decisions"] = .object(decisions.values)
    }
    try PolicyCommand.show(report, json: json)
  }
}
