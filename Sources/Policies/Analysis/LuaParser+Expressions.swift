extension LuaParser {
  mutating func expressions() throws(LuaSyntaxError) -> [LuaExpression] {
    var list = [try expression()]
    while try take(.comma) { list.append(try expression()) }
    return list
  }

  mutating func expression() throws(LuaSyntaxError) -> LuaExpression {
    try nested { parser throws(LuaSyntaxError) in try parser.operation(above: 0) }
  }

  // MARK: - Operators

  private enum Operator {
    case and, or
    case symbol(LuaToken.Symbol)
  }

  /// How strongly an operator binds to its left and its right: those of the right bind less to the right.
  private static let strengths: [LuaToken.Symbol: (left: Int, right: Int)] = [
    .less: (3, 3), .greater: (3, 3), .lessOrEqual: (3, 3), .greaterOrEqual: (3, 3), .notEqual: (3, 3), .equal: (3, 3), .bar: (4, 4),
    .tilde: (5, 5), .ampersand: (6, 6), .shiftLeft: (7, 7), .shiftRight: (7, 7), .concatenation: (9, 8), .plus: (10, 10),
    .minus: (10, 10), .times: (11, 11), .divide: (11, 11), .floorDivide: (11, 11), .modulo: (11, 11), .power: (14, 13),
  ]
  private static let unaryStrength = 12

  private func operatorHere() -> (found: Operator, left: Int, right: Int)? {
    switch token.kind {
    case .keyword(.or): return (.or, 1, 1)
    case .keyword(.and): return (.and, 2, 2)
    case .symbol(let symbol): return Self.strengths[symbol].map { (.symbol(symbol), $0.left, $0.right) }
    default: return nil
    }
  }

  private mutating func operation(above limit: Int) throws(LuaSyntaxError) -> LuaExpression {
    let start = token.range.lowerBound
    var left = try unaryOrSimple()
    while let next = operatorHere(), next.left > limit {
      try advance()
      let right = try nested { parser throws(LuaSyntaxError) in try parser.operation(above: next.right) }
      let kind: LuaExpression.Kind =
        switch next.found {
        case .and: .and(left, right)
        case .or: .or(left, right)
        case .symbol(let symbol): .binary(symbol, left, right)
        }
      left = try node(kind, range(from: start))
    }
    return left
  }

  private mutating func unaryOrSimple() throws(LuaSyntaxError) -> LuaExpression {
    let start = token.range.lowerBound
    let isNot = isAt(.not)
    guard isNot || isAt(.minus) || isAt(.length) || isAt(.tilde) else { return try simple() }
    let isMinus = isAt(.minus)
    try advance()
    let operand = try nested { parser throws(LuaSyntaxError) in try parser.operation(above: Self.unaryStrength) }
    if isNot { return try node(.not(operand), range(from: start)) }
    switch (isMinus, operand.kind) {
    case (true, .integer(let value)): return try node(.integer(0 &- value), range(from: start))
    case (true, .number(let value)): return try node(.number(-value), range(from: start))
    default: return try node(.unary(operand), range(from: start))
    }
  }

  // MARK: - Values

  private mutating func simple() throws(LuaSyntaxError) -> LuaExpression {
    let range = token.range
    let kind: LuaExpression.Kind
    switch token.kind {
    case .integer(let value): kind = .integer(value)
    case .number(let value): kind = .number(value)
    case .text(let text): kind = .text(text)
    case .keyword(.nil): kind = .none
    case .keyword(.true): kind = .bool(true)
    case .keyword(.false): kind = .bool(false)
    case .symbol(.ellipsis): kind = .vararg
    case .symbol(.leftBrace): return try table()
    case .keyword(.function):
      try advance()
      let function = try functionBody(isMethod: false)
      return try node(.function(function), range.lowerBound..<function.range.upperBound)
    default: return try suffixed()
    }
    try advance()
    return try node(kind, range)
  }

  /// A name or a parenthesis, and what follows it: fields, keys, calls.
  mutating func suffixed() throws(LuaSyntaxError) -> LuaExpression {
    let start = token.range.lowerBound
    var value = try primary()
    while let kind = try suffix(of: value) {
      value = try node(kind, range(from: start))
    }
    return value
  }

  private mutating func primary() throws(LuaSyntaxError) -> LuaExpression {
    let start = token.range.lowerBound
    if try take(.leftParenthesis) {
      let inner = try expression()
      try expect(.rightParenthesis)
      return try node(.parentheses(inner), range(from: start))
    }
    guard case .name = token.kind else { throw unexpected("unexpected symbol") }
    let name = try name()
    return try node(.name(name), name.range)
  }

  private mutating func suffix(of base: LuaExpression) throws(LuaSyntaxError) -> LuaExpression.Kind? {
    switch token.kind {
    case .symbol(.dot):
      try advance()
      return .field(base: base, name: try name())
    case .symbol(.leftBracket):
      try advance()
      let key = try expression()
      try expect(.rightBracket)
      guard case .text(let text) = key.kind else { return .index(base: base, key: key) }
      return .field(base: base, name: LuaName(text: text, range: key.range))
    case .symbol(.colon):
      try advance()
      let name = try name()
      return .method(base: base, name: name, arguments: try arguments())
    case .symbol(.leftParenthesis), .symbol(.leftBrace), .text: return .call(base, arguments: try arguments())
    default: return nil
    }
  }

  private mutating func arguments() throws(LuaSyntaxError) -> [LuaExpression] {
    let range = token.range
    switch token.kind {
    case .text(let text):
      try advance()
      return [try node(.text(text), range)]
    case .symbol(.leftBrace): return [try nested { parser throws(LuaSyntaxError) in try parser.table() }]
    case .symbol(.leftParenthesis):
      try advance()
      let list = isAt(.rightParenthesis) ? [] : try expressions()
      try expect(.rightParenthesis)
      return list
    default: throw unexpected("function arguments expected")
    }
  }

  private mutating func table() throws(LuaSyntaxError) -> LuaExpression {
    let start = token.range.lowerBound
    try expect(.leftBrace)
    var items: [LuaTableItem] = []
    while !isAt(.rightBrace) {
      items.append(try tableItem())
      if try !take(.comma), try !take(.semicolon) { break }
    }
    try expect(.rightBrace)
    return try node(.table(items), range(from: start))
  }

  private mutating func tableItem() throws(LuaSyntaxError) -> LuaTableItem {
    if try take(.leftBracket) {
      let key = try expression()
      try expect(.rightBracket)
      try expect(.assign)
      let value = try expression()
      guard case .text(let text) = key.kind else { return LuaTableItem(key: .computed(key), value: value) }
      return LuaTableItem(key: .name(LuaName(text: text, range: key.range)), value: value)
    }
    if case .name = token.kind, try peek().kind == .symbol(.assign) {
      let name = try name()
      try advance()
      return LuaTableItem(key: .name(name), value: try expression())
    }
    return LuaTableItem(key: .position, value: try expression())
  }

  // MARK: - Functions

  /// From the parenthesis to `end`.
  mutating func functionBody(isMethod: Bool) throws(LuaSyntaxError) -> LuaFunction {
    let start = token.range.lowerBound
    try expect(.leftParenthesis)
    var parameters = isMethod ? [LuaName(text: "self", range: start..<start)] : []
    var isVariadic = false
    while !isAt(.rightParenthesis), !isVariadic {
      isVariadic = try take(.ellipsis)
      if !isVariadic { parameters.append(try name()) }
      if try !take(.comma) { break }
    }
    try expect(.rightParenthesis)
    let outside = tallest
    tallest = 0
    let body = try block()
    try expect(.end)
    defer { tallest = max(tallest, outside) }
    return LuaFunction(parameters: parameters, isVariadic: isVariadic, body: body, range: range(from: start), height: tallest)
  }
}
