import Domain
import Foundation

/// Jobs as inputs of the decision log, each encoded once for all its decisions as long as it is remembered.
package struct JobInputs: Sendable {
  private let log: any DecisionLog
  private let kept = Shared(RecentValues<JobID, Kept>(capacity: 1024))

  private struct Kept: Sendable {
    var job: PolicyJob
    var input: DecisionInput
  }

  package init(log: any DecisionLog) { self.log = log }

  /// Costs the encoding the first time, and where the job has changed since.
  func input(of job: PolicyJob, at now: Date) throws(StoreError) -> DecisionInput {
    if let known = kept.withLock({ $0[job.id] }), known.job == job { return known.input }
    let input = try log.input(of: .job(job), at: now)
    kept.withLock { $0[job.id] = Kept(job: job, input: input) }
    return input
  }
}

/// Values that were used lately, in two generations: the older is dropped whole once the younger is full.
struct RecentValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private var young: [Key: Value] = [:]
  private var old: [Key: Value] = [:]
  private let half: Int

  /// - Parameter capacity: values that are kept at most; half of it at least are the latest.
  init(capacity: Int) { half = max(1, capacity / 2) }

  var count: Int { young.count + old.count }

  subscript(key: Key) -> Value? {
    mutating get {
      if let value = young[key] { return value }
      guard let value = old.removeValue(forKey: key) else { return nil }
      insert(value, for: key)
      return value
    }
    set {
      old[key] = nil
      if let newValue { insert(newValue, for: key) } else { young[key] = nil }
    }
  }

  private mutating func insert(_ value: Value, for key: Key) {
    if young.count >= half, young[key] == nil {
      old = young
      young = [:]
    }
    young[key] = value
  }
}
