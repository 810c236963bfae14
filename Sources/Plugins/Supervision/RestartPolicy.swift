package import Foundation

/// When a plugin that failed is started again, and when not any more. Pure.
package struct RestartPolicy: Hashable, Sendable {
  /// Failures that quarantine it, and the time within which they count.
  package var failures = 5
  package var window: TimeInterval = 600
  /// Seconds of the first pause; each further failure doubles it.
  package var first: TimeInterval = 1
  package var longest: TimeInterval = 60

  package init() {}
}

/// The failures of one plugin.
struct FailureRecord: Hashable, Sendable {
  enum Verdict: Hashable {
    case again(after: TimeInterval)
    case quarantine
  }

  private(set) var times: [Date] = []

  /// - Parameter jitter: 0…1, at random: plugins that failed together do not come back together.
  mutating func failed(at now: Date, _ policy: RestartPolicy, jitter: Double) -> Verdict {
    times = times.filter { now.timeIntervalSince($0) < policy.window } + [now]
    if times.count >= policy.failures { return .quarantine }
    let pause = min(policy.longest, policy.first * Double(1 << min(times.count - 1, 20)))
    return .again(after: pause * (0.8 + 0.4 * jitter))
  }

  mutating func forgive() { times = [] }
}
