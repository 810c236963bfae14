/// One function of the expression language.
public struct ExpressionFunction: Sendable {
  public typealias Body = @Sendable ([ExpressionValue]) throws(ExpressionError) -> ExpressionValue

  enum Kind: Sendable {
    case eager(Body)
    /// `case`: evaluates predicates in turn and only the branch that is taken.
    case branching
  }

  public let name: String
  /// How many arguments it takes; checked while parsing.
  public let arity: ClosedRange<Int>
  let body: Kind

  /// A function whose arguments are evaluated before the call.
  public init(_ name: String, arity: ClosedRange<Int>, body: @escaping Body) {
    self.name = name
    self.arity = arity
    self.body = .eager(body)
  }

  init(branching name: String, arity: ClosedRange<Int>) {
    self.name = name
    self.arity = arity
    body = .branching
  }

  var isBranching: Bool {
    if case .branching = body { return true }
    return false
  }
}

/// The functions that an expression may call, found by name in any case.
public struct ExpressionFunctions: Sendable {
  private var table: [String: ExpressionFunction]

  public init(_ functions: [ExpressionFunction]) {
    table = Dictionary(functions.map { ($0.name.expressionFolded, $0) }, uniquingKeysWith: { _, last in last })
  }

  public subscript(name: String) -> ExpressionFunction? { table[name.expressionFolded] }

  /// This table with further functions, which replace those of the same name.
  public func adding(_ functions: [ExpressionFunction]) -> ExpressionFunctions {
    var copy = self
    for function in functions { copy.table[function.name.expressionFolded] = function }
    return copy
  }

  /// What every expression may call: `contains`, `startsWith`, `endsWith`, `format`, `join`, `toJSON`, `fromJSON`, `case`.
  public static let standard = ExpressionFunctions([
    ExpressionFunction("contains", arity: 2...2) { arguments in .boolean(contains(arguments[0], arguments[1])) },
    ExpressionFunction("startsWith", arity: 2...2) { arguments in
      .boolean(compare(arguments) { $0.starts(with: $1) })
    },
    ExpressionFunction("endsWith", arity: 2...2) { arguments in
      .boolean(compare(arguments) { $0.reversed().starts(with: $1.reversed()) })
    },
    ExpressionFunction("format", arity: 1...255) { arguments throws(ExpressionError) in
      .string(try ExpressionFormat.format(arguments[0].text, Array(arguments.dropFirst())))
    },
    ExpressionFunction("join", arity: 1...2) { arguments throws(ExpressionError) in
      .string(try join(arguments[0], separator: arguments.count > 1 ? arguments[1] : nil))
    },
    ExpressionFunction("toJSON", arity: 1...1) { arguments throws(ExpressionError) in .string(try ExpressionJSON.write(arguments[0])) },
    ExpressionFunction("fromJSON", arity: 1...1) { arguments throws(ExpressionError) in try ExpressionJSON.parse(arguments[0].text) },
    ExpressionFunction(branching: "case", arity: 3...255),
  ])

  private static func contains(_ collection: ExpressionValue, _ item: ExpressionValue) -> Bool {
    if case .array(let array) = collection { return array.items.contains { ExpressionComparison.isEqual($0, item) } }
    guard collection.isPrimitive, item.isPrimitive else { return false }
    return occurs(Array(item.text.expressionFolded.utf8), in: collection.text.expressionFolded.utf8)
  }

  /// Knuth, Morris and Pratt: linear, since both texts may be hostile.
  private static func occurs(_ needle: [UInt8], in text: String.UTF8View) -> Bool {
    if needle.isEmpty { return true }
    var borders = [0]
    var matched = 0
    for byte in needle.dropFirst() {
      while matched > 0, needle[matched] != byte { matched = borders[matched - 1] }
      if needle[matched] == byte { matched += 1 }
      borders.append(matched)
    }
    matched = 0
    for byte in text {
      while matched > 0, needle[matched] != byte { matched = borders[matched - 1] }
      if needle[matched] == byte { matched += 1 }
      if matched == needle.count { return true }
    }
    return false
  }

  private static func compare(_ arguments: [ExpressionValue], _ holds: ([UInt16], [UInt16]) -> Bool) -> Bool {
    guard arguments[0].isPrimitive, arguments[1].isPrimitive else { return false }
    return holds(Array(arguments[0].text.expressionFolded.utf16), Array(arguments[1].text.expressionFolded.utf16))
  }

  private static func join(_ items: ExpressionValue, separator: ExpressionValue?) throws(ExpressionError) -> String {
    guard case .array(let array) = items else { return items.isPrimitive ? items.text : "" }
    let between = separator.map { $0.isPrimitive ? $0.text : "," } ?? ","
    var joined = BoundedText()
    for (position, item) in array.items.enumerated() {
      if position > 0 { try joined.append(between) }
      try joined.append(item.text)
    }
    return joined.text
  }
}

/// A text that refuses to outgrow the language's memory.
struct BoundedText {
  private(set) var text = ""
  private var length = 0

  mutating func append(_ part: String) throws(ExpressionError) {
    length += part.utf16.count
    if length > Expression.maximumMemory / 2 { throw ExpressionMemory.exceeded }
    text += part
  }
}
