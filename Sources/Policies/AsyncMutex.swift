internal import Synchronization

/// Lets one piece of asynchronous work through at a time, in the order of arrival. Not reentrant: work that asks for it again waits for ever.
///
/// Whoever is cancelled while waiting keeps the place, and finds out in its own work: so the turn is always handed on.
final class AsyncMutex: Sendable {
  private struct State {
    var isHeld = false
    /// Oldest first.
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())

  func withLock<Value: Sendable, Failure: Error>(
    _ work: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    await acquire()
    defer { release() }
    return try await work()
  }

  private func acquire() async {
    await withCheckedContinuation { continuation in
      let isMine = state.withLock { state in
        if state.isHeld {
          state.waiting.append(continuation)
          return false
        }
        state.isHeld = true
        return true
      }
      if isMine { continuation.resume() }
    }
  }

  /// Hands the turn to the next in line, without a moment in which it is free.
  private func release() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if state.waiting.isEmpty {
        state.isHeld = false
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
