/// How much of something is taken in a time: some at once, and then so many a second. Pure.
struct TokenBucket: Sendable {
  let burst: Double
  let perSecond: Double
  private var level: Double
  private var last: ContinuousClock.Instant?

  init(burst: Double, perSecond: Double) {
    self.burst = burst
    self.perSecond = perSecond
    level = burst
  }

  /// Takes some, also more than there is: what is owed has to be waited for.
  mutating func take(_ amount: Double, at now: ContinuousClock.Instant) {
    refill(at: now)
    level -= amount
  }

  /// Time until nothing is owed; nil: nothing is.
  mutating func pause(at now: ContinuousClock.Instant) -> Duration? {
    refill(at: now)
    return level > 0 ? nil : .seconds((0.001 - level) / perSecond) + .milliseconds(1)
  }

  private mutating func refill(at now: ContinuousClock.Instant) {
    if let last, now > last { level = min(burst, level + (now - last) / .seconds(1) * perSecond) }
    // Who asks late has read the clock early: no time counts twice.
    last = max(last ?? now, now)
  }
}
