import AsyncHTTPClient
import Emulator
import Foundation
import GitHub
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Asks GitHub by itself: a judge of RunnerHub's client does not use it. It hides nothing: every answer is given as it came.
struct VerifyClient: Sendable {
  struct Answer: Sendable {
    var call: String
    var status: Int
    var headers: HTTPHeaders
    var body: Data
    var took: Duration

    /// Null where the body is none.
    var json: JSON { (try? JSON(parsing: body)) ?? .null }
    /// GitHub's own words of a refusal.
    var message: String { json["message"].string.map { String($0.prefix(300)) } ?? "" }
    var seen: String { "\(call) → \(status)\(status < 400 || message.isEmpty ? "" : " “\(message)”") in \(Checklist.text(took))" }
    func header(_ name: String) -> String? { headers.first(name: name) }

    /// This answer, where it has one of the statuses.
    /// - Parameter right: what the token must be allowed for that.
    func expecting(_ statuses: Int..., right: TokenRight?) throws(VerifyFailure) -> Answer {
      if statuses.contains(status) { return self }
      throw VerifyFailure(seen: seen, advice: TokenAdvice.text(on: self, needing: right))
    }
  }

  let base: String
  private let token: String
  private let http: HTTPClient
  private static let maximumRedirects = 5

  init(base: String, token: String, http: HTTPClient) {
    self.base = base
    self.token = token
    self.http = http
  }

  /// - Parameters:
  ///   - path: with its query, below the API's address.
  ///   - etag: of an answer that is known; GitHub answers 304 then, at no cost, if nothing has changed.
  /// - Throws: `VerifyFailure` where no answer came.
  func send(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil, etag: String? = nil) async throws -> Answer {
    let start = ContinuousClock.now
    let call = "\(method.rawValue) \(path.prefix { $0 != "?" })"
    var address = base + path
    for _ in 0...Self.maximumRedirects {
      let response: HTTPClientResponse
      let data: Data
      do {
        response = try await http.execute(try request(method, address, body, etag: etag), timeout: .seconds(30))
        data = Data(buffer: try await response.body.collect(upTo: 32 << 20))
      } catch {
        if Task.isCancelled { throw CancellationError() }
        throw VerifyFailure(
          seen: "\(call) got no answer: \(error)", advice: "is \(base) the address of GitHub's API, and does this machine reach it?")
      }
      let status = Int(response.status.code)
      if method == .GET, [301, 302, 307, 308].contains(status), let place = response.headers.first(name: "location"),
        let next = URL(string: place, relativeTo: URL(string: address))
      {
        address = next.absoluteString
        continue
      }
      return Answer(call: call, status: status, headers: response.headers, body: data, took: ContinuousClock.now - start)
    }
    throw VerifyFailure(seen: "\(call) was redirected more than \(Self.maximumRedirects) times", advice: nil)
  }

  private func request(_ method: HTTPMethod, _ address: String, _ body: JSON?, etag: String?) throws -> HTTPClientRequest {
    var request = HTTPClientRequest(url: address)
    request.method = method
    request.headers.add(name: "User-Agent", value: "RunnerHub-verify")
    request.headers.add(name: "Accept", value: "application/vnd.github+json")
    request.headers.add(name: "X-GitHub-Api-Version", value: "2022-11-28")
    if let etag { request.headers.add(name: "If-None-Match", value: etag) }
    // Logs are redirected to other hosts, which must not see the token.
    if address.hasPrefix(base + "/") { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(data: try body.encoded()))
    }
    return request
  }
}
