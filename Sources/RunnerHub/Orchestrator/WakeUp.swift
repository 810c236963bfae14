package import Foundation
import Synchronization

/// A signal that says "look again". Any number of notifications before a wait count as one; none is lost.
///
/// Meant for one waiting loop and any number of notifiers. A notification that nobody waits for is kept for the next wait; one that comes while
/// several wait wakes them all.
package final class WakeUp: Sendable {
  private struct State {
    var isPending = false
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var lastID: UInt64 = 0
  }
  private let state = Mutex(State())

  package init() {}

  /// Wakes whoever waits, or the next one who does. Never blocks.
  package func notify() {
    let woken = state.withLock { state in
      let waiters = state.waiters
      state.waiters = [:]
      if waiters.isEmpty { state.isPending = true }
      return waiters
    }
    for continuation in woken.values { continuation.resume() }
  }

  /// Returns at a notification, at the given time, or when the task is cancelled; at once where a notification is kept.
  /// - Parameter deadline: nil: only a notification or cancellation ends the wait.
  package func wait(until deadline: Date? = nil) async {
    guard let deadline else { return await waitForSignal() }
    let seconds = deadline.timeIntervalSinceNow
    guard seconds > 0 else {
      state.withLock { $0.isPending = false }
      return
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.waitForSignal() }
      // A day at most: the caller looks again anyway, and `Duration` keeps its precision.
      group.addTask { await Self.pause(seconds: min(seconds, 86_400)) }
      await group.next()
      group.cancelAll()
    }
  }

  /// Returns early when the task is cancelled, which is how the other half of `wait` ends it.
  private static func pause(seconds: Double) async {
    do { try await Task.sleep(for: .seconds(seconds)) } catch { return }
  }

  private func waitForSignal() async {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state in
          // The flag of cancellation is set before `onCancel` runs: whoever comes second here finds what the first one left.
          if state.isPending || Task.isCancelled {
            state.isPending = false
            return true
          }
          state.waiters[id] = continuation
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
    }
  }
}
