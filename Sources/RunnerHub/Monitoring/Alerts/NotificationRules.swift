package import Foundation
import Scheduling

/// What becomes of a notification. Pure.
package enum NotificationRules {
  /// Up to 5 s after the first failure, doubling to a quarter of an hour: given up after about seven hours.
  static let retry = Retry(maximumTries: 60, base: 5, cap: 900)
  /// Seconds that a notifier may ask to be left alone at most.
  static let longestSilence: TimeInterval = 3600

  /// - Parameters:
  ///   - failure: nil: it arrived.
  ///   - random: 0..<1, for the jitter.
  /// - Returns: it as it is to be stored.
  package static func settled(
    _ notification: AlertNotification, _ failure: NotifierFailure?, at now: Date, random: Double
  ) -> AlertNotification {
    var settled = notification
    settled.dueAt = now
    guard let failure else {
      settled.status = .delivered
      settled.failure = nil
      return settled
    }
    settled.tries += 1
    settled.failure = failure.description
    guard case .unavailable(_, let silence) = failure, let next = retry.next(afterFailures: settled.tries, now: now, random: random) else {
      settled.status = .givenUp
      return settled
    }
    settled.dueAt = max(next, now.addingTimeInterval(min(max(0, silence ?? 0), longestSilence)))
    return settled
  }

  /// What to try now: of each notifier that is not busy the first that is due; and when to look again at the latest.
  package static func next(
    of pending: [(notification: AlertNotification, alert: Alert)], busy: Set<String>, at now: Date
  ) -> (due: [(notification: AlertNotification, alert: Alert)], wake: Date?) {
    var seen = busy
    var due: [(notification: AlertNotification, alert: Alert)] = []
    var wake: Date?
    for entry in pending where seen.insert(entry.notification.notifier).inserted {
      if entry.notification.dueAt <= now {
        due.append(entry)
      } else {
        wake = min(wake ?? entry.notification.dueAt, entry.notification.dueAt)
      }
    }
    return (due, wake)
  }
}
