import ArgumentParser
import Domain
import Foundation
import Policies
import RunnerHub

/// `runnerhub policy replay`
struct PolicyReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Make recorded decisions again by other policies, and show what would differ.",
    discussion: """
      Examples:
        runnerhub policy replay --since 24h --policies ./next
        runnerhub policy replay --since 7d --policies ./next --against policies --show routing
      Without --against, what was decided then is compared. Every decision is made from its own recorded input; what would have followed from
      another one is what a simulation shows.
      """)
  @Option(help: "How far back: 90m, 24h, 7d.") var since = "24h"
  @Option(help: "The folder of policies, or the digest of a bundle.", completion: .directory) var policies = "policies"
  @Option(help: "Compare with this folder or bundle instead of what was decided.", completion: .directory) var against: String?
  @Option(
    help: "List the differing decisions of a kind: routing, priority, affinity or scaling.",
    completion: .list(PolicyCommands.Decision.allCases.map(\.rawValue)))
  var show: String?
  @OptionGroup var store: PolicyStore
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let span = try PolicyStore.span(since)
    let shown = try show.map { try PolicyQuestion.decision($0).rawValue }
    let candidate = LuaPolicyEngine(bundle: try await store.bundle(policies), builtIn: BuiltInPolicy())
    var baseline: LuaPolicyEngine?
    if let against { baseline = LuaPolicyEngine(bundle: try await store.bundle(against), builtIn: BuiltInPolicy()) }
    var replay = Replay(candidate: candidate, baseline: baseline)
    let start = ContinuousClock.now
    try await store.forEachDecision(since: Date(timeIntervalSinceNow: -span)) { record, job, snapshot in
      replay.add(record, job: job, snapshot: snapshot)
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let kind = replay.differences.first?.kind ?? "routing"
    let compared = against.map { " --against \($0)" } ?? ""
    let again = "runnerhub policy replay --since \(since) --policies \(policies)\(compared) --show \(kind)"
    try PolicyCommand.show(PolicyCommands.replay(replay, seconds: seconds, showing: shown, again: again), json: json)
  }
}
