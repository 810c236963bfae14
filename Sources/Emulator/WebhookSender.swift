import AsyncHTTPClient
import Crypto
import Foundation
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Sends deliveries as GitHub does: signed, with 10 seconds for an answer, never a second time by itself.
struct WebhookSender: Sendable {
  let webhook: EmulatorConfiguration.Webhook
  let organisation: String
  let concurrent: Int
  let client: HTTPClient
  let logger: Logger

  /// The first hook's identity, in `X-GitHub-Hook-ID`.
  static let hookID = 41_177_210

  /// Sends until the stream of deliveries ends.
  func run(_ github: EmulatedGitHub) async {
    await withTaskGroup(of: Void.self) { group in
      var underWay = 0
      for await delivery in github.pendingDeliveries {
        if underWay >= max(concurrent, 1) {
          await group.next()
          underWay -= 1
        }
        group.addTask { await send(delivery, github) }
        underWay += 1
      }
    }
  }

  private func send(_ delivery: Delivery, _ github: EmulatedGitHub) async {
    let start = ContinuousClock.now
    var code = 0
    var status: String
    do {
      let response = try await client.execute(try request(for: delivery), timeout: .seconds(10))
      code = Int(response.status.code)
      status = (200..<400).contains(code) ? "OK" : response.status.reasonPhrase
      for try await _ in response.body {}
    } catch {
      status = error is HTTPClientError && "\(error)".contains("imeout") ? "timed out" : "failed to connect to host"
      logger.warning("delivery not answered", metadata: ["guid": "\(delivery.guid)", "event": "\(delivery.event)", "error": "\(error)"])
    }
    await github.delivered(delivery.id, statusCode: code, status: status, duration: (ContinuousClock.now - start).seconds)
  }

  private func request(for delivery: Delivery) throws -> HTTPClientRequest {
    let body = try delivery.body.encoded()
    let key = SymmetricKey(data: Data(webhook.secret.utf8))
    var request = HTTPClientRequest(url: webhook.url)
    request.method = .POST
    request.headers = [
      "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/e3a1f2b", "Accept": "*/*", "X-GitHub-Event": delivery.event,
      "X-GitHub-Delivery": delivery.guid, "X-GitHub-Hook-ID": "\(delivery.hookID)",
      "X-GitHub-Hook-Installation-Target-Type": "organization",
      "X-GitHub-Hook-Installation-Target-ID": "\(Shapes.identifier(of: organisation))",
      "X-Hub-Signature": "sha1=" + HMAC<Insecure.SHA1>.authenticationCode(for: body, using: key).hexadecimal,
      "X-Hub-Signature-256": "sha256=" + HMAC<SHA256>.authenticationCode(for: body, using: key).hexadecimal,
    ]
    request.body = .bytes(ByteBuffer(data: body))
    return request
  }
}
