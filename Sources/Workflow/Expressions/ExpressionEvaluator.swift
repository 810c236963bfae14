/// Walks a tree and computes its value, within the memory that GitHub grants.
struct ExpressionEvaluator {
  private let contexts: [String: ExpressionValue]
  private var memory = ExpressionMemory()

  init(contexts: [String: ExpressionValue]) {
    self.contexts = Dictionary(contexts.map { ($0.key.expressionFolded, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  mutating func evaluate(_ node: ExpressionNode, depth: Int) throws(ExpressionError) -> ExpressionValue {
    let value = try compute(node, depth: depth)
    try memory.record(value, depth: depth)
    return value
  }

  private mutating func compute(_ node: ExpressionNode, depth: Int) throws(ExpressionError) -> ExpressionValue {
    switch node {
    case .literal(let value): return value
    case .context(let name): return contexts[name.expressionFolded] ?? .null
    case .index(let container, let key):
      let collection = try evaluate(container, depth: depth + 1)
      return Self.index(collection, by: try evaluate(key, depth: depth + 1))
    case .wildcard(let container): return Self.filter(try evaluate(container, depth: depth + 1))
    case .not(let operand): return .boolean(!(try evaluate(operand, depth: depth + 1).isTruthy))
    case .comparison(let symbol, let left, let right):
      let leftValue = try evaluate(left, depth: depth + 1)
      return .boolean(ExpressionComparison.holds(leftValue, symbol, try evaluate(right, depth: depth + 1)))
    case .and(let operands): return try firstOperand(operands, depth: depth) { !$0.isTruthy }
    case .or(let operands): return try firstOperand(operands, depth: depth) { $0.isTruthy }
    case .call(let function, let arguments): return try call(function, arguments, depth: depth)
    }
  }

  /// The first operand that settles the matter, else the last one.
  private mutating func firstOperand(
    _ operands: [ExpressionNode], depth: Int, settles: (ExpressionValue) -> Bool
  ) throws(ExpressionError) -> ExpressionValue {
    var value = ExpressionValue.null
    for operand in operands {
      value = try evaluate(operand, depth: depth + 1)
      if settles(value) { break }
    }
    return value
  }

  private mutating func call(
    _ function: ExpressionFunction, _ arguments: [ExpressionNode], depth: Int
  ) throws(ExpressionError) -> ExpressionValue {
    switch function.body {
    case .eager(let body):
      var values: [ExpressionValue] = []
      for argument in arguments { values.append(try evaluate(argument, depth: depth + 1)) }
      return try body(values)
    case .branching:
      var rest = arguments[...]
      while let predicate = rest.popFirst() {
        let value = try evaluate(predicate, depth: depth + 1)
        guard let result = rest.popFirst() else { return value }
        guard case .boolean(let holds) = value else { throw .evaluation("case predicate must evaluate to a boolean value") }
        if holds { return try evaluate(result, depth: depth + 1) }
      }
      return .null
    }
  }

  // MARK: Index and filter

  private static func index(_ collection: ExpressionValue, by key: ExpressionValue) -> ExpressionValue {
    guard case .array(let array) = collection, array.isFiltered else { return element(of: collection, key) ?? .null }
    return .array(ExpressionArray(array.items.compactMap { element(of: $0, key) }, isFiltered: true))
  }

  private static func element(of collection: ExpressionValue, _ key: ExpressionValue) -> ExpressionValue? {
    switch collection {
    case .object(let object): return key.isPrimitive ? object[key.text] : nil
    case .array(let array):
      let number = key.numeric.rounded(.down)
      guard number >= 0, let position = Int(exactly: number), position < array.items.count else { return nil }
      return array.items[position]
    default: return nil
    }
  }

  private static func filter(_ collection: ExpressionValue) -> ExpressionValue {
    guard case .array(let array) = collection, array.isFiltered else {
      return .array(ExpressionArray(members(of: collection), isFiltered: true))
    }
    return .array(ExpressionArray(array.items.flatMap(members(of:)), isFiltered: true))
  }

  private static func members(of collection: ExpressionValue) -> [ExpressionValue] {
    switch collection {
    case .object(let object): object.entries.map(\.value)
    case .array(let array): array.items
    default: []
    }
  }
}

/// What the values of one evaluation take: a node's own value counts until its parent has one.
struct ExpressionMemory {
  /// .NET's own figures: an object's header, and an empty string.
  private static let objectSize = 24
  private static let stringSize = 26

  private var sizes: [Int] = []
  private var total = 0

  mutating func record(_ value: ExpressionValue, depth: Int) throws(ExpressionError) {
    while sizes.count > depth + 1 { total -= sizes.removeLast() }
    while sizes.count <= depth { sizes.append(0) }
    let size = Self.size(of: value)
    sizes[depth] += size
    total += size
    if total > Expression.maximumMemory { throw Self.exceeded }
  }

  static var exceeded: ExpressionError { .evaluation("The maximum allowed memory size was exceeded") }

  private static func size(of value: ExpressionValue) -> Int {
    if case .string(let text) = value { return stringSize + 2 * text.utf16.count }
    return objectSize
  }
}
