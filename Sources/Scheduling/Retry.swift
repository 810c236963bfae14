package import Foundation

/// Bounded tries with exponential backoff and full jitter, so that many that failed together do not come back together.
package struct Retry: Hashable, Sendable, Codable {
  /// Tries in all, the first included; at least 1.
  package var maximumTries: Int
  /// Seconds: the longest wait after the first failure.
  package var base: Double
  /// Seconds: no wait is longer.
  package var cap: Double

  package init(maximumTries: Int, base: Double, cap: Double) {
    self.maximumTries = max(1, maximumTries)
    self.base = max(0, base)
    self.cap = max(0, cap)
  }

  /// For starting a job's runner: 3 tries, up to 2 s, then 4 s.
  package static let starts = Retry(maximumTries: 3, base: 2, cap: 60)
  /// For effects that must arrive: never given up.
  package static let effects = Retry(maximumTries: .max, base: 1, cap: 300)

  /// Seconds to wait after a number of failures: `random` times the cap of that round, which doubles each time.
  /// - Parameters:
  ///   - failures: failed tries so far, 1 or more.
  ///   - random: 0..<1.
  package func delay(afterFailures failures: Int, random: Double) -> Double {
    // 2^60 s is beyond every cap; larger exponents would only lose precision.
    let doublings = Double(min(max(failures, 1) - 1, 60))
    return min(cap, base * exp2(doublings)) * min(max(random, 0), 1)
  }

  package func triesLeft(afterFailures failures: Int) -> Int { max(0, maximumTries - failures) }

  /// When to try again, or nil when no try is left.
  package func next(afterFailures failures: Int, now: Date, random: Double) -> Date? {
    triesLeft(afterFailures: failures) > 0 ? now.addingTimeInterval(delay(afterFailures: failures, random: random)) : nil
  }
}
