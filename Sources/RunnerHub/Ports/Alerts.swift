package import Foundation

/// What is told of an alert.
package enum AlertMoment: String, Hashable, Sendable, Codable, CaseIterable { case raised, resolved }

/// One telling of an alert to one notifier: owed from the commit that raised or resolved it, and kept with what became of it.
package struct AlertNotification: Hashable, Sendable, Codable, Identifiable {
  package enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    case pending, delivered
    case givenUp = "given-up"
  }
  /// Set by the store, rises; 0: not stored yet.
  package var id: Int64
  package var alertID: String
  package var moment: AlertMoment
  /// Name of the notifier.
  package var notifier: String
  package var status: Status
  /// Pending: not to be tried before. Otherwise when it was settled.
  package var dueAt: Date
  /// Failed tries so far.
  package var tries: Int
  /// What the last failed try met with.
  package var failure: String?

  package init(
    id: Int64 = 0, alertID: String, moment: AlertMoment, notifier: String, status: Status = .pending, dueAt: Date, tries: Int = 0,
    failure: String? = nil
  ) {
    self.id = id
    self.alertID = alertID
    self.moment = moment
    self.notifier = notifier
    self.status = status
    self.dueAt = dueAt
    self.tries = tries
    self.failure = failure
  }
}

/// Alerts, and what their notifiers were told.
package protocol AlertReader: Sendable {
  /// Those that are not resolved, oldest first.
  func openAlerts() async throws(StoreError) -> [Alert]
  /// Open and resolved ones, the newest first.
  func recentAlerts(limit: Int) async throws(StoreError) -> [Alert]
  /// Oldest first.
  func notifications(ofAlert id: String) async throws(StoreError) -> [AlertNotification]
  /// Of each notifier the pending ones that are due first, with their alerts, by due time. One is left out while an earlier one of the same alert
  /// to the same notifier is pending, so that nobody hears of an end before the beginning.
  /// - Parameter limit: of each notifier.
  func pendingNotifications(limit: Int) async throws(StoreError) -> [(notification: AlertNotification, alert: Alert)]
}

/// What is kept of alerts that are over.
package protocol AlertLog: Sendable {
  /// Removes alerts that ended before a time, and what their notifiers were told, those that began first; one of which a notifier is still to be told
  /// stays. In one commit.
  /// - Parameter limit: of alerts.
  /// - Returns: how many alerts.
  func forgetAlerts(endedBefore time: Date, limit: Int) async throws(StoreError) -> Int
}

/// Tells people of alerts.
package protocol Notifier: Sendable {
  /// At least once for each alert and moment; `alert.id` and `moment` tell a repetition.
  /// - Parameter url: where more is to be read.
  func notify(_ moment: AlertMoment, of alert: Alert, url: String?) async throws(NotifierFailure)
}

/// Why a notifier did not take an alert.
package enum NotifierFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// Not now; not before `after` seconds, where it said so.
  case unavailable(String, after: TimeInterval?)
  /// It will never take this one.
  case refused(String)

  package var description: String {
    switch self {
    case .unavailable(let why, _), .refused(let why): why
    }
  }
}

/// The notifiers that are configured now, whether they run or not.
package protocol NotifierRoster: Sendable {
  var notifiers: [String: any Notifier] { get }
}

/// Nobody is told.
package struct NoNotifiers: NotifierRoster {
  package init() {}
  package var notifiers: [String: any Notifier] { [:] }
}
