import ArgumentParser
import Foundation
import Policies
import RunnerHub

/// `runnerhub policy bench`
struct PolicyBenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "How fast each policy answers, and what of its budget it uses.",
    discussion: """
      Examples:
        runnerhub policy bench policies
        runnerhub policy bench policies --since 24h --json
      The built-in rule answers the same questions in the same run: BUILT-IN is how many times longer the policy takes. Questions are samples,
      or, with --since, recorded ones.
      """)
  @Argument(help: "The folder of policies.", completion: .directory) var folder = "policies"
  @Option(help: "Ask recorded questions: 90m, 24h, 7d.") var since: String?
  @Option(help: "Milliseconds for each policy, 10 to 60000.") var time = 300
  @OptionGroup var store: PolicyStore
  @Flag(help: "As JSON.") var json = false

  func validate() throws {
    guard (10...60_000).contains(time) else { throw ValidationError("--time is \(time): expected a whole number from 10 to 60000") }
  }

  func run() async throws {
    var questions = PolicySamples.questions
    if let since {
      let span = try PolicyStore.span(since)
      questions = []
      try await store.forEachDecision(since: Date(timeIntervalSinceNow: -span)) { record, job, snapshot in
        guard let snapshot, questions.count < 2_000 else { return }
        questions.append(.init(job: job ?? PolicySamples.job, fleet: snapshot.fleet, containers: snapshot.containers, pool: record.pool))
      }
      if questions.isEmpty { throw ValidationError("no decisions with inputs are recorded since \(since)") }
    }
    try PolicyCommand.show(PolicyCommands.bench(folder, questions: questions, time: .milliseconds(time)), json: json)
  }
}
