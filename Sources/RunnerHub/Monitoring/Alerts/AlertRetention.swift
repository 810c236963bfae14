import Foundation
package import Logging

/// Forgets alerts that have long been over, in commits so short that intake and planner, which share the store's writer, do not notice.
package struct AlertRetention: Sendable {
  private let transactor: Transactor
  private let age: TimeInterval
  private let logger: Logger
  /// Alerts that one commit removes at most, each with a few notifications.
  private static let step = 100
  private static let pause: Duration = .milliseconds(50)
  private static let interval: Duration = .seconds(60)

  package init(transactor: Transactor, settings: Settings, logger: Logger) {
    self.transactor = transactor
    age = settings.alertRetention
    self.logger = logger
  }

  /// Looks at once and then each minute, until cancelled.
  package func run() async throws {
    while !Task.isCancelled {
      var isMore = false
      do {
        isMore = try await turn()
      } catch {
        logger.error("old alerts could not be removed", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: isMore ? Self.pause : Self.interval)
    }
  }

  /// One step.
  /// - Returns: whether there may be more to remove.
  package func turn() async throws(StoreError) -> Bool {
    let count = try await transactor.store.forgetAlerts(
      endedBefore: transactor.currentTime.addingTimeInterval(-age), limit: Self.step)
    if count > 0 { logger.debug("old alerts removed", metadata: ["alerts": "\(count)"]) }
    return count == Self.step
  }
}
