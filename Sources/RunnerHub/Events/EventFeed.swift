import Synchronization

/// Hands what happens to those who follow it. To publish never waits: each follower has a bounded buffer, and while nobody follows, no event is
/// even made.
///
/// It lives as long as the process. What a follower was not told when it ends is not told later; the rows remain in the store.
package final class EventFeed: Sendable {
  /// Events that wait for one follower at most.
  package static let capacity = 16_384
  /// Room for the events of one start: identities of the next start are greater, and all are exact in a double.
  package static let eventsOfStart: Int64 = 10_000_000_000

  private struct State {
    var lastID: Int64 = 0
    var followers: [ObjectIdentifier: EventFollower] = [:]
  }
  private let state = Mutex(State())

  package init() {}

  /// Numbers the events from now on.
  /// - Parameter start: how often this installation was started, from 1.
  package func begin(start: Int64) {
    let (first, overflows) = start.multipliedReportingOverflow(by: Self.eventsOfStart)
    state.withLock { $0.lastID = max($0.lastID, overflows ? 0 : first) }
  }

  /// Tells all who follow. Called in the order in which things happened.
  /// - Parameter events: makes the events, whose ids are set here; not called where nobody follows.
  package func publish(_ events: () -> [HubEvent]) {
    state.withLock { state in
      if state.followers.isEmpty { return }
      for var event in events() {
        state.lastID += 1
        event.id = state.lastID
        for follower in state.followers.values { follower.take(event) }
      }
    }
  }

  /// Begins to follow, from now on.
  /// - Parameter kinds: of events that are to be told.
  package func follow(_ kinds: Set<HubEventKind>, capacity: Int = EventFeed.capacity) -> EventFollower {
    let follower = EventFollower(kinds: kinds, capacity: capacity)
    state.withLock { $0.followers[ObjectIdentifier(follower)] = follower }
    return follower
  }

  /// Ends a follower: its `next` returns nil.
  package func leave(_ follower: EventFollower) {
    state.withLock { $0.followers[ObjectIdentifier(follower)] = nil }
    follower.end()
  }
}

/// One who follows a feed, and reads it in batches, one at a time.
package final class EventFollower: Sendable {
  private let kinds: Set<HubEventKind>
  private let buffer: Mutex<EventBuffer>
  private let hasEnded = Atomic(false)
  private let wakeUp = WakeUp()

  init(kinds: Set<HubEventKind>, capacity: Int) {
    self.kinds = kinds
    buffer = Mutex(EventBuffer(capacity: capacity))
  }

  func take(_ event: HubEvent) {
    guard kinds.contains(event.kind) else { return }
    let isFirst = buffer.withLock { buffer in
      defer { buffer.append(event) }
      return buffer.isEmpty
    }
    if isFirst { wakeUp.notify() }
  }

  /// Waits for events. The same batch comes again until `told`.
  /// - Returns: nil when it has left the feed, or the task was cancelled.
  package func next(limit: Int) async -> EventBatch? {
    while !Task.isCancelled, !hasEnded.load(ordering: .acquiring) {
      if let batch = buffer.withLock({ $0.next(limit: limit) }) { return batch }
      await wakeUp.wait()
    }
    return nil
  }

  /// The last batch has arrived.
  package func told() { buffer.withLock { $0.told() } }

  /// The last batch can never arrive: its events count as missed.
  package func skipped() { buffer.withLock { $0.skipped() } }

  func end() {
    hasEnded.store(true, ordering: .releasing)
    wakeUp.notify()
  }
}
