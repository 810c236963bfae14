import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import RunnerHub

/// The addresses of the administration listener: its own, which only read, and those of `routes`.
struct AdministrationResponder: HTTPResponder {
  /// Bytes of a log that one answer holds.
  static let logBytes = 1 << 20
  /// Rows on the page and in `/api/v1/status`.
  static let pageRows = 200

  let source: any StatusSource
  let metrics: PrometheusMetrics
  let page: StatusPage
  let hosts: HostRule
  let streams: EventStreams
  let routes: [APIRoute]
  /// Bodies of changes are small, but for bundles.
  private let bodies = BodyCollector(maximum: 64 << 10, total: 4 << 20)
  private let bundles = BodyCollector(maximum: 2 << 20, total: 8 << 20)
  /// What a body may take.
  private static let bodyTime: TimeAmount = .seconds(5)

  init(
    source: any StatusSource, metrics: PrometheusMetrics, page: StatusPage, hosts: HostRule, streams: EventStreams, routes: [APIRoute]
  ) {
    self.source = source
    self.metrics = metrics
    self.page = page
    self.hosts = hosts
    self.streams = streams
    self.routes = routes
  }

  func respond(to request: Request, context: WebContext) async throws -> Response {
    let change = request.method == .post ? route(.post, request) : nil
    var response = await checkedAnswer(to: request, change, context)
    // Only a change's body is read, and a refused one's may not have been.
    if request.announcesBody, change == nil || response.status.kind != .successful {
      response.headers[.connection] = "close"
      _ = context.channel.closeAfter(.seconds(1))
    }
    Self.protect(&response.headers)
    return request.method == .head ? response.createHeadResponse() : response
  }

  private func checkedAnswer(to request: Request, _ change: APIRoute?, _ context: WebContext) async -> Response {
    guard hosts.allows(request.head.authority) else {
      return refuse(.misdirectedRequest, "this listener is not known by the name in the header Host; add the name to its configuration")
    }
    let isRead = request.method == .get || request.method == .head
    if change == nil, !isRead || route(.post, request) != nil && route(.get, request) == nil {
      var response = refuse(.methodNotAllowed, isRead ? "only POST is understood here" : "only GET and HEAD are understood here")
      response.headers[.allow] = isRead ? "POST" : "GET, HEAD"
      return response
    }
    do {
      if let change { return try await answer(to: request, change, context) }
      return try await answer(to: request)
    } catch let refusal as APIRefusal {
      var response = refuse(HTTPResponse.Status(code: refusal.kind.rawValue), refusal.description)
      guard refusal.kind == .unavailable else { return response }
      context.logger.error("a change cannot be made", metadata: ["path": "\(request.uri.path)", "error": "\(refusal)"])
      response.headers[.retryAfter] = "5"
      return response
    } catch BodyCollector.Refusal.tooLarge {
      return refuse(.contentTooLarge, "a change is told in \((change?.bodyLimit ?? 0) >> 10) KiB at most")
    } catch BodyCollector.Refusal.busy {
      return refuse(.serviceUnavailable, "too many changes are being read; try again")
    } catch let error as StoreError {
      context.logger.error("a page cannot be answered from the store", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
      var response = refuse(.serviceUnavailable, "the store cannot be read now; see the log of RunnerHub")
      response.headers[.retryAfter] = "5"
      return response
    } catch {
      context.logger.error("a page cannot be answered", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
      return refuse(.internalServerError, "a defect of RunnerHub; see its log")
    }
  }

  private func route(_ method: APIRoute.Method, _ request: Request) -> APIRoute? {
    routes.first { $0.method == method && $0.wildcard(in: request.uri.path) != nil }
  }

  private func answer(to request: Request, _ route: APIRoute, _ context: WebContext) async throws -> Response {
    if let objection = WriteRule.objection(to: request, from: context.channel.remoteAddress) {
      return refuse(objection.status, objection.reason)
    }
    let deadline = context.channel.closeAfter(Self.bodyTime)
    let body: Data
    do {
      body = try await (route.bodyLimit > 64 << 10 ? bundles : bodies).withBody(of: request) { Data($0.readableBytesView) }
      deadline.cancel()
    } catch {
      deadline.cancel()
      throw error
    }
    return JSONAnswer.written(try await route.answer(Self.query(of: request, route), body))
  }

  private static func query(of request: Request, _ route: APIRoute? = nil) -> APIQuery {
    let parameters = request.uri.queryParameters
    return APIQuery(
      parameters: { name in parameters[name[...]].map(String.init) }, wildcard: route?.wildcard(in: request.uri.path) ?? "")
  }

  private func answer(to request: Request) async throws -> Response {
    if let route = route(.get, request) { return JSONAnswer.written(try await route.answer(Self.query(of: request, route), Data())) }
    let path = request.uri.path.split(separator: "/").map(String.init)
    switch path {
    case []: return try await page.response(source.overview(jobs: Self.pageRows))
    case ["livez"]: return JSONAnswer.status(.ok, ["status": "ok"])
    case ["readyz"]: return ready()
    case ["health"]: return await health()
    case ["metrics"]: return await exposition()
    case ["api", "v1", "status"]: return JSONAnswer.encoded(try await source.overview(jobs: limit(request, or: Self.pageRows)))
    case ["api", "v1", "jobs"]: return JSONAnswer.encoded(try await source.jobs(limit: limit(request)))
    case ["api", "v1", "containers"]: return JSONAnswer.encoded(try await source.containers(limit: limit(request)))
    case ["api", "v1", "deliveries"]: return JSONAnswer.encoded(try await source.deliveries(limit: limit(request)))
    case ["api", "v1", "events"]: return request.method == .head ? EventStreams.head : streams.open()
    case let path where path.count == 2 && path[0] == "jobs": return try await story(path[1])
    default:
      guard path.starts(with: ["api", "v1", "jobs"]), path.count == 4 || path.count == 5 && path[4] == "log" else {
        return refuse(.notFound, "there is nothing at this address")
      }
      return try await path.count == 4 ? job(path[3]) : log(path[3], request)
    }
  }

  private func ready() -> Response {
    source.isReady ? JSONAnswer.status(.ok, ["status": "ready"]) : refuse(.serviceUnavailable, "starting or draining", status: "not_ready")
  }

  /// Degraded is still 200: RunnerHub works, and a probe must not restart it.
  private func health() async -> Response {
    let health = await source.health()
    return JSONAnswer.encoded(health, status: health.status == .failing ? .serviceUnavailable : .ok)
  }

  /// The process's own metrics do not depend on the store, so they are there when it fails too.
  private func exposition() async -> Response {
    var text = metrics.render() + (ProcessMetrics.read()?.render() ?? "")
    do {
      text += ScrapeMetrics.render(try await source.overview(jobs: 1)) + ScrapeMetrics.scraped(true)
    } catch {
      text += ScrapeMetrics.scraped(false)
    }
    return Response(
      status: .ok, headers: [.contentType: PrometheusText.contentType], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  private func job(_ text: String) async throws -> Response {
    guard let story = try await source.job(try identifier(text)) else { return refuse(.notFound, "no job has this id") }
    return JSONAnswer.encoded(story)
  }

  /// The story of a job as plain text: where links in check runs lead to.
  private func story(_ text: String) async throws -> Response {
    guard let story = try await source.job(try identifier(text)) else { return refuse(.notFound, "no job has this id") }
    let headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"]
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: story.text + "\n")))
  }

  /// At most `logBytes` from the offset; the header `X-Next-Offset` says where to go on.
  private func log(_ text: String, _ request: Request) async throws -> Response {
    let offset = try Self.query(of: request).number("from") ?? 0
    guard offset >= 0 else { throw APIRefusal(.badRequest, "'from' must not be negative") }
    guard let bytes = try await source.log(of: try identifier(text), from: offset, limit: Self.logBytes) else {
      return refuse(.notFound, "no job has this id")
    }
    var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"]
    if let name = HTTPField.Name("X-Next-Offset") {
      let (next, overflows) = offset.addingReportingOverflow(Int64(bytes.count))
      headers[name] = "\(overflows ? offset : next)"
    }
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private func identifier(_ text: String) throws -> JobID {
    guard (1...64).contains(text.utf8.count), text.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isLetter || $0 == "." || $0 == "-") }),
      !text.contains("..")
    else { throw APIRefusal(.badRequest, "a job's id has 1 to 64 letters, digits, dots or dashes") }
    return JobID(rawValue: text)
  }

  private func limit(_ request: Request, or standard: Int = 100) throws -> Int {
    try Self.query(of: request).limit(standard: standard)
  }

  private func refuse(_ code: HTTPResponse.Status, _ reason: String, status: String = "refused") -> Response {
    JSONAnswer.status(code, ["status": status, "reason": reason])
  }

  /// No page of another origin may frame, read or guess the type of what is served here.
  private static func protect(_ headers: inout HTTPFields) {
    let fields = [
      ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
      ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"), ("Cache-Control", "no-store"),
      ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ]
    for (name, value) in fields {
      if let name = HTTPField.Name(name), headers[name] == nil { headers[name] = value }
    }
  }
}
