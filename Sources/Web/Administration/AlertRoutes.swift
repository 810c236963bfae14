package import RunnerHub

/// An alert, and what its notifiers were told.
package struct AlertDocument: Codable, Hashable, Sendable {
  package var alert: Alert
  /// Oldest first.
  package var notifications: [AlertNotification]

  package init(alert: Alert, notifications: [AlertNotification]) {
    self.alert = alert
    self.notifications = notifications
  }
}

/// Alerts for people and programs.
package enum AlertRoutes {
  package static func routes(alerts: any AlertReader) -> [APIRoute] {
    [
      // The open ones; with `all=true` also those that are over, the newest first.
      .get("/api/v1/alerts") { query in
        let limit = try query.limit()
        let isAll = query.text("all") == "true"
        let found = try await isAll ? alerts.recentAlerts(limit: limit) : Array(alerts.openAlerts().prefix(limit))
        var documents: [AlertDocument] = []
        for alert in found {
          documents.append(AlertDocument(alert: alert, notifications: try await alerts.notifications(ofAlert: alert.id)))
        }
        return documents
      }
    ]
  }
}
