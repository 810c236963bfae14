/// One step of a pattern; those without a target go on to the next.
enum PatternStep: Sendable {
  case take(ScalarSet)
  case fork(Int, Int)
  case go(Int)
  case expect(PatternPlace)
  case end
}

/// A condition on a place between two scalars.
enum PatternPlace: Sendable {
  case start, end, wordEdge, noWordEdge

  func holds(at index: Int, of scalars: [Unicode.Scalar]) -> Bool {
    switch self {
    case .start: index == 0
    case .end: index == scalars.count
    case .wordEdge: Self.isEdge(index, of: scalars)
    case .noWordEdge: !Self.isEdge(index, of: scalars)
    }
  }

  private static func isEdge(_ index: Int, of scalars: [Unicode.Scalar]) -> Bool {
    let before = index > 0 && ScalarSet.word.contains(scalars[index - 1])
    let after = index < scalars.count && ScalarSet.word.contains(scalars[index])
    return before != after
  }
}

/// Scalars that a place of a pattern takes.
struct ScalarSet: Sendable {
  var ranges: [ClosedRange<UInt32>]
  var isInverted = false

  init(_ ranges: [ClosedRange<UInt32>], isInverted: Bool = false) {
    self.ranges = ranges
    self.isInverted = isInverted
  }

  init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

  func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar.value) } != isInverted }

  var inverted: ScalarSet { ScalarSet(ranges, isInverted: !isInverted) }

  /// The same scalars without the flag: so that sets can be joined.
  var plain: [ClosedRange<UInt32>] {
    guard isInverted else { return ranges }
    var gaps: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
      next = max(next, range.upperBound + 1)
    }
    return next <= 0x10FFFF ? gaps + [next...0x10FFFF] : gaps
  }

  static let digit = ScalarSet([0x30...0x39])
  static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  /// WhiteSpace and LineTerminator of ECMA-262.
  static let space = ScalarSet([
    0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F, 0x205F...0x205F,
    0x3000...0x3000, 0xFEFF...0xFEFF,
  ])
  static let anyInLine = ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029], isInverted: true)
}

/// A pattern as it is written.
indirect enum PatternNode {
  case take(ScalarSet)
  case expect(PatternPlace)
  case sequence([PatternNode])
  case choice([PatternNode])
  case repeated(PatternNode, least: Int, most: Int?)
}

/// Steps of a pattern, repetitions written out.
struct PatternProgram {
  private static let mostSteps = 5000
  private(set) var steps: [PatternStep] = []

  init(_ node: PatternNode) throws(Pattern.Refusal) {
    try emit(node)
    steps.append(.end)
  }

  private mutating func add(_ step: PatternStep) throws(Pattern.Refusal) {
    guard steps.count < Self.mostSteps else {
      throw Pattern.Refusal(message: "is too large: its repetitions have more than \(Self.mostSteps) steps")
    }
    steps.append(step)
  }

  private mutating func emit(_ node: PatternNode) throws(Pattern.Refusal) {
    switch node {
    case .take(let set): try add(.take(set))
    case .expect(let place): try add(.expect(place))
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .choice(let nodes): try emit(choice: nodes)
    case .repeated(let node, let least, let most):
      for _ in 0..<least { try emit(node) }
      if let most {
        try emit(optional: node, times: most - least)
      } else {
        let fork = steps.count
        try add(.end)
        try emit(node)
        try add(.go(fork))
        steps[fork] = .fork(fork + 1, steps.count)
      }
    }
  }

  private mutating func emit(choice nodes: [PatternNode]) throws(Pattern.Refusal) {
    var exits: [Int] = []
    for (index, node) in nodes.enumerated() {
      guard index < nodes.count - 1 else {
        try emit(node)
        break
      }
      let fork = steps.count
      try add(.end)
      try emit(node)
      exits.append(steps.count)
      try add(.end)
      steps[fork] = .fork(fork + 1, steps.count)
    }
    for exit in exits { steps[exit] = .go(steps.count) }
  }

  private mutating func emit(optional node: PatternNode, times: Int) throws(Pattern.Refusal) {
    var forks: [Int] = []
    for _ in 0..<times {
      forks.append(steps.count)
      // Where it leads is known once all are written.
      try add(.end)
      try emit(node)
    }
    for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
  }
}
