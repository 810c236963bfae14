/// A regular expression as JSON Schema means them (ECMA-262), matched in time linear in the text, whatever the pattern: it is walked as a set of states,
/// never by trying one way and coming back.
///
/// Refused are the parts that cannot be walked so: looking around and references to groups; and `\p{…}`, flags.
package struct Pattern: Sendable {
  /// Why a pattern cannot be used.
  package struct Refusal: Error, Hashable, Sendable { package var message: String }

  /// What was parsed.
  package let text: String
  private let steps: [PatternStep]

  package init(_ text: String) throws(Refusal) {
    self.text = text
    var parser = PatternParser(text)
    steps = try PatternProgram(parser.parse()).steps
  }

  /// Whether some part of the text matches; nil where it would cost more than is left.
  /// - Parameter budget: steps of work that may be taken; what was taken is subtracted.
  package func matches(_ text: String, budget: inout Int) -> Bool? {
    let scalars = Array(text.unicodeScalars)
    var walk = PatternWalk(steps: steps)
    for index in 0...scalars.count {
      if walk.enter(at: index, of: scalars) { return true }
      budget -= walk.width + 1
      if budget < 0 { return nil }
      if index < scalars.count { walk.take(scalars[index]) }
    }
    return false
  }
}

/// The states that can be reached at one place of the text.
private struct PatternWalk {
  private let steps: [PatternStep]
  /// Steps that wait for a scalar, those after the scalar before, and for each step the place at which it was last entered.
  private var waiting: [Int] = []
  private var next: [Int] = [0]
  private var entered: [Int]
  private var stack: [Int] = []

  /// How many states the last place had.
  var width: Int { waiting.count }

  init(steps: [PatternStep]) {
    self.steps = steps
    entered = Array(repeating: -1, count: steps.count)
  }

  /// Follows what needs no scalar. A match may begin at every place.
  /// - Returns: whether the end of the pattern was reached.
  mutating func enter(at index: Int, of scalars: [Unicode.Scalar]) -> Bool {
    waiting.removeAll(keepingCapacity: true)
    stack.removeAll(keepingCapacity: true)
    stack.append(0)
    stack.append(contentsOf: next)
    while let at = stack.popLast() {
      guard entered[at] != index else { continue }
      entered[at] = index
      switch steps[at] {
      case .take: waiting.append(at)
      case .fork(let one, let other):
        stack.append(one)
        stack.append(other)
      case .go(let to): stack.append(to)
      case .expect(let place): if place.holds(at: index, of: scalars) { stack.append(at + 1) }
      case .end: return true
      }
    }
    return false
  }

  mutating func take(_ scalar: Unicode.Scalar) {
    next.removeAll(keepingCapacity: true)
    for at in waiting {
      if case .take(let set) = steps[at], set.contains(scalar) { next.append(at + 1) }
    }
  }
}
