internal import Synchronization

/// Whether who calls a plugin waits for its answer on the thread that it is on, for a moment: a change of thread costs more than the answer of a plugin
/// that knows it already. Pure. A plugin that takes longer is soon not waited for any more, and tried again seldom.
struct QuickAnswers: Sendable {
  /// For which a thread of the pool may sleep.
  static let patience: Duration = .microseconds(100)
  /// Calls after which one that was slow is tried again, at most.
  static let longestRest = 512

  private var slow = 0
  private var rest = 0

  /// Asked once for each call.
  mutating func isNextExpected() -> Bool {
    guard rest > 0 else { return true }
    rest -= 1
    return false
  }

  /// An answer was waited for.
  mutating func was(quick isQuick: Bool) {
    slow = isQuick ? 0 : min(slow + 1, 10)
    rest = isQuick ? 0 : min(1 << slow, Self.longestRest)
  }
}

extension ProcessConnection {
  /// Makes a call, and reads the plugin's output until it is answered, for a moment.
  /// - Returns: false where somebody else reads, or it may not be read now: then nothing was done.
  func submitAndRead(_ call: Ledger.Call, isUrgent: Bool) -> Bool {
    output.withLockIfAvailable { output in
      // Before the call is sent: its answer is not to wake the thread.
      guard state.withLock({ $0.mayBeRead(settings, at: call.deadline - call.limit) }), output.keepForCaller() else { return false }
      defer { output.giveBack() }
      switch submit(call, isUrgent: isUrgent) {
      case .refused(let why): call.ticket.continuation.resume(returning: .failure(why))
      case .waits: break
      case .sent:
        let isOver = output.read(for: self, within: QuickAnswers.patience) {
          state.withLock { !$0.ledger.isUnderWay(call.id) || !$0.mayBeRead(settings, at: .now) }
        }
        state.withLock { state in
          // Left off since it may not be read now: that says nothing of how quick it is.
          if isOver, state.ledger.isUnderWay(call.id) { return }
          state.quick.was(quick: isOver)
        }
      }
      return true
    } ?? false
  }
}

extension ProcessConnection.State {
  /// Not while it gets more answers than it takes, says more than it may, or is to end.
  mutating func mayBeRead(_ settings: ConnectionSettings, at now: ContinuousClock.Instant) -> Bool {
    closing == nil && answering < settings.requests && outgoing.count <= settings.outgoing && unsolicited.pause(at: now) == nil
  }
}
