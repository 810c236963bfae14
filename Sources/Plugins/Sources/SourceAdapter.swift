package import Foundation
package import Logging
package import RunnerHub
internal import Synchronization

/// The plugins of kind `source`: each is a forge among the others while it is there, and what it or its webhooks tell goes into the inbox.
package final class SourceAdapter: PluginAdapter, SourceWebhooks {
  private let forge: ForgeRoster
  private let inbox: any RunnerHub.Inbox
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let wake: @Sendable () -> Void
  private let connections = Mutex([String: any PluginConnection]())
  /// What a platform waits for the answer to a webhook is often 10 s.
  private static let deliveryLimit: Duration = .seconds(8)

  /// - Parameter wake: called after jobs were stored; must return at once.
  package init(
    forge: ForgeRoster, inbox: any RunnerHub.Inbox, logger: Logger, now: @escaping @Sendable () -> Date = { Date() },
    wake: @escaping @Sendable () -> Void
  ) {
    self.forge = forge
    self.inbox = inbox
    self.logger = logger
    self.now = now
    self.wake = wake
  }

  // MARK: PluginAdapter

  package var kind: PluginKind { .source }

  package func service(for plugin: PluginManifest) -> any PluginService {
    SourceService(inbox: inbox, mayHandInJobs: plugin.abilities.contains(.jobs), logger: logger, now: now, wake: wake)
  }

  package func started(_ plugin: RunningPlugin) async {
    let name = plugin.manifest.name
    connections.withLock { $0[name] = plugin.connection }
    forge.add(PluginForge(connection: plugin.connection, logger: logger, now: now), as: name)
  }

  /// Its connection says so to whoever calls: its jobs wait.
  package func interrupted(_ name: String, reason: String) async {}

  package func removed(_ name: String) async {
    connections.withLock { _ = $0.removeValue(forKey: name) }
    forge.remove(name)
  }

  // MARK: SourceWebhooks

  package func deliveries(of message: SourceMessage, to source: String) async throws(SourceMessageRefusal) -> [Delivery] {
    guard let connection = connections.withLock({ $0[source] }) else { throw .unknownSource }
    guard let body = String(data: message.body, encoding: .utf8) else { throw .malformed("the body is not UTF-8 text") }
    let result: SourceDeliveryResult
    do throws(PluginError) {
      result = try await connection.call(
        "source/delivery", SourceDeliveryParameters(headers: message.headers, body: body), limit: Self.deliveryLimit)
    } catch {
      switch error {
      case .refused(.invalid, let why): throw .malformed(why)
      case .refused(.forbidden, let why): throw .notAccepted(why)
      default: throw .unavailable(error.description)
      }
    }
    guard result.accepted else { throw .notAccepted(result.reason ?? "the source does not accept it") }
    let (deliveries, faults) =
      result.jobs?.mapped { job throws(SourceJobFault) in try job.delivery(from: source, at: message.receivedAt) } ?? ([], [])
    if let first = faults.first {
      logger.warning("a source's webhook tells of jobs that cannot be", metadata: ["source": "\(source)", "first": "\(first.reason)"])
    }
    return deliveries
  }
}
