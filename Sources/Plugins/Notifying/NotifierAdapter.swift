import Foundation
package import RunnerHub
import Synchronization

/// Plugins of kind `notifier` as the notifiers of the core.
package final class NotifierAdapter: PluginAdapter, NotifierRoster {
  private let plugins: Mutex<[String: PluginNotifier]>

  /// - Parameter configured: names of the notifiers that are configured: alerts are owed to them although they may not run yet.
  package init(configured: [String] = []) {
    plugins = Mutex(Dictionary(configured.map { ($0, PluginNotifier(connection: nil)) }, uniquingKeysWith: { first, _ in first }))
  }

  package var kind: PluginKind { .notifier }
  package var notifiers: [String: any Notifier] { plugins.withLock { $0.mapValues { $0 as any Notifier } } }

  package func service(for plugin: PluginManifest) -> any PluginService {
    plugins.withLock { if $0[plugin.name] == nil { $0[plugin.name] = PluginNotifier(connection: nil) } }
    return NoPluginRequests()
  }

  package func started(_ plugin: RunningPlugin) async {
    plugins.withLock { $0[plugin.manifest.name] = PluginNotifier(connection: plugin.connection) }
  }

  /// Its connection says so itself.
  package func interrupted(_ name: String, reason: String) async {}

  package func removed(_ name: String) async { plugins.withLock { _ = $0.removeValue(forKey: name) } }
}

/// One plugin that tells people of alerts.
package struct PluginNotifier: Notifier {
  /// nil: it has not run yet.
  let connection: (any PluginConnection)?
  /// Longer than an SMTP server that greets slowly takes.
  private static let limit: Duration = .seconds(60)

  package init(connection: (any PluginConnection)?) { self.connection = connection }

  package func notify(_ moment: AlertMoment, of alert: Alert, url: String?) async throws(NotifierFailure) {
    guard let connection else { throw .unavailable("the plugin has not been started yet", after: nil) }
    do throws(PluginError) {
      let _: PluginNothing = try await connection.call(
        "notifier/notify", NotifyParameters(event: moment, alert: alert, url: url), limit: Self.limit)
    } catch {
      throw Self.failure(of: error)
    }
  }

  /// An answer that will be the same again ends the tries; whatever may pass does not.
  static func failure(of error: PluginError) -> NotifierFailure {
    switch error {
    case .throttled(_, let after): .unavailable(error.description, after: after.map { Double($0.components.seconds) })
    // What is forbidden somebody may allow: a password that is being changed.
    case .refused(.unavailable, _), .refused(.forbidden, _), .refused(.cancelled, _), .notRunning, .timedOut, .malformed:
      .unavailable(error.description, after: nil)
    case .refused: .refused(error.description)
    }
  }
}

/// `notifier/notify`
package struct NotifyParameters: Hashable, Sendable, Codable {
  package var event: AlertMoment
  package var alert: Alert
  package var url: String?
}
