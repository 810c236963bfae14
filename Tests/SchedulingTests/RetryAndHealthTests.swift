import Domain
import Foundation
import Scheduling
import Testing

@Suite("Tries, health and order")
struct RetryAndHealthTests {
  @Test("backoff doubles up to its cap, and jitter is full")
  func backoff() {
    let retry = Retry(maximumTries: 4, base: 2, cap: 10)
    #expect((1...5).map { retry.delay(afterFailures: $0, random: 1) } == [2, 4, 8, 10, 10])
    #expect(retry.delay(afterFailures: 3, random: 0) == 0)
    #expect(retry.delay(afterFailures: 3, random: 0.5) == 4)
    #expect(retry.delay(afterFailures: .max, random: 0.5) == 5)
  }

  @Test("tries are bounded")
  func bounded() {
    let retry = Retry(maximumTries: 3, base: 1, cap: 10)
    let now = Sample.start
    #expect(retry.next(afterFailures: 2, now: now, random: 1) == now.addingTimeInterval(2))
    #expect(retry.next(afterFailures: 3, now: now, random: 1) == nil)
    #expect(retry.triesLeft(afterFailures: 99) == 0)
  }

  @Test("three failed checks in a row isolate, two good ones in a row reintegrate")
  func hysteresis() {
    let rule = HealthHysteresis(isolateAfter: 3, reintegrateAfter: 2)
    let checks: [(Bool, HealthHysteresis.Outcome)] = [
      (false, .unchanged), (false, .unchanged), (true, .unchanged), (false, .unchanged), (false, .unchanged), (false, .isolate),
      (true, .unchanged), (false, .unchanged), (true, .unchanged), (true, .reintegrate), (false, .unchanged),
    ]
    var status = HealthStatus()
    for (index, check) in checks.enumerated() {
      let result = rule.record(failure: check.0 ? nil : "gone", on: status)
      #expect(result.outcome == check.1, "check \(index)")
      status = result.status
    }
  }

  @Test("random checks isolate and reintegrate in turns only", arguments: 0..<50)
  func hysteresisWalk(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let rule = HealthHysteresis(
      isolateAfter: Int.random(in: 0...4, using: &random), reintegrateAfter: Int.random(in: 0...4, using: &random))
    var status = HealthStatus()
    for _ in 0..<200 {
      let before = status.isHealthy
      let (next, outcome) = rule.record(failure: Bool.random(using: &random) ? "down" : nil, on: status)
      switch outcome {
      case .isolate: #expect(before && !next.isHealthy)
      case .reintegrate: #expect(!before && next.isHealthy)
      case .unchanged: #expect(before == next.isHealthy)
      }
      status = next
    }
  }

  @Test("the order key ages every level alike: an hour of waiting is an hour of boost")
  func orderKey() {
    let order = QueueOrder()
    let now = Sample.start
    let high = order.key(queuedAt: now, priority: .high)
    #expect(high == order.key(queuedAt: now.addingTimeInterval(-3600), priority: .normal))
    #expect(high == order.key(queuedAt: now.addingTimeInterval(-7200), priority: .low))
    let keys = Priority.allCases.sorted(by: >).map { order.key(queuedAt: now, priority: $0) }
    #expect(keys == keys.sorted())
  }

  @Test("a weight orders within its level, and never lifts a job over a higher level that was queued at the same time")
  func weights() {
    let order = QueueOrder()
    let now = Sample.start
    for (higher, lower) in zip(Priority.allCases, Priority.allCases.dropFirst()) {
      #expect(order.key(queuedAt: now, priority: higher, weight: -30) <= order.key(queuedAt: now, priority: lower, weight: 30))
    }
    #expect(order.key(queuedAt: now, priority: .normal, weight: 10) == order.key(queuedAt: now.addingTimeInterval(-600), priority: .normal))
    #expect(order.key(queuedAt: now, priority: .normal, weight: 1e9) == order.key(queuedAt: now, priority: .normal, weight: 30))
    #expect(order.key(queuedAt: now, priority: .normal, weight: .nan) == order.key(queuedAt: now, priority: .normal))
  }
}
