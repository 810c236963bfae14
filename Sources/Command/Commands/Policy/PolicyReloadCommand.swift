import ArgumentParser
import RunnerHub
import Web

/// `runnerhub policy reload`
struct PolicyReloadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Have a running serve read its policies folder now.",
    discussion: """
      The folder is checked and tested as after a change, also when a rollback or an earlier refusal stands against it. A bundle that is refused ends
      the command with 1, and the one that acted goes on.
      Example: runnerhub policy reload --json
      """)
  @OptionGroup var host: JobCommand.Host
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let change: PolicyChange = try await host.client().post("/api/v1/policies/reload", PolicyRoutes.ReloadWish())
    try PolicyChangeReport(change).show(json: json)
  }
}
