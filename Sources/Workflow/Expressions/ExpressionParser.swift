/// The tree of an expression. Its height is at most ``Expression/maximumDepth``.
indirect enum ExpressionNode: Sendable {
  case literal(ExpressionValue)
  case context(String)
  case index(ExpressionNode, ExpressionNode)
  case wildcard(ExpressionNode)
  case not(ExpressionNode)
  case comparison(LogicalOperator, ExpressionNode, ExpressionNode)
  case and([ExpressionNode])
  case or([ExpressionNode])
  case call(ExpressionFunction, [ExpressionNode])
}

/// Builds the tree by precedence climbing, and checks names, arity and depth on the way.
struct ExpressionParser {
  /// Groups add nothing to GitHub's depth, so they have a bound of their own that keeps the recursion shallow.
  private static let maximumRecursion = 400
  private static let equality: [LogicalOperator] = [.equal, .notEqual]
  private static let relation: [LogicalOperator] = [.less, .lessOrEqual, .greater, .greaterOrEqual]

  private let text: String
  private let tokens: [ExpressionToken]
  private let isKnownContext: (String) -> Bool
  private let functions: ExpressionFunctions
  private var index = 0
  private var recursion = 0

  private struct Part {
    let node: ExpressionNode
    let height: Int
    let token: ExpressionToken
  }

  static func parse(
    _ text: String, isKnownContext: (String) -> Bool, functions: ExpressionFunctions
  ) throws(ExpressionError) -> ExpressionNode {
    let length = text.utf16.count
    if length > Expression.maximumLength {
      throw ExpressionError(phase: .parsing, message: "Exceeded max expression length \(Expression.maximumLength)")
    }
    let tokens = try ExpressionLexer.tokens(of: text)
    if tokens.isEmpty { return .literal(.null) }
    return try withoutActuallyEscaping(isKnownContext) { (known) throws(ExpressionError) -> ExpressionNode in
      var parser = ExpressionParser(text: text, tokens: tokens, isKnownContext: known, functions: functions)
      let root = try parser.parseOr()
      if let extra = parser.peek { throw parser.unexpected(extra) }
      return root.node
    }
  }

  private init(text: String, tokens: [ExpressionToken], isKnownContext: @escaping (String) -> Bool, functions: ExpressionFunctions) {
    self.text = text
    self.tokens = tokens
    self.isKnownContext = isKnownContext
    self.functions = functions
  }

  // MARK: Operators, the loosest first

  private mutating func parseOr() throws(ExpressionError) -> Part {
    let first = try parseAnd()
    var operands = [first]
    while accept(.logical(.or)) { operands.append(try parseAnd()) }
    return operands.count == 1 ? first : try part(.or(operands.map(\.node)), over: operands, at: first.token)
  }

  private mutating func parseAnd() throws(ExpressionError) -> Part {
    let first = try parseEquality()
    var operands = [first]
    while accept(.logical(.and)) { operands.append(try parseEquality()) }
    return operands.count == 1 ? first : try part(.and(operands.map(\.node)), over: operands, at: first.token)
  }

  private mutating func parseEquality() throws(ExpressionError) -> Part {
    var left = try parseRelation()
    while let symbol = acceptOperator(Self.equality) {
      let right = try parseRelation()
      left = try part(.comparison(symbol, left.node, right.node), over: [left, right], at: left.token)
    }
    return left
  }

  private mutating func parseRelation() throws(ExpressionError) -> Part {
    var left = try parseUnary()
    while let symbol = acceptOperator(Self.relation) {
      let right = try parseUnary()
      left = try part(.comparison(symbol, left.node, right.node), over: [left, right], at: left.token)
    }
    return left
  }

  private mutating func parseUnary() throws(ExpressionError) -> Part {
    recursion += 1
    defer { recursion -= 1 }
    guard let token = peek else { throw unexpectedEnd() }
    if recursion > Self.maximumRecursion { throw tooDeep(at: token) }
    guard token.kind == .logical(.not) else { return try parsePostfix() }
    index += 1
    let operand = try parseUnary()
    return try part(.not(operand.node), over: [operand], at: token)
  }

  // MARK: Operands

  private mutating func parsePostfix() throws(ExpressionError) -> Part {
    guard let token = peek else { throw unexpectedEnd() }
    var operand = try parsePrimary()
    if case .literal = token.kind { return operand }
    while let next = peek {
      switch next.kind {
      case .dereference:
        index += 1
        guard let name = peek else { throw unexpectedEnd() }
        switch name.kind {
        case .wildcard: operand = try part(.wildcard(operand.node), over: [operand], at: token)
        case .propertyName: operand = try part(.index(operand.node, .literal(.string(name.raw))), over: [operand], at: token)
        default: throw unexpected(name)
        }
        index += 1
      case .startIndex:
        index += 1
        if accept(.wildcard) {
          operand = try part(.wildcard(operand.node), over: [operand], at: token)
        } else {
          let key = try parseOr()
          operand = try part(.index(operand.node, key.node), over: [operand, key], at: token)
        }
        try expect(.endIndex)
      default: return operand
      }
    }
    return operand
  }

  private mutating func parsePrimary() throws(ExpressionError) -> Part {
    guard let token = peek else { throw unexpectedEnd() }
    index += 1
    switch token.kind {
    case .literal(let value): return Part(node: .literal(value), height: 1, token: token)
    case .namedValue:
      guard isKnownContext(token.raw) else { throw error("Unrecognized named-value: '\(token.raw)'", at: token) }
      return Part(node: .context(token.raw), height: 1, token: token)
    case .function: return try parseCall(token)
    case .startGroup:
      let inner = try parseOr()
      try expect(.endGroup)
      return inner
    default: throw unexpected(token)
    }
  }

  private mutating func parseCall(_ name: ExpressionToken) throws(ExpressionError) -> Part {
    guard let function = functions[name.raw] else { throw error("Unrecognized function: '\(name.raw)'", at: name) }
    try expect(.startGroup)
    var arguments: [Part] = []
    if !accept(.endGroup) {
      repeat { arguments.append(try parseOr()) } while accept(.separator)
      try expect(.endGroup)
    }
    if arguments.count < function.arity.lowerBound { throw error("Too few parameters supplied: '\(name.raw)'", at: name) }
    if arguments.count > function.arity.upperBound { throw error("Too many parameters supplied: '\(name.raw)'", at: name) }
    if function.isBranching, arguments.count.isMultiple(of: 2) {
      throw error("Even number of parameters supplied, requires an odd number of parameters: '\(name.raw)'", at: name)
    }
    return try part(.call(function, arguments.map(\.node)), over: arguments, at: name)
  }

  // MARK: Tokens and errors

  private var peek: ExpressionToken? { index < tokens.count ? tokens[index] : nil }

  private mutating func accept(_ kind: ExpressionToken.Kind) -> Bool {
    guard peek?.kind == kind else { return false }
    index += 1
    return true
  }

  private mutating func acceptOperator(_ accepted: [LogicalOperator]) -> LogicalOperator? {
    guard case .logical(let symbol)? = peek?.kind, accepted.contains(symbol) else { return nil }
    index += 1
    return symbol
  }

  private mutating func expect(_ kind: ExpressionToken.Kind) throws(ExpressionError) {
    guard let token = peek else { throw unexpectedEnd() }
    guard token.kind == kind else { throw unexpected(token) }
    index += 1
  }

  private func part(_ node: ExpressionNode, over children: [Part], at token: ExpressionToken) throws(ExpressionError) -> Part {
    let height = 1 + (children.map(\.height).max() ?? 0)
    if height > Expression.maximumDepth { throw tooDeep(at: token) }
    return Part(node: node, height: height, token: token)
  }

  private func tooDeep(at token: ExpressionToken) -> ExpressionError {
    error("Exceeded max expression depth \(Expression.maximumDepth)", at: token)
  }

  private func unexpected(_ token: ExpressionToken) -> ExpressionError { error("Unexpected symbol: '\(token.raw)'", at: token) }

  private func unexpectedEnd() -> ExpressionError {
    let last = tokens.last
    return ExpressionError(
      phase: .parsing, message: "Unexpected end of expression: '\(last?.raw ?? "")'", position: last?.position ?? 1, expression: text)
  }

  private func error(_ message: String, at token: ExpressionToken) -> ExpressionError {
    ExpressionError(phase: .parsing, message: message, position: token.position, expression: text)
  }
}
