package import Foundation
package import Logging
import Synchronization

/// Brings notifications to their notifiers: one at a time to each, all side by side, again and again until each arrived or is given up.
package struct NotificationCourier: Sendable {
  private let store: any Store
  private let roster: any NotifierRoster
  private let wakeUp: WakeUp
  private let link: @Sendable (Alert) -> String?
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let random: @Sendable () -> Double
  /// Seconds between two looks where nothing calls for one: for a clock that was set, and after a failure of the store.
  private static let patience: TimeInterval = 30

  /// - Parameter link: where more of an alert is to be read.
  package init(
    store: any Store, roster: any NotifierRoster, wakeUp: WakeUp, link: @escaping @Sendable (Alert) -> String? = { _ in nil },
    logger: Logger, now: @escaping @Sendable () -> Date = { Date() },
    random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
  ) {
    self.store = store
    self.roster = roster
    self.wakeUp = wakeUp
    self.link = link
    self.logger = logger
    self.now = now
    self.random = random
  }

  /// Delivers until cancelled.
  package func run() async throws {
    let busy = Shared(Set<String>())
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        var wake = now().addingTimeInterval(Self.patience)
        do {
          let found = try await due(busy: busy.withLock { $0 })
          for entry in found.due where busy.withLock({ $0.insert(entry.notification.notifier).inserted }) {
            group.addTask {
              // Sent and not remembered: without a pause it would be sent again and again, as fast as it goes.
              if await !deliver(entry.notification, of: entry.alert) { await Self.pause() }
              busy.withLock { _ = $0.remove(entry.notification.notifier) }
              wakeUp.notify()
            }
          }
          wake = min(wake, found.wake ?? wake)
        } catch {
          logger.error("notifications cannot be read", metadata: ["error": "\(error)"])
        }
        await wakeUp.wait(until: wake)
      }
      group.cancelAll()
    }
  }

  /// Returns early when the task is cancelled.
  private static func pause() async {
    do { try await Task.sleep(for: .seconds(patience)) } catch { return }
  }

  /// One try of each that is due, one after the other.
  package func turn() async throws(StoreError) {
    for entry in try await due(busy: []).due { await deliver(entry.notification, of: entry.alert) }
  }

  private func due(
    busy: Set<String>
  ) async throws(StoreError) -> (due: [(notification: AlertNotification, alert: Alert)], wake: Date?) {
    NotificationRules.next(of: try await store.pendingNotifications(limit: 1), busy: busy, at: now())
  }

  /// - Returns: whether what became of it is stored.
  @discardableResult
  private func deliver(_ notification: AlertNotification, of alert: Alert) async -> Bool {
    let failure = await failure(of: notification, alert)
    // Cut off by the end of RunnerHub: whether it arrived is not known, so the next start tells it again.
    if failure != nil, Task.isCancelled { return false }
    let settled = NotificationRules.settled(notification, failure, at: now(), random: random())
    var changes = Changes()
    changes.notifications = [settled]
    do {
      try await store.commit(changes, at: .notificationSettled)
    } catch {
      logger.error("what became of a notification cannot be stored; it is sent again", metadata: ["error": "\(error)"])
      return false
    }
    HubMetrics.notification(settled)
    guard let failure else { return true }
    logger.log(
      level: settled.status == .givenUp ? .error : .warning,
      settled.status == .givenUp ? "a notification is given up" : "a notification did not arrive and is tried again",
      metadata: ["notifier": "\(notification.notifier)", "alert": "\(alert.id)", "tries": "\(settled.tries)", "why": "\(failure)"])
    return true
  }

  private func failure(of notification: AlertNotification, _ alert: Alert) async -> NotifierFailure? {
    guard let notifier = roster.notifiers[notification.notifier] else {
      // It may come back: a plugin that is disabled for a while, or has not been found yet after a start.
      return .unavailable("no notifier of the name \(notification.notifier) is there", after: nil)
    }
    do {
      try await notifier.notify(notification.moment, of: alert, url: link(alert))
      return nil
    } catch {
      return error
    }
  }
}
