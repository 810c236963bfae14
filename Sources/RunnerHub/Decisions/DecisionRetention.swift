import Foundation
package import Logging

/// Keeps the decision log within its bounds, in commits so short that intake and planner, which share the store's writer, do not notice.
package struct DecisionRetention: Sendable {
  private let transactor: Transactor
  private let age: TimeInterval
  private let maximum: Int
  private let logger: Logger
  /// Rows of each kind that one commit removes at most.
  private static let step = 250
  private static let pause: Duration = .milliseconds(50)
  private static let interval: Duration = .seconds(60)

  package init(transactor: Transactor, settings: Settings, logger: Logger) {
    self.transactor = transactor
    age = settings.decisionRetention
    maximum = settings.maximumDecisions
    self.logger = logger
  }

  /// Looks at once and then each minute, until cancelled.
  package func run() async throws {
    while !Task.isCancelled {
      var isMore = false
      do {
        isMore = try await turn()
      } catch {
        logger.error("old decisions could not be removed", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: isMore ? Self.pause : Self.interval)
    }
  }

  /// One step.
  /// - Returns: whether there may be more to remove.
  package func turn() async throws(StoreError) -> Bool {
    let forgotten = try await transactor.store.forgetDecisions(
      before: transactor.currentTime.addingTimeInterval(-age), keeping: maximum, limit: Self.step)
    if forgotten.decisions > 0 {
      logger.debug("old decisions removed", metadata: ["decisions": "\(forgotten.decisions)", "inputs": "\(forgotten.inputs)"])
    }
    return forgotten.decisions == Self.step || forgotten.inputs == Self.step
  }
}
