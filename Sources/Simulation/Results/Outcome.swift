/// How one side carried the traffic. Seconds, hours and shares.
package struct Outcome: Hashable, Sendable, Encodable {
  package var name: String
  /// Digest of the policies, `built-in`, or nil for a baseline.
  package var bundle: String?
  /// From a job's creation at GitHub to a runner that works on it: all jobs, then by level, then by class.
  package var waits: [Waits]
  /// From the creation to the chosen container.
  package var assignment: Quantiles?
  package var endings: Endings
  /// Busy ÷ existing container-seconds within the window.
  package var utilisation: Double
  /// The same until the traffic ends, when the last jobs are still at work: what sides are compared by.
  package var trafficUtilisation: Double
  package var busyHours: Double
  package var containerHours: Double
  package var dollars: Double
  package var peakContainers: Int
  package var peakRunning: Int
  package var peakWaiting: Int
  package var containersMade: Int
  /// Jobs that ran in a container which had served one before, of all that ran.
  package var reuse: Double
  /// Jobs begun in the busiest minute.
  package var peakStartsPerMinute: Int
  package var scaling: Scaling
  package var failures: Failures
  package var registrations: Registrations
  /// Decisions in which the built-in rule answered in a policy's place, by cause.
  package var fallbacks: [String: Int]
  package var series: Series

  package struct Waits: Hashable, Sendable, Encodable {
    package enum Kind: String, Sendable, Encodable { case all, level, jobClass = "class" }
    package var kind: Kind
    package var name: String
    package var quantiles: Quantiles
  }

  package struct Endings: Hashable, Sendable, Encodable {
    package var completed = 0
    /// Their container died under them.
    package var lost = 0
    /// No start succeeded.
    package var givenUp = 0
    package var forwarded = 0
    package var refused = 0
    /// Cancelled by GitHub after a day in the queue.
    package var abandoned = 0
    /// How often a job ended once more: 0, or the simulation is wrong.
    package var endedTwice = 0
    /// Of the completed ones, those that ended after the window.
    package var late = 0
    package var all: Int { completed + lost + givenUp + forwarded + refused + abandoned }
  }

  package struct Scaling: Hashable, Sendable, Encodable {
    package var growths = 0
    package var shrinks = 0
    package var made = 0
    package var retired = 0
    package var evictions = 0
    package var events: Int { growths + shrinks }
  }

  package struct Failures: Hashable, Sendable, Encodable {
    package var containers = 0
    package var runners = 0
    package var jobs = 0
    package var expiredStarts = 0
    package var all: Int { containers + runners + jobs + expiredStarts }
  }

  package struct Registrations: Hashable, Sendable, Encodable {
    package var count = 0
    package var peakPerMinute = 0
    package var delayed = 0
    package var longestDelay = 0.0
  }

  /// Counts at equal distances over the window.
  package struct Series: Hashable, Sendable, Encodable {
    package var step: Double
    package var existing: [Int]
    package var busy: [Int]
    package var waiting: [Int]
  }

  package func wait(_ name: String) -> Quantiles? { waits.first { $0.name == name }?.quantiles }
}

/// Quantiles of seconds by nearest rank.
package struct Quantiles: Hashable, Sendable, Encodable {
  package var count: Int
  package var p50: Double
  package var p95: Double
  package var p99: Double
  package var largest: Double

  /// nil: of nothing.
  package init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    func at(_ share: Double) -> Double { sorted[min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))] }
    count = sorted.count
    p50 = at(0.5)
    p95 = at(0.95)
    p99 = at(0.99)
    largest = at(1)
  }
}
