import Crypto
import Foundation
import Logging
import RunnerHub
import Synchronization

@testable import Web

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// An inbox in memory that can be made to fail.
actor MemoryInbox: Inbox {
  private(set) var deliveries: [Delivery] = []
  private var failure: StoreError?

  func fail(with error: StoreError?) { failure = error }

  func append(_ delivery: Delivery) async throws(StoreError) -> DeliveryReceipt {
    if let failure { throw failure }
    if deliveries.contains(where: { $0.guid == delivery.guid && $0.hookID == delivery.hookID }) { return .duplicate }
    if let transition = delivery.transition, deliveries.contains(where: { $0.transition == transition }) { return .repeated }
    deliveries.append(delivery)
    return .stored
  }
  private var stored: [StoredDelivery] {
    deliveries.enumerated().map { StoredDelivery(id: Int64($0.offset + 1), delivery: $0.element, status: .pending) }
  }
  func pendingDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] { Array(stored.prefix(limit)) }
  func recentDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] { stored.reversed().prefix(limit).map(\.self) }
  func deliveryCounts() async throws(StoreError) -> [DeliveryStatus: Int] { [.pending: deliveries.count] }
}

/// A webhook listener over an inbox in memory.
struct WebhookFixture: Sendable {
  static let secret = "It's a Secret to Everybody"
  let inbox = MemoryInbox()
  let metrics = PrometheusMetrics()
  let wakes = Wakes()
  var limits = OrchestratorWebhookHandler.Limits()
  var idleTime: Duration = .seconds(5)

  final class Wakes: Sendable {
    private let number = Mutex(0)
    var count: Int { number.withLock { $0 } }
    func ring() { number.withLock { $0 += 1 } }
  }

  func run(_ work: @escaping @Sendable (LoopbackClient) async throws -> Void) async throws {
    try await withServer(
      { onServerRunning in
        let handler = OrchestratorWebhookHandler(
          secrets: try WebhookSecrets(["older", Self.secret]), inbox: inbox, limits: limits, metrics: metrics, logger: quiet,
          wake: { wakes.ring() })
        var options = ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning)
        options.idleTime = idleTime
        return WebhookServer(handler: handler, options: options, logger: quiet)
      }, work)
  }

  static func signature(_ body: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Data(body.utf8), using: SymmetricKey(data: Data(secret.utf8)))
    return "sha256=" + code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// Headers as GitHub sends them, with changes; a nil value takes one away.
  static func headers(for body: String, _ changes: [String: String?] = [:]) -> [String: String] {
    var headers = [
      "Content-Type": "application/json", "X-GitHub-Event": "workflow_job", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      "X-GitHub-Hook-ID": "292430182", "X-GitHub-Hook-Installation-Target-Type": "repository",
      "X-GitHub-Hook-Installation-Target-ID": "79929171",
      "X-Hub-Signature-256": signature(body),
    ]
    for (name, value) in changes { headers[name] = value }
    return headers
  }
}
