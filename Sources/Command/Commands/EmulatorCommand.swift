import ArgumentParser
import Emulator
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// `runnerhub emulator`
struct EmulatorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emulator",
    abstract: "Run a local GitHub: REST subset, job queue, signed webhooks.",
    discussion: """
      For demonstrations and tests; it keeps nothing when it ends. Push workflows to it, and read what happened:
        curl -X POST http://127.0.0.1:PORT/_emulator/push -d '{"repository": "acme/shop", "files": {".github/workflows/ci.yml": "…"}}'
        curl http://127.0.0.1:PORT/_emulator/ledger
      What goes wrong, it does on demand:
        curl -X POST http://127.0.0.1:PORT/_emulator/faults -d '{"webhooks": [{"fault": "lose", "action": "queued", "next": 1}]}'
      """)

  @Option(help: "Where it listens; port 0 takes a free one.")
  var listen = "127.0.0.1:0"

  @Option(help: "The organisation that owns the repositories.")
  var organization = "acme"

  @Option(help: "Where deliveries go, such as http://127.0.0.1:8080/webhooks/github.")
  var webhookURL: String?

  @Option(help: "Runners outside RunnerHub, each as NAME=LABEL,LABEL.")
  var traditionalRunner: [String] = []

  @Option(help: "A JSON file of faults and limits, as POST /_emulator/faults takes them.")
  var faults: String?

  func run() async throws {
    guard let address = ListenAddress(listen) else { throw ValidationError("--listen is \"\(listen)\": expected HOST:PORT") }
    let environment = ProcessInfo.processInfo.environment
    // Secrets come by the environment: arguments are there for everybody to see.
    guard let token = environment["GITHUB_TOKEN"], !token.isEmpty else {
      throw ValidationError("GITHUB_TOKEN is not set: the emulator accepts the token that it holds")
    }
    var webhook: EmulatorConfiguration.Webhook?
    if let webhookURL {
      guard let secret = environment["GITHUB_WEBHOOK_SECRET"], !secret.isEmpty else {
        throw ValidationError("GITHUB_WEBHOOK_SECRET is not set: deliveries to --webhook-url are signed with it")
      }
      webhook = .init(url: webhookURL, secret: secret)
    }
    let runners = try traditionalRunner.map { text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw ValidationError("--traditional-runner is \"\(text)\": expected NAME=LABEL,LABEL") }
      return EmulatorConfiguration.TraditionalRunner(name: parts[0], labels: parts[1].split(separator: ",").map(String.init))
    }
    LoggingSystem.bootstrap(StreamLogHandler.standardError)
    let server = EmulatorServer(
      configuration: EmulatorConfiguration(
        host: address.host, port: address.port, organisation: organization, webhook: webhook, token: token, traditionalRunners: runners))
    if let faults {
      do {
        try await server.github.inject(try JSON(parsing: Data(contentsOf: URL(filePath: faults))))
      } catch {
        throw ValidationError("--faults \(faults): \(error)")
      }
    }
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: server),
          .init(
            service: Loop("announcement") {
              Terminal.say("local GitHub on \(try await server.url())")
              try await gracefulShutdown()
            }),
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "emulator")))
    try await group.run()
  }
}
