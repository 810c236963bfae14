import Foundation

/// Which turns' differences between two bundles are worth a row of the log: the first one and the end, and of those that go on, change, or come and
/// go one a minute. Pure.
struct DifferencePace: Sendable {
  static let spacing: TimeInterval = 60

  private var bundles: String?
  /// The difference that was logged last and has not ended.
  private var open: String?
  private var toldAt: Date?

  /// - Parameters:
  ///   - difference: what both say; nil: the same.
  ///   - bundles: which two say it. Of others every difference is new.
  mutating func isNews(_ difference: String?, between bundles: String, at now: Date) -> Bool {
    if self.bundles != bundles { (self.bundles, open, toldAt) = (bundles, nil, nil) }
    guard let difference else {
      // The end of one that was not logged is not logged either.
      defer { open = nil }
      return open != nil
    }
    if difference == open { return false }
    if let toldAt, (0..<Self.spacing).contains(now.timeIntervalSince(toldAt)) { return false }
    (open, toldAt) = (difference, now)
    return true
  }
}
