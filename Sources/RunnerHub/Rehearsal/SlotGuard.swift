/// Counts what a bundle in a slot costs beyond its budget, and says when it is to be switched off. Pure.
package struct SlotGuard: Hashable, Sendable {
  /// Of so many decisions at most `tolerance` - 1 may break the budget.
  package static let window = 100
  package static let tolerance = 10

  /// Whether each of the last decisions broke the budget, in a ring.
  private var recent: [Bool] = []
  private var next = 0
  private var breaches = 0

  package init() {}

  /// Notes one decision.
  /// - Returns: whether the bundle has broken its budget too often.
  package mutating func note(isBreach: Bool) -> Bool {
    if recent.count < Self.window {
      recent.append(isBreach)
    } else {
      if recent[next] { breaches -= 1 }
      recent[next] = isBreach
      next = (next + 1) % Self.window
    }
    if isBreach { breaches += 1 }
    return breaches >= Self.tolerance
  }
}
