import Foundation

/// Keeps a loop whose turns read everything that lives from taking more than a part of a core, however often it is woken. Pure.
///
/// A turn that took long is followed by a pause that is longer by a factor: what happens meanwhile shares the next turn. Short turns, as there
/// are while little lives, wait for next to nothing.
struct Pace {
  /// A quarter of a core at most.
  private static let factor = 3.0
  private static let longest: TimeInterval = 0.1
  private var next = Date.distantPast

  /// A turn ended.
  mutating func noteTurn(from start: Date, to end: Date) {
    next = end.addingTimeInterval(min(Self.longest, max(0, end.timeIntervalSince(start)) * Self.factor))
  }

  /// Seconds until the next turn may begin; 0 or less: now.
  func pause(at now: Date) -> TimeInterval { next.timeIntervalSince(now) }

  /// Returns when the next turn may begin, or when the task is cancelled, which the loop sees itself.
  func wait(now: Date) async {
    let seconds = pause(at: now)
    guard seconds > 0 else { return }
    // A clock that was set back must not hold the loop.
    do { try await Task.sleep(for: .seconds(min(seconds, Self.longest))) } catch { return }
  }
}
