import AsyncHTTPClient
import Foundation
import Hummingbird
package import Logging
import ServiceLifecycle

/// A local GitHub on one port: REST, the runner service, and the emulator's own doors.
///
/// ```swift
/// let server = EmulatorServer(configuration: .init(organisation: "acme", token: "ghp_demo"))
/// // in a service group: try await server.run()
/// let port = try await server.port()
/// try await server.github.push(Push(repository: "acme/shop", files: [".github/workflows/ci.yml": text]))
/// ```
package struct EmulatorServer: Service {
  /// The state behind the server.
  package let github: EmulatedGitHub
  private let configuration: EmulatorConfiguration
  private let logger: Logger
  private let bound = BoundPort()

  package init(configuration: EmulatorConfiguration, logger: Logger = Logger(label: "emulator")) {
    self.configuration = configuration
    self.logger = logger
    github = EmulatedGitHub(configuration: configuration)
  }

  /// The port that the server listens on; waits until it does.
  ///
  /// - Throws: `CancellationError` where the server ended before it listened.
  package func port() async throws -> Int { try await bound.value() }

  /// `http://host:port`, once the server listens.
  package func url() async throws -> String { "http://\(configuration.host):\(try await port())" }

  /// Serves until the service group shuts down or the task is cancelled.
  ///
  /// - Throws: where the address cannot be bound, or the App's key cannot be read.
  package func run() async throws {
    let responder = Responder(github: github, gatekeeper: try await Gatekeeper(configuration: configuration), logger: logger)
    let (host, github, bound) = (configuration.host, github, bound)
    var quiet = logger
    quiet.logLevel = .warning
    let application = Application(
      responder: responder, configuration: .init(address: .hostname(host, port: configuration.port), serverName: "github.com"),
      onServerRunning: { channel in
        let port = channel.localAddress?.port ?? 0
        await github.listen(at: "http://\(host):\(port)")
        await bound.set(port)
      }, logger: quiet)
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        group.addTask { try await deliver() }
        group.addTask { await keepTime() }
        for try await _ in group {}
      }
    } catch {
      await github.close()
      await bound.end()
      throw error
    }
    await bound.end()
  }

  private func deliver() async throws {
    guard let webhook = configuration.webhook else { return await untilClosed() }
    // A receiver that is not there when a delivery comes has lost it: GitHub does not knock again.
    var settings = HTTPClient.Configuration()
    settings.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    let sender = WebhookSender(
      webhook: webhook, organisation: configuration.organisation, concurrent: configuration.concurrentDeliveries, client: client,
      logger: logger)
    await sender.run(github)
    try await client.shutdown()
  }

  private func untilClosed() async {
    for await _ in github.pendingDeliveries {}
  }

  /// Lets the state see that time goes by; on shutdown, lets waiting runners go so that the server can end.
  private func keepTime() async {
    do {
      try await cancelWhenGracefulShutdown {
        while true {
          await github.tick()
          try await Task.sleep(for: .milliseconds(50))
        }
      }
    } catch {
      logger.debug("emulator stops", metadata: ["reason": "\(error)"])
    }
    await github.close()
  }
}

/// Tells the port to whoever waits for it.
private actor BoundPort {
  private var port: Int?
  private var hasEnded = false
  private var waiting: [CheckedContinuation<Int, any Error>] = []

  func set(_ port: Int) {
    self.port = port
    for continuation in waiting { continuation.resume(returning: port) }
    waiting = []
  }

  func end() {
    hasEnded = true
    for continuation in waiting { continuation.resume(throwing: CancellationError()) }
    waiting = []
  }

  func value() async throws -> Int {
    if let port { return port }
    if hasEnded { throw CancellationError() }
    return try await withCheckedThrowingContinuation { waiting.append($0) }
  }
}
