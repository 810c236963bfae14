import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// `runnerhub emulator` and `runnerhub serve` as processes of their own, on free loopback ports, in a folder that is removed afterwards.
struct DemoHost: Sendable {
  let folder: URL
  let emulator: String
  let client: AdministrationClient
  let engine: DemoEngine
  var data: URL { folder.appending(path: "data", directoryHint: .isDirectory) }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Starts both, hands them to the body, and ends both when it returns or throws.
  /// - Parameter policies: the folder of policies.
  static func with<Result: Sendable>(
    policies: String, engine: DemoEngine, _ body: @escaping @Sendable (DemoHost) async throws -> Result
  ) async throws -> Result {
    try await ScratchFolder.with("runnerhub-demo", holding: "serve.log, emulator.log, data") { folder in
      try await start(in: folder, policies: policies, engine: engine, body)
    }
  }

  private static func start<Result: Sendable>(
    in folder: URL, policies: String, engine: DemoEngine, _ body: @escaping @Sendable (DemoHost) async throws -> Result
  ) async throws -> Result {
    let webhooks = "127.0.0.1:\(try OwnServer.freePort())"
    let secrets = ["GITHUB_TOKEN": "ghp_\(UUID().uuidString)", "GITHUB_WEBHOOK_SECRET": UUID().uuidString]
    let github = OwnServer(
      arguments: [
        "emulator", "--listen", "\(engine.address):0", "--webhook-url", "http://\(webhooks)/webhooks/github", "--traditional-runner",
        "legacy-win-1=self-hosted,windows",
      ], secrets: secrets, log: folder.appending(path: "emulator.log"))
    let configuration = folder.appending(path: "runnerhub.yaml")
    let serve = OwnServer(
      arguments: ["serve", "--config", configuration.path(percentEncoded: false)], secrets: secrets,
      log: folder.appending(path: "serve.log"))
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        try await github.run()
        return nil
      }
      let emulator = try await github.announcement(of: "local GitHub on ")
      try text(
        webhooks: webhooks, emulator: emulator, policies: policies, data: folder.appending(path: "data").path(percentEncoded: false),
        engine: engine
      ).write(to: configuration, atomically: true, encoding: .utf8)
      group.addTask {
        try await serve.run()
        return nil
      }
      _ = try await serve.announcement(of: "status page ")
      guard let announced = Announcement.read(directory: folder.appending(path: "data")) else {
        throw Failure(description: "serve did not announce itself")
      }
      let host = DemoHost(
        folder: folder, emulator: emulator, client: AdministrationClient(address: announced.administration), engine: engine)
      group.addTask { try await body(host) }
      // A server that ends first has failed: the body never returns nil.
      guard let result = try await group.next() ?? nil else { throw Failure(description: "a server ended early: see its log") }
      group.cancelAll()
      while try await group.next() != nil {}
      return result
    }
  }

  /// Commits files to the local GitHub and starts the workflows of an event.
  func push(_ files: [String: String], event: String) async throws {
    struct Push: Encodable {
      var repository = DemoRepository.name
      var files: [String: String]
      var event: String
    }
    var request = HTTPClientRequest(url: emulator + "/_emulator/push")
    request.method = .POST
    request.body = .bytes(try JSONEncoder().encode(Push(files: files, event: event)))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
    guard response.status.code < 300 else {
      throw Failure(description: "the local GitHub refused a push: \(String(buffer: try await response.body.collect(upTo: 1 << 20)))")
    }
  }

  // MARK: - Parts

  private static func text(webhooks: String, emulator: String, policies: String, data: String, engine: DemoEngine) -> String {
    let (section, pool) = engine.configuration
    return """
      webhooks: { listen: "\(webhooks)" }
      administration: { listen: "127.0.0.1:0" }
      github: { api-url: "\(emulator)", organization: acme }
      data-directory: "\(data)"
      policies: { directory: "\(policies)" }
      \(section)
      pools:
        demo: { \(pool), labels: [self-hosted, linux, docker, deploy], maximum: 4, warm: 3, reuse: 5, images: ["ghcr.io/acme/*"] }

      """
  }
}
