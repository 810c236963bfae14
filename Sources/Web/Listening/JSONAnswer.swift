import Foundation
import Hummingbird
import NIOCore

/// Answers in JSON, which no cache keeps.
enum JSONAnswer {
  /// `{"reason":…,"status":…}` and what else is given.
  static func status(_ code: HTTPResponse.Status, _ members: [String: String]) -> Response {
    encoded(members, status: code)
  }

  /// Any value, keys sorted, dates as ISO 8601. An unencodable value is a defect of ours and is answered 500.
  static func encoded(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
    do {
      return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: try data(value))))
    } catch {
      let body = ByteBuffer(string: #"{"reason":"the answer cannot be written as JSON","status":"error"}"#)
      return Response(status: .internalServerError, headers: headers, body: ResponseBody(byteBuffer: body))
    }
  }

  /// JSON that is written already.
  static func written(_ json: Data) -> Response {
    Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
  }

  /// The JSON of a value on one line.
  static func data(_ value: some Encodable) throws -> Data {
    let encoder = WireJSON.encoder
    return try encoder.encode(value)
  }

  private static let headers: HTTPFields = [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"]
}
