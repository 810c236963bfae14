package import Foundation
package import Scheduling
import Synchronization

/// What a picture of the fleet cannot show by itself: how pools stood in the last minutes, when they grew and shrank, and which starts failed.
/// A value; bounded by the number of pools. Losing it at a restart only makes policies look less far back.
package struct FleetHistory: Hashable, Sendable {
  /// Seconds between two samples, how many are kept, and for how long a failed start counts.
  package static let spacing: TimeInterval = 60
  package static let samples = 10
  package static let memory: TimeInterval = 600
  /// Failed starts of one pool that are told apart: more are as bad.
  package static let failureLimit = 1000

  private struct Entry: Hashable, Sendable {
    var samples: [PolicyPool.Sample] = []
    var failures: [Date] = []
    var scale = ScaleHistory()
  }

  private var entries: [String: Entry] = [:]
  /// Of the jobs that started in the last `memory` seconds.
  package var waits = PolicyWaits()

  package init() {}

  /// Takes a sample of each pool, unless the last one is young.
  package mutating func note(_ pools: [PolicyPool], at now: Date) {
    for pool in pools {
      let last = entries[pool.name]?.samples.last?.at ?? .distantPast
      guard now.timeIntervalSince(last) >= Self.spacing else { continue }
      var samples = entries[pool.name]?.samples ?? []
      samples.append(.init(at: now, total: pool.total, busy: pool.busy, pending: pool.pending))
      entries[pool.name, default: Entry()].samples = samples.suffix(Self.samples)
    }
  }

  package mutating func note(_ scale: ScaleHistory, of pool: String) { entries[pool, default: Entry()].scale = scale }

  package mutating func noteStartFailure(in pool: String, at now: Date) {
    var failures = entries[pool]?.failures ?? []
    failures.append(now)
    entries[pool, default: Entry()].failures = failures.suffix(Self.failureLimit).filter { now.timeIntervalSince($0) < Self.memory }
  }

  /// Fills in what is known of a pool.
  package func complete(_ pool: inout PolicyPool, at now: Date) {
    guard let entry = entries[pool.name] else { return }
    pool.startFailures = entry.failures.count { now.timeIntervalSince($0) < Self.memory }
    pool.grownAt = entry.scale.lastGrowth
    pool.shrunkAt = entry.scale.lastShrink
    // Oldest first: mostly all are young enough, and then it is the same array as last time, which is compared at no cost.
    let isYoung = { (sample: PolicyPool.Sample) in now.timeIntervalSince(sample.at) <= Self.memory }
    pool.history = entry.samples.first.map(isYoung) ?? true ? entry.samples : entry.samples.filter(isYoung)
  }
}

/// The history that the core's services of one process share.
package final class FleetMemory: Sendable {
  private struct Content {
    var history = FleetHistory()
    var askedAt = Date.distantPast
  }
  private let content = Mutex(Content())
  /// Seconds for which waits are taken as still true: reading them costs by the jobs that started lately.
  private static let patience: TimeInterval = 10

  package init() {}

  package func noteStartFailure(in pool: String, at now: Date) { content.withLock { $0.history.noteStartFailure(in: pool, at: now) } }
  package func note(_ scale: ScaleHistory, of pool: String) { content.withLock { $0.history.note(scale, of: pool) } }
  package func note(_ fleet: PolicyFleet) { content.withLock { $0.history.note(fleet.pools, at: fleet.now) } }

  /// The history as it stands, with waits that are some seconds old at most.
  package func history(from store: some JobReader, at now: Date) async throws(StoreError) -> FleetHistory {
    let isDue = content.withLock { content in
      let isDue = abs(now.timeIntervalSince(content.askedAt)) >= Self.patience
      if isDue { content.askedAt = now }
      return isDue
    }
    if isDue {
      let waits = PolicyWaits(try await store.waits(since: now.addingTimeInterval(-FleetHistory.memory)))
      content.withLock { $0.history.waits = waits }
    }
    return content.withLock { $0.history }
  }
}
