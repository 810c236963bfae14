/// What a shadow may cost the turns that ask it: so much wall time in each second, and what one decision took beyond that is owed. Pure.
struct RehearsalBudget: Sendable {
  /// In each second; no more is saved up.
  static let most: Duration = .milliseconds(50)

  private var left = RehearsalBudget.most
  private var seen: ContinuousClock.Instant?

  /// Whether a decision may be asked for now.
  mutating func allows(at now: ContinuousClock.Instant) -> Bool {
    if let seen { left = min(Self.most, left + (now - seen) / 20) }
    seen = now
    return left > .zero
  }

  mutating func spend(_ time: Duration) { left -= time }
}
