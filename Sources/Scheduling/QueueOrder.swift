package import Domain
package import Foundation

/// The order of the queue: linear aging as a number that is constant in time.
///
/// A job's key is the time at which it was queued, less the boost of its level. Smaller goes first. Since the key never changes while the job
/// waits, the queue is an index; and since every boost is finite, no job starves: an hour of waiting equals an hour of boost.
/// Within a level a weight orders: minutes by which a job goes ahead of, or behind, others of its level. `Priority.weights` reach half the least
/// distance of two standard levels, so that no weight lifts a job over one of a higher level that was queued at the same time.
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
  /// - Parameter weight: minutes; beyond `Priority.weights` counts as the bound.
  package func key(queuedAt: Date, priority: Priority, weight: Double = 0) -> Double {
    let bounds = Priority.weights
    let minutes = weight.isNaN ? 0 : min(max(weight, bounds.lowerBound), bounds.upperBound)
    return queuedAt.timeIntervalSince1970 - (boosts[priority] ?? 0) - minutes * 60
  }
}
