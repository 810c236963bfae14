import Synchronization

/// Lets a bounded number of tasks through at once, in the order in which they came. With a limit of 1: one flight at a time.
final class RequestGate: Sendable {
  private struct Waiter {
    let ticket: UInt64
    let continuation: CheckedContinuation<Void, any Error>
  }
  private struct State {
    var free: Int
    var tickets: UInt64 = 0
    var waiting: [Waiter] = []
  }
  private let state: Mutex<State>

  /// - Parameter limit: 1 or more.
  init(limit: Int) { state = Mutex(State(free: max(1, limit))) }

  /// Waits for a place, does the work, gives the place back.
  /// - Throws: `CancellationError` when the task is cancelled while it waits, and what the work throws.
  func run<Value: Sendable>(_ work: @Sendable () async throws -> Value) async throws -> Value {
    try await enter()
    defer { leave() }
    return try await work()
  }

  private func enter() async throws {
    let ticket = state.withLock { state in
      state.tickets &+= 1
      return state.tickets
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          // Asked inside the lock: a cancellation after this finds the waiter in the list.
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.free > 0 {
            state.free -= 1
            return .success(())
          }
          state.waiting.append(Waiter(ticket: ticket, continuation: continuation))
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let cancelled = state.withLock { state in
        state.waiting.firstIndex { $0.ticket == ticket }.map { state.waiting.remove(at: $0) }
      }
      cancelled?.continuation.resume(throwing: CancellationError())
    }
  }

  private func leave() {
    let next: Waiter? = state.withLock { state in
      if state.waiting.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.continuation.resume()
  }
}
