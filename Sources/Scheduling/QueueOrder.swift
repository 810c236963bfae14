package import Domain
package import Foundation

/// The order of the queue: linear aging as a number that is constant in time.
///
/// A job's key is the time at which it was queued, less the boost of its level. Smaller goes first. Since the key never changes while the job
/// waits, the queue is an index; and since every boost is finite, no job starves: an hour of waiting equals an hour of boost.
package struct QueueOrder: Hashable, Sendable, Codable {
  /// Seconds by which a level goes ahead of `NORMAL`; negative goes behind it.
  package var boosts: [Priority: Double]

  /// - Parameter boosts: seconds; a level that is not named has none.
  package init(boosts: [Priority: Double] = Self.standardBoosts) {
    self.boosts = boosts
  }

  /// Four hours for `CRITICAL`, one for `HIGH`, none for `NORMAL`, one hour behind for `LOW`.
  package static let standardBoosts: [Priority: Double] = [.critical: 4 * 3600, .high: 3600, .normal: 0, .low: -3600]

  /// The key of a job: seconds since 1970, smaller first.
  package func key(queuedAt: Date, priority: Priority) -> Double {
    queuedAt.timeIntervalSince1970 - (boosts[priority] ?? 0)
  }
}
