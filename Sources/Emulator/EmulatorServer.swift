import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
import NIOFoundationCompat
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
        group.addTask { await deliver() }
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

  private func deliver() async {
    guard let webhook = configuration.webhook else { return await untilClosed() }
    let sender = WebhookSender(
      webhook: webhook, organisation: configuration.organisation, concurrent: configuration.concurrentDeliveries, client: HTTPClient.shared,
      logger: logger)
    await sender.run(github)
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

/// Finds the route, asks the gatekeeper, answers, and records the exchange.
private struct Responder: HTTPResponder {
  let github: EmulatedGitHub
  let gatekeeper: Gatekeeper
  let logger: Logger

  private static let documentation = "https://docs.github.com/rest"

  func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
    let body = Data(buffer: try await request.body.collect(upTo: 32 << 20))
    let query = request.uri.queryParameters.map { (name: String($0.key), value: String($0.value)) }
    var call = Call(method: request.method.rawValue, path: request.uri.path, query: query, headers: request.headers, body: body)
    let answer = await answer(&call)
    return try await response(to: call, answer.conditional(on: call))
  }

  private func answer(_ call: inout Call) async -> Answer {
    // GitHub answers a trailing slash with 404.
    let segments = call.path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
      String($0).removingPercentEncoding ?? String($0)
    }
    var found: Route?
    for route in Route.all {
      guard let parameters = route.match(call.method, segments) else { continue }
      call.parameters = parameters
      found = route
      break
    }
    do {
      call.caller = try await gatekeeper.admit(call, to: found?.access, of: github)
      guard let found else { throw Refusal.notFound }
      return try await found.handle(call, github)
    } catch let refusal as Refusal {
      return .refusal(refusal, documentation: Self.documentation)
    } catch {
      logger.error("emulator failed", metadata: ["path": "\(call.path)", "error": "\(error)"])
      return .refusal(Refusal(500, "Server Error"), documentation: Self.documentation)
    }
  }

  private func response(to call: Call, _ answer: Answer) async throws -> Response {
    var headers = HTTPFields()
    let isGitHub = !call.path.hasPrefix("/_")
    var fields = answer.headers
    if isGitHub {
      let rate = Route.rate(call.path.hasSuffix("/generate-jitconfig") ? "actions_runner_registration" : "core", at: github.now())
      fields += [
        ("X-GitHub-Request-Id", UUID().uuidString), ("X-GitHub-Media-Type", "github.v3; format=json"),
        ("x-github-api-version-selected", call.header("X-GitHub-Api-Version") ?? "2022-11-28"),
        ("X-RateLimit-Limit", "\(rate["limit"].int ?? 0)"), ("X-RateLimit-Remaining", "\(rate["remaining"].int ?? 0)"),
        ("X-RateLimit-Used", "\(rate["used"].int ?? 0)"), ("X-RateLimit-Reset", "\(rate["reset"].int ?? 0)"),
        ("X-RateLimit-Resource", rate["resource"].string ?? "core"),
      ]
      fields += TokenHeaders.fields(for: call.caller, github.configuration)
    }
    var buffer = ByteBuffer()
    switch answer.body {
    case .none: break
    case .json(let value):
      fields.append(("Content-Type", "application/json; charset=utf-8"))
      buffer.writeBytes(try value.encoded())
    case .text(let text, let type):
      fields.append(("Content-Type", type))
      buffer.writeString(text)
    }
    for (name, value) in fields {
      if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
    }
    if isGitHub { await github.record(Self.exchange(call, answer, fields)) }
    return Response(status: .init(code: answer.status), headers: headers, body: .init(byteBuffer: buffer))
  }

  /// Request and answer, for judges. Credentials are left out.
  private static func exchange(_ call: Call, _ answer: Answer, _ fields: [(name: String, value: String)]) -> JSON {
    let request = call.headers.filter { $0.name != .authorization }.map { ($0.name.canonicalName, JSON.string($0.value)) }
    let response = fields.map { ($0.name.lowercased(), JSON.string($0.value)) }
    let body: JSON =
      switch answer.body {
      case .none: .null
      case .json(let value): value
      case .text(let text, _): .string(text)
      }
    return [
      "method": .string(call.method), "path": .string(call.path),
      "query": .object(Dictionary(call.query.map { ($0.name, .string($0.value)) }, uniquingKeysWith: { _, last in last })),
      "request_headers": .object(Dictionary(request, uniquingKeysWith: { _, last in last })),
      "request_body": call.body.isEmpty ? .null : (try? JSON(parsing: call.body)) ?? .string(String(decoding: call.body, as: UTF8.self)),
      "status": .int(Int64(answer.status)), "response_headers": .object(Dictionary(response, uniquingKeysWith: { _, last in last })),
      "response_body": body,
    ]
  }
}
