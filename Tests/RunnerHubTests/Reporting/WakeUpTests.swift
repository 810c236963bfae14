import Foundation
import RunnerHub
import Synchronization
import Testing

@Suite("The signal between loops", .timeLimit(.minutes(1)))
struct WakeUpTests {
  @Test("a notification before the wait is kept, and many count as one")
  func kept() async {
    let wakeUp = WakeUp()
    for _ in 0..<3 { wakeUp.notify() }
    await wakeUp.wait()
    // The next wait has nothing left to return for but its time.
    let start = ContinuousClock.now
    await wakeUp.wait(until: Date(timeIntervalSinceNow: 0.05))
    #expect(ContinuousClock.now - start >= .milliseconds(40))
  }

  @Test("a notification ends a wait long before its time")
  func notified() async {
    let wakeUp = WakeUp()
    let start = ContinuousClock.now
    async let waiting: Void = wakeUp.wait(until: Date(timeIntervalSinceNow: 30))
    wakeUp.notify()
    await waiting
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test("a time that has passed returns at once")
  func past() async {
    await WakeUp().wait(until: .distantPast)
  }

  @Test("cancellation ends a wait, also one that begins afterwards")
  func cancelled() async {
    let wakeUp = WakeUp()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await wakeUp.wait() }
      group.addTask { await wakeUp.wait(until: .distantFuture) }
      group.cancelAll()
    }
  }

  @Test("no notification is lost between a reader and many writers")
  func noneLost() async {
    let wakeUp = WakeUp()
    let written = Tally()
    let total = 2000
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<(total / 4) {
            written.add()
            wakeUp.notify()
          }
        }
      }
      group.addTask {
        // Ends only if each look that finds too little is followed by a wake-up.
        while written.count < total { await wakeUp.wait() }
      }
    }
    #expect(written.count == total)
  }
}

private final class Tally: Sendable {
  private let value = Mutex(0)
  var count: Int { value.withLock { $0 } }
  func add() { value.withLock { $0 += 1 } }
}
