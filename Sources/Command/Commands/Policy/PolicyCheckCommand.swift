import ArgumentParser
import Policies

/// `runnerhub policy check`
struct PolicyCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Syntax, shapes and fields of every file.", discussion: "Example: runnerhub policy check policies")
  @Argument(help: "The folder of policies.") var folder = "policies"

  func run() async throws { try PolicyCommand.show(PolicyCommands.check(folder)) }
}
