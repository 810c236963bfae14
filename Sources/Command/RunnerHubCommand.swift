import ArgumentParser

/// `runnerhub`: the only composition root.
@main
struct RunnerHubCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runnerhub",
    abstract: "Runs GitHub Actions jobs in containers assigned on demand.",
    version: version,
    subcommands: [
      ServeCommand.self, EmulatorCommand.self, DemoCommand.self, ConfigCommand.self, PolicyCommand.self, JobCommand.self,
    ])

  static let version = "0.1.0"
}
