import ArgumentParser

/// `runnerhub workflow`. Each subcommand is a file beside this one.
struct WorkflowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workflow", abstract: "Check and show workflow files, as GitHub and RunnerHub read them.",
    subcommands: [WorkflowCheckCommand.self, WorkflowShowCommand.self])
}
