import ArgumentParser
import Foundation
import Logging

/// `runnerhub serve`
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Take webhooks and run jobs until SIGTERM.",
    discussion: """
      Every setting is a key of runnerhub.yaml, and a flag of the same name that overrides it (`runnerhub config show` lists them all):
        runnerhub serve --webhooks.listen 0.0.0.0:8080 --orchestrator.max-concurrent-jobs 20
      SIGTERM drains: no new assignments, running jobs finish within orchestrator.drain-limit. A second signal ends at once.
      """)

  @Option(help: "The configuration file (default: runnerhub.yaml in this folder, where it exists).")
  var config: String?

  @Argument(parsing: .allUnrecognized, help: "Settings, such as --orchestrator.max-tries 3.")
  var settings: [String] = []

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let configuration = try Configuration.load(file: config, environment: environment, flags: settings)
    LoggingSystem.bootstrap(StreamLogHandler.standardError)
    try await Host(
      configuration: configuration,
      origin: .init(file: config ?? Configuration.presentFile, environment: environment, flags: settings)
    ).run()
  }
}
