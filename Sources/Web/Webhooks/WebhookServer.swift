import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import RunnerHub
import ServiceLifecycle

/// Where and how a listener listens.
package struct ListenerOptions: Sendable {
  package var host: String
  /// 0: chosen by the system and told to `onServerRunning`.
  package var port: Int
  /// Connections that may be open at the same time; more wait in the system's queue.
  package var maximumConnections = 1024
  /// Silence after which a connection is closed while a request is awaited or being read.
  package var idleTime: Duration = .seconds(15)
  /// Told once, with the bound port.
  package var onServerRunning: @Sendable (_ port: Int) async -> Void

  package init(host: String, port: Int, onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }) {
    self.host = host
    self.port = port
    self.onServerRunning = onServerRunning
  }

  /// An application of this listener.
  func application<Responder: HTTPResponder>(_ responder: Responder, logger: Logger) -> Application<Responder>
  where Responder.Context == WebContext {
    let onServerRunning = onServerRunning
    return Application(
      responder: responder,
      server: .http1(configuration: .init(idleTimeout: TimeAmount(idleTime))),
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), serverName: "RunnerHub",
        availableConnectionsDelegate: MaximumAvailableConnections(maximumConnections, logger: logger)),
      onServerRunning: { channel in await onServerRunning(channel.localAddress?.port ?? 0) },
      logger: logger)
  }
}

/// The listener for GitHub, other CI platforms and machines of clouds: `POST /webhooks/github`, `POST /webhooks/plugins/NAME`, `GET /livez`, and where
/// a pool's machines call for their jobs `/api/v1/metadata/…` and `/api/v1/callbacks/…`. Nothing else.
package struct WebhookServer: Service {
  private let handler: OrchestratorWebhookHandler
  private let sources: SourceWebhookHandler?
  private let machines: (any MachineDesk)?
  private let options: ListenerOptions
  private let logger: Logger

  /// - Parameters:
  ///   - sources: nil: there are no other platforms.
  ///   - machines: who answers machines; nil where no pool has any.
  package init(
    handler: OrchestratorWebhookHandler, sources: SourceWebhookHandler? = nil, machines: (any MachineDesk)? = nil,
    options: ListenerOptions, logger: Logger
  ) {
    self.handler = handler
    self.sources = sources
    self.machines = machines
    self.options = options
    self.logger = logger
  }

  /// Serves until shutdown; requests under way are answered first.
  package func run() async throws {
    let responder = WebhookResponder(handler: handler, sources: sources, machines: machines.map(MachineResponder.init))
    try await options.application(responder, logger: logger).run()
  }
}

/// So few addresses need no router, and every answer of its own is JSON.
private struct WebhookResponder: HTTPResponder {
  let handler: OrchestratorWebhookHandler
  let sources: SourceWebhookHandler?
  let machines: MachineResponder?

  func respond(to request: Request, context: WebContext) async throws -> Response {
    switch (request.uri.path, request.method) {
    case ("/webhooks/github", .post): return await handler.respond(to: request, context: context)
    case ("/webhooks/github", _): return refuse(.methodNotAllowed, "only POST is understood here", request, context)
    case (let path, let method) where path.hasPrefix(SourceWebhookHandler.prefix) && sources != nil:
      guard let sources, method == .post else { return refuse(.methodNotAllowed, "only POST is understood here", request, context) }
      return await sources.respond(to: request, context: context)
    case ("/livez", .get), ("/livez", .head): return JSONAnswer.status(.ok, ["status": "ok"])
    default:
      if let response = await machines?.respond(to: request, context: context) { return response }
      return refuse(.notFound, "there is nothing at this address", request, context)
    }
  }

  private func refuse(_ status: HTTPResponse.Status, _ reason: String, _ request: Request, _ context: WebContext) -> Response {
    var response = JSONAnswer.status(status, ["status": "refused", "reason": reason])
    if status == .methodNotAllowed { response.headers[.allow] = "POST" }
    if request.announcesBody {
      response.headers[.connection] = "close"
      _ = context.channel.closeAfter(.seconds(1))
    }
    return response
  }
}
