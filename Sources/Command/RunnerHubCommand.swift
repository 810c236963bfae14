import ArgumentParser
import Foundation

/// `runnerhub`: the only composition root.
@main
struct RunnerHubCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runnerhub",
    abstract: "Runs GitHub Actions jobs in containers assigned on demand.",
    version: version,
    subcommands: [
      ServeCommand.self, EmulatorCommand.self, DemoCommand.self, ConfigCommand.self, PolicyCommand.self, PluginCommand.self,
      JobCommand.self, ContainerCommand.self, PoolCommand.self, HostCommand.self, MigrationCommand.self, AlertCommand.self,
      TraceCommand.self,
      VerifyCommand.self, WorkflowCommand.self,
    ])

  static let version = "0.1.0"

  /// The one place where an error becomes words and an exit code: `runnerhub: …` on standard error, 1; with the usage, 64, where it was called wrongly.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      let code = exitCode(for: error)
      // Help, version and bare exit codes have nothing to add.
      if code.isSuccess || error is ExitCode { exit(withError: error) }
      FileHandle.standardError.write(Data(report(error).utf8))
      exit(withError: code)
    }
  }

  /// Every line of a problem begins with our name; the usage below a wrong call does not.
  private static func report(_ error: any Error) -> String {
    let message = message(for: error)
    // A command that ran and then refused its input knows better than the root's usage what to do.
    let hasUsage = exitCode(for: error) == .validationFailure && !(error is ValidationError)
    let usage = hasUsage ? fullMessage(for: error).components(separatedBy: "\n").drop { !$0.hasPrefix("Usage:") } : []
    let lines = message.components(separatedBy: "\n").map { "runnerhub: \($0)" } + usage
    return lines.joined(separator: "\n") + "\n"
  }
}
