import Domain
import Foundation

/// When to look at which log: one that grows is looked at twice a second, a quiet one less and less often, so that a thousand jobs that say
/// nothing cost next to nothing. Pure.
struct LogSchedule {
  /// Seconds between two looks at a log that grows, and at most.
  static let shortest: TimeInterval = 0.5
  static let longest: TimeInterval = 10
  /// Of the time for which a log was quiet, the part that passes until the next look.
  private static let share = 0.25

  private struct Entry {
    var due: Date
    var quietSince: Date
    /// Bytes that are known to be copied.
    var offset: Int64?
  }
  private var entries: [AssignmentID: Entry] = [:]

  /// Follows these logs from now on, and no others. New ones are due at once.
  mutating func follow(_ ids: some Sequence<AssignmentID>, at now: Date) {
    let known = entries
    entries = [:]
    for id in ids { entries[id] = known[id] ?? Entry(due: now, quietSince: now) }
  }

  /// Logs to look at now, in no order, and from which offset as far as it is known.
  func due(at now: Date) -> [(id: AssignmentID, offset: Int64?)] {
    entries.filter { $0.value.due <= now }.map { ($0.key, $0.value.offset) }
  }

  /// A log was looked at.
  /// - Parameter offset: its end; nil: the look failed.
  mutating func looked(at id: AssignmentID, end offset: Int64?, at now: Date) {
    guard var entry = entries[id] else { return }
    if offset != entry.offset { entry.quietSince = now }
    entry.offset = offset
    let quiet = max(0, now.timeIntervalSince(entry.quietSince))
    entry.due = now.addingTimeInterval(min(Self.longest, max(Self.shortest, quiet * Self.share)))
    entries[id] = entry
  }
}
