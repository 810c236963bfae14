/// What one follower has not been told yet. Pure and bounded: where the follower is too slow, the oldest go and are counted.
struct EventBuffer {
  private let capacity: Int
  private var waiting: [HubEvent] = []
  private var missed = 0
  private var underWay: EventBatch?

  init(capacity: Int) { self.capacity = max(8, capacity) }

  var isEmpty: Bool { waiting.isEmpty && underWay == nil }

  mutating func append(_ event: HubEvent) {
    if waiting.count >= capacity {
      // Many at once: to move the others for each single one would cost whoever commits.
      let excess = max(1, capacity / 8)
      waiting.removeFirst(excess)
      missed += excess
    }
    waiting.append(event)
  }

  /// The next batch; the same again until `told`. nil: there is nothing to tell.
  mutating func next(limit: Int) -> EventBatch? {
    if let underWay { return underWay }
    if waiting.isEmpty { return nil }
    let count = min(max(1, limit), waiting.count)
    let batch = EventBatch(events: Array(waiting.prefix(count)), missed: missed)
    waiting.removeFirst(count)
    missed = 0
    underWay = batch
    return batch
  }

  /// The batch under way has arrived.
  mutating func told() { underWay = nil }

  /// The batch under way can never arrive.
  mutating func skipped() {
    if let underWay { missed += underWay.events.count + underWay.missed }
    underWay = nil
  }
}

/// Events in order, and how many were dropped before them because the follower was too slow.
package struct EventBatch: Hashable, Sendable {
  package var events: [HubEvent]
  package var missed: Int

  package init(events: [HubEvent], missed: Int) {
    self.events = events
    self.missed = missed
  }
}
