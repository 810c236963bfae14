import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOFoundationCompat

/// The context of a request, with the connection that it came on: a fault may cut it.
struct Connection: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

/// Finds the route, asks the gatekeeper, counts, answers or does what the faults say, and records the exchange.
struct Responder: HTTPResponder {
  let github: EmulatedGitHub
  let gatekeeper: Gatekeeper
  let logger: Logger

  private static let documentation = "https://docs.github.com/rest"

  /// The connection was cut on purpose: whatever is thrown after that reaches nobody.
  private struct Cut: Error {}

  func respond(to request: Request, context: Connection) async throws -> Response {
    let body = Data(buffer: try await request.body.collect(upTo: 32 << 20))
    let query = request.uri.queryParameters.map { (name: String($0.key), value: String($0.value)) }
    var call = Call(method: request.method.rawValue, path: request.uri.path, query: query, headers: request.headers, body: body)
    do {
      let answer = try await answer(&call)
      return try await response(to: call, answer)
    } catch let cut as Cut {
      try await context.channel.close()
      throw cut
    }
  }

  /// - Throws: `Cut` alone.
  private func answer(_ call: inout Call) async throws -> Answer {
    let what = "\(call.method) \(call.path)"
    if !call.path.hasPrefix("/_emulator"), await github.isUnreachable {
      await github.strike(.unreachable, what)
      throw Cut()
    }
    guard call.isGitHub else { return await served(&call) }
    let broken = Answer.refusal(Refusal(502, "Server Error"), documentation: Self.documentation)
    switch await github.fate(ofRequest: call.method, path: call.path) {
    case nil: return await served(&call)
    case .failBefore(let status): return broken.with(status: status)
    case .failAfter(let status):
      _ = await served(&call)
      return broken.with(status: status)
    case .cutBefore: throw Cut()
    case .cutAfter:
      _ = await served(&call)
      throw Cut()
    }
  }

  private func served(_ call: inout Call) async -> Answer {
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
      if call.isGitHub, call.path != "/rate_limit" {
        try await github.spend(call.charge, by: call.caller, what: "\(call.method) \(call.path)")
      }
      guard let found else { throw Refusal.notFound }
      return try await found.handle(call, github)
    } catch let refusal as Refusal {
      return .refusal(refusal, documentation: Self.documentation)
    } catch {
      logger.error("emulator failed", metadata: ["path": "\(call.path)", "error": "\(error)"])
      return .refusal(Refusal(500, "Server Error"), documentation: Self.documentation)
    }
  }

  private func response(to call: Call, _ given: Answer) async throws -> Response {
    var answer = given
    var fields = answer.headers
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
    if call.isGitHub {
      if let tag = Self.entityTag(call, answer, buffer) {
        fields.append(("ETag", tag))
        if call.header("If-None-Match") == tag {
          await github.refund(call.charge, by: call.caller)
          answer = .empty(304)
          buffer.clear()
        }
      }
      fields += await standing(of: call)
    }
    var headers = HTTPFields()
    for (name, value) in fields {
      if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
    }
    if call.isGitHub { await github.record(Self.exchange(call, answer, fields)) }
    return Response(status: .init(code: answer.status), headers: headers, body: .init(byteBuffer: buffer))
  }

  /// The headers of every answer: the version, and how the caller stands with its limits.
  private func standing(of call: Call) async -> [(name: String, value: String)] {
    let standing = await github.standing(call.charge.resource, of: call.caller)
    return [
      ("X-GitHub-Request-Id", UUID().uuidString), ("X-GitHub-Media-Type", "github.v3; format=json"),
      ("x-github-api-version-selected", call.header("X-GitHub-Api-Version") ?? "2022-11-28"),
      ("X-RateLimit-Limit", "\(standing.limit)"), ("X-RateLimit-Remaining", "\(standing.remaining)"),
      ("X-RateLimit-Used", "\(standing.used)"), ("X-RateLimit-Reset", "\(standing.reset)"),
      ("X-RateLimit-Resource", call.charge.resource.rawValue),
    ] + TokenHeaders.fields(for: call.caller, github.configuration)
  }

  /// What a reader may show again in `If-None-Match`: 304 then costs nothing of the primary limit.
  private static func entityTag(_ call: Call, _ answer: Answer, _ body: ByteBuffer) -> String? {
    guard call.method == "GET", answer.status == 200, body.readableBytes > 0 else { return nil }
    return "W/\"" + SHA256.hash(data: Data(buffer: body)).hexadecimal + "\""
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
