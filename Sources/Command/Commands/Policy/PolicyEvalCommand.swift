import ArgumentParser
import Policies

/// `runnerhub policy eval`
struct PolicyEvalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Ask one policy about a real webhook payload, a fleet, or containers.",
    discussion: """
      Examples:
        runnerhub policy eval routing --event payload.json
        runnerhub policy eval priority --event payload.json --workflow .github/workflows/release.yml
        runnerhub policy eval affinity --event payload.json --containers containers.yaml
        runnerhub policy eval scaling --fleet fleet.yaml --pool linux
      The payload is the body of a workflow_job delivery. What only the workflow file or the run tells (environment, triggering event) is
      unknown unless it is given. Without --fleet and --containers, small examples stand in.
      """)
  @Argument(help: "routing, priority, affinity or scaling.", completion: PolicyQuestion.completion) var decision: String
  @OptionGroup var question: PolicyQuestion
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let decision = try PolicyQuestion.decision(decision)
    try PolicyCommand.show(PolicyCommands.eval(decision, question.question(for: decision), folder: question.policies), json: json)
  }
}
