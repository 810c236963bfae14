internal import Domain
package import Foundation
package import RunnerHub

/// Plugins that failed too often and are not started again.
package struct PluginAlerts: AlertSource {
  private let statuses: @Sendable () -> [PluginStatus]

  package init(statuses: @escaping @Sendable () -> [PluginStatus]) { self.statuses = statuses }

  package func alerts(at now: Date) async throws(StoreError) -> AlertReading {
    let statuses = statuses()
    let conditions = statuses.filter { $0.state == .quarantined }.map { status in
      AlertCondition(
        key: Self.key(status), severity: .critical, title: "The plugin \(status.name) is not started again",
        text: (status.reason ?? "it failed too often") + "; see `runnerhub plugin logs \(status.name)`")
    }
    // Whether one that is being started will stay is not known yet.
    let unknown = statuses.filter { $0.state == .starting || $0.state == .backingOff }.map(Self.key)
    return AlertReading(scope: "plugin/", conditions: conditions, unknown: Set(unknown))
  }

  private static func key(_ status: PluginStatus) -> String { "plugin/\(status.name)" }
}
