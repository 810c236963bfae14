import ArgumentParser
import RunnerHub
import Web

/// `runnerhub policy rollback`
struct PolicyRollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback", abstract: "Have a running serve go back to a bundle that acted before.",
    discussion: """
      Without a digest: to the bundle that acted before the present one. It stays, over restarts too, until the folder changes or
      `runnerhub policy reload` is given.
      Examples:
        runnerhub policy rollback
        runnerhub policy rollback 7c1f9e --note "deploys were late"
      """)
  @OptionGroup var host: JobCommand.Host
  @Argument(help: "Digest of a bundle that acted, or its first digits: runnerhub policy history has them.") var bundle: String?
  @Option(help: "Why, for the history.") var note: String?
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let change: PolicyChange = try await host.client().post(
      "/api/v1/policies/rollback", PolicyRoutes.RollbackWish(bundle: bundle, note: note))
    try PolicyChangeReport(change).show(json: json)
  }
}
