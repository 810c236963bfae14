import ArgumentParser
import Policies

/// `runnerhub policy explain`
struct PolicyExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Show every line that a decision executes, with the values of its variables.",
    discussion: """
      Examples:
        runnerhub policy explain priority --event payload.json
        runnerhub policy explain scaling --fleet fleet.yaml --pool linux --json
      A variable is shown where it has a new value.
      """)
  @Argument(help: "routing, priority, affinity or scaling.", completion: PolicyQuestion.completion) var decision: String
  @OptionGroup var question: PolicyQuestion
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let decision = try PolicyQuestion.decision(decision)
    try PolicyCommand.show(PolicyCommands.explain(decision, question.question(for: decision), folder: question.policies), json: json)
  }
}
