import ArgumentParser
import Policies

/// `runnerhub policy test`
struct PolicyTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run the _test.lua beside each policy.", discussion: "Example: runnerhub policy test policies")
  @Argument(help: "The folder of policies.") var folder = "policies"

  func run() async throws { try PolicyCommand.show(PolicyCommands.test(folder)) }
}
