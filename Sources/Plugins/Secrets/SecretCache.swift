import Foundation

/// What is known of secrets, and when each is to be asked for again. Pure.
struct SecretCache {
  struct Entry {
    var value: String
    /// nil: it holds for ever, as far as the plugin says; it is asked for again all the same.
    var expiresAt: Date?
    var askAgainAt: Date
    /// Failed tries since it was last read.
    var failures = 0
  }

  /// Seconds after which a secret is asked for again whose plugin names no end, so that a rotation is seen.
  static let longestRest: TimeInterval = 300
  static let shortestRest: TimeInterval = 1
  /// Seconds for which an expired secret is still used while its plugin does not answer.
  static let grace: TimeInterval = 3600

  private(set) var entries: [SecretReference: Entry] = [:]

  /// What may be used now.
  func value(of reference: SecretReference, at now: Date) -> String? {
    guard let entry = entries[reference] else { return nil }
    if let end = entry.expiresAt, now >= end.addingTimeInterval(Self.grace) { return nil }
    return entry.value
  }

  /// A value came.
  /// - Parameter expiresIn: seconds; nil: the plugin names no end.
  /// - Returns: whether it is another than before.
  mutating func read(_ value: String, of reference: SecretReference, expiresIn: Double?, at now: Date) -> Bool {
    let span = expiresIn.map { $0.isFinite ? min(max(0, $0), 10 * 365 * 86_400) : 0 }
    // In time: with a fifth of its life left, so that a slow plugin is no gap. Not earlier: each read of a lease may make another one.
    let rest = span.map { max(Self.shortestRest, $0 * 0.8) } ?? Self.longestRest
    let former = entries.updateValue(
      Entry(value: value, expiresAt: span.map(now.addingTimeInterval), askAgainAt: now.addingTimeInterval(rest)), forKey: reference)
    return former.map { $0.value != value } ?? true
  }

  /// It could not be read: the last value goes on, and it is asked for again after 1, 2, 4, … seconds, at most a minute.
  mutating func failed(_ reference: SecretReference, at now: Date) {
    guard var entry = entries[reference] else { return }
    entry.failures = min(entry.failures + 1, 10)
    entry.askAgainAt = now.addingTimeInterval(min(60, exp2(Double(entry.failures - 1))))
    entries[reference] = entry
  }

  /// Those to be asked for now, and when to look again.
  func due(at now: Date) -> (references: [SecretReference], next: Date?) {
    let due = entries.filter { $0.value.askAgainAt <= now }.map(\.key).sorted { $0.description < $1.description }
    return (due, entries.values.map(\.askAgainAt).filter { $0 > now }.min())
  }
}
