import ArgumentParser
import Foundation
import Metrics
import RunnerHub
import Web

/// `benchmarks hub`: what `serve` runs, over stand-ins, until it is ended.
struct HubCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "hub", shouldDisplay: false)
  /// The line that says that the first waiting job has got its container.
  static let firstContainer = "first container"

  @Argument var directory: String
  @Option var running: Int
  @Option var policies: String

  func run() async throws {
    let metrics = PrometheusMetrics()
    MetricsSystem.bootstrap(metrics)
    let settings = Sample.settings([Sample.pool(maximum: running + 1)])
    let engine = InstantEngine(running: (0..<running).map { Sample.containerID($0) })
    let hub = try Hub(directory: URL(filePath: directory), settings: settings, engine: engine, policies: policies)
    let handler = OrchestratorWebhookHandler(
      secrets: try WebhookSecrets([SignedDeliveries.secret]), inbox: hub.store, metrics: metrics, logger: .quiet,
      wake: { hub.transactor.signals.intake.notify() })
    try await hub.running {
      try await Listening.serving { onServerRunning in
        WebhookServer(
          handler: handler, options: ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning), logger: .quiet)
      } body: { _ in
        try await Hub.wait("the first container", seconds: 60) { engine.created > 0 }
        FileHandle.standardOutput.write(Data("\(Self.firstContainer)\n".utf8))
        while true { try await Task.sleep(for: .seconds(3600)) }
      }
    }
  }
}
