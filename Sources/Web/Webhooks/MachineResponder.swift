import Foundation
import Hummingbird
import HTTPTypes
import Logging
import NIOCore
import RunnerHub

/// The addresses for machines that a cloud made: `/api/v1/metadata/…` is read, `/api/v1/callbacks/…` is posted. It bounds what they cost; who may
/// know what, the desk decides.
struct MachineResponder: Sendable {
  private let desk: any MachineDesk
  private let bodies = BodyCollector(maximum: 1 << 20, total: 64 << 20)
  /// Time for a body.
  private static let bodyTime: TimeAmount = .seconds(20)

  init(desk: any MachineDesk) { self.desk = desk }

  /// - Returns: nil where the address is not one for machines.
  func respond(to request: Request, context: WebContext) async -> Response? {
    guard let (counter, path) = Self.place(request.uri.path) else { return nil }
    let isRead = request.method == .get || request.method == .head
    guard isRead || request.method == .post else { return refuse(405, "method not allowed", "GET or POST", request, context) }
    // Before a body is read: nobody without a token has anything to say.
    guard let token = Self.token(request) else {
      return refuse(401, "unauthorized", "expected Authorization: Bearer with the token of a machine", request, context)
    }
    let query = Dictionary(
      request.uri.queryParameters.map { (String($0.key), String($0.value)) }, uniquingKeysWith: { first, _ in first })
    guard !isRead else {
      return Self.response(
        await desk.answer(MachineRequest(counter: counter, isChange: false, path: path, query: query, token: token)))
    }
    let deadline = context.channel.closeAfter(Self.bodyTime)
    defer { deadline.cancel() }
    do {
      return Self.response(
        try await bodies.withBody(of: request) { body in
          let body = Data(body.readableBytesView)
          return await desk.answer(
            MachineRequest(counter: counter, isChange: true, path: path, query: query, token: token, body: body))
        })
    } catch BodyCollector.Refusal.tooLarge {
      return refuse(413, "too large", "a body has 1 MiB at most", request, context)
    } catch BodyCollector.Refusal.busy {
      return refuse(503, "unavailable", "too many bodies are being read; try again", request, context)
    } catch {
      context.logger.debug("a machine's body was not received whole", metadata: ["error": "\(error)"])
      return refuse(400, "bad request", "the body was not received whole", request, context)
    }
  }

  /// Each address also with a slash at its end.
  private static func place(_ path: String) -> (MachineRequest.Counter, String)? {
    for (prefix, counter) in [("/api/v1/metadata/", MachineRequest.Counter.metadata), ("/api/v1/callbacks/", .callbacks)]
    where path.hasPrefix(prefix) && path.utf8.count <= 256 {
      var rest = path.dropFirst(prefix.count)
      if rest.hasSuffix("/") { rest.removeLast() }
      return (counter, String(rest))
    }
    return nil
  }

  private static func token(_ request: Request) -> String? {
    guard let value = request.headers[.authorization], value.utf8.count <= 4096 else { return nil }
    let words = value.split(separator: " ", maxSplits: 1)
    return words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
  }

  private static func response(_ answer: MachineAnswer) -> Response {
    var headers: HTTPFields = [.contentType: answer.type, .cacheControl: "no-store"]
    if let name = HTTPField.Name("X-Content-Type-Options") { headers[name] = "nosniff" }
    if let seconds = answer.retryAfter { headers[.retryAfter] = "\(seconds)" }
    return Response(
      status: HTTPResponse.Status(code: answer.status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
  }

  /// Words of ours only; a body that nobody reads does not hold the connection.
  private func refuse(_ status: Int, _ error: String, _ details: String, _ request: Request, _ context: WebContext) -> Response {
    var response = JSONAnswer.status(HTTPResponse.Status(code: status), ["error": error, "details": details])
    if status == 405 { response.headers[.allow] = "GET, HEAD, POST" }
    if status == 503 { response.headers[.retryAfter] = "5" }
    if request.announcesBody {
      response.headers[.connection] = "close"
      _ = context.channel.closeAfter(.seconds(1))
    }
    return response
  }
}
