/// Reads Lua 5.4 into a tree. Any bytes end in a tree or an error: nesting is bounded, so that neither this nor a walk over the tree can
/// run out of stack.
///
/// Source: reference manual of Lua 5.4, section 9. Attributes, labels and jumps are read and not kept; Lua's own compiler checks them.
struct LuaParser {
  /// Levels of nesting, as in Lua itself, which also counts them in one row.
  static let deepest = 180
  /// Levels of an expression: each operator or suffix of a row adds one.
  static let tallest = 300

  private var lexer: LuaLexer
  private(set) var token: LuaToken
  private var ahead: LuaToken?
  private var lastEnd = 0
  private var depth = 0
  /// Height of the tallest expression of the function that is being read.
  var tallest = 0

  static func parse(_ source: [UInt8]) throws(LuaSyntaxError) -> LuaChunk {
    var parser = try LuaParser(source)
    let body = try parser.block()
    if parser.token.kind != .end { throw parser.unexpected("'<eof>' expected") }
    return LuaChunk(body: body, annotations: parser.lexer.annotations)
  }

  private init(_ source: [UInt8]) throws(LuaSyntaxError) {
    lexer = LuaLexer(source)
    token = try lexer.next()
  }

  // MARK: - Tokens

  mutating func advance() throws(LuaSyntaxError) {
    lastEnd = token.range.upperBound
    if let known = ahead {
      token = known
      ahead = nil
    } else {
      token = try lexer.next()
    }
  }

  mutating func peek() throws(LuaSyntaxError) -> LuaToken {
    if let ahead { return ahead }
    let next = try lexer.next()
    ahead = next
    return next
  }

  func isAt(_ symbol: LuaToken.Symbol) -> Bool { token.kind == .symbol(symbol) }
  func isAt(_ keyword: LuaToken.Keyword) -> Bool { token.kind == .keyword(keyword) }

  mutating func take(_ symbol: LuaToken.Symbol) throws(LuaSyntaxError) -> Bool {
    guard isAt(symbol) else { return false }
    try advance()
    return true
  }
  mutating func take(_ keyword: LuaToken.Keyword) throws(LuaSyntaxError) -> Bool {
    guard isAt(keyword) else { return false }
    try advance()
    return true
  }
  mutating func expect(_ symbol: LuaToken.Symbol) throws(LuaSyntaxError) {
    if try !take(symbol) { throw unexpected("'\(symbol.rawValue)' expected") }
  }
  mutating func expect(_ keyword: LuaToken.Keyword) throws(LuaSyntaxError) {
    if try !take(keyword) { throw unexpected("'\(keyword.rawValue)' expected") }
  }

  mutating func name() throws(LuaSyntaxError) -> LuaName {
    guard case .name(let text) = token.kind else { throw unexpected("<name> expected") }
    let name = LuaName(text: text, range: token.range)
    try advance()
    return name
  }

  func unexpected(_ message: String) -> LuaSyntaxError {
    let near: String
    switch token.kind {
    case .end: near = "<eof>"
    case .name(let text): near = "'\(text)'"
    case .keyword(let keyword): near = "'\(keyword.rawValue)'"
    case .symbol(let symbol): near = "'\(symbol.rawValue)'"
    case .text(let text): near = "'\(text.prefix(20))'"
    case .integer(let value): near = "'\(value)'"
    case .number(let value): near = "'\(value)'"
    }
    return LuaSyntaxError(description: "\(message) near \(near)", range: token.range)
  }

  func range(from start: Int) -> Range<Int> { start..<max(start, lastEnd) }

  mutating func node(_ kind: LuaExpression.Kind, _ range: Range<Int>) throws(LuaSyntaxError) -> LuaExpression {
    let height = 1 + kind.tallestChild
    guard height <= Self.tallest else {
      throw LuaSyntaxError(description: "an expression of more than \(Self.tallest) levels", range: range)
    }
    tallest = max(tallest, height)
    return LuaExpression(kind: kind, range: range, height: height)
  }

  /// One level deeper for the time of a body.
  mutating func nested<Node>(_ body: (inout LuaParser) throws(LuaSyntaxError) -> Node) throws(LuaSyntaxError) -> Node {
    guard depth < Self.deepest else { throw LuaSyntaxError(description: "more than \(Self.deepest) levels", range: token.range) }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  // MARK: - Statements

  private var endsBlock: Bool {
    switch token.kind {
    case .end, .keyword(.end), .keyword(.else), .keyword(.elseif), .keyword(.until): true
    default: false
    }
  }

  mutating func block() throws(LuaSyntaxError) -> [LuaStatement] {
    var statements: [LuaStatement] = []
    while !endsBlock {
      if try take(.semicolon) { continue }
      let isLast = isAt(.return)
      statements.append(try nested { parser throws(LuaSyntaxError) in try parser.statement() })
      if isLast { break }
    }
    return statements
  }

  private mutating func statement() throws(LuaSyntaxError) -> LuaStatement {
    let start = token.range.lowerBound
    let kind = try statementKind()
    return LuaStatement(kind: kind, range: range(from: start))
  }

  private mutating func statementKind() throws(LuaSyntaxError) -> LuaStatement.Kind {
    guard case .keyword(let keyword) = token.kind else {
      if try take(.doubleColon) {
        _ = try name()
        try expect(.doubleColon)
        return .jump
      }
      return try callOrAssignment()
    }
    switch keyword {
    case .local:
      try advance()
      return try take(.function) ? .localFunction(try name(), try functionBody(isMethod: false)) : try local()
    case .function: return try functionStatement()
    case .if: return try branch()
    case .for: return try loop()
    case .while:
      try advance()
      let condition = try expression()
      try expect(.do)
      let body = try block()
      try expect(.end)
      return .loop(condition: condition, body: body)
    case .repeat:
      try advance()
      let body = try block()
      try expect(.until)
      return .repeatUntil(body: body, condition: try expression())
    case .do:
      try advance()
      let body = try block()
      try expect(.end)
      return .block(body)
    case .return:
      try advance()
      let values = endsBlock || isAt(.semicolon) ? [] : try expressions()
      _ = try take(.semicolon)
      if !endsBlock { throw unexpected("'<eof>' expected") }
      return .returns(values)
    case .break:
      try advance()
      return .jump
    case .goto:
      try advance()
      _ = try name()
      return .jump
    default: return try callOrAssignment()
    }
  }

  private mutating func local() throws(LuaSyntaxError) -> LuaStatement.Kind {
    var names: [LuaName] = []
    repeat {
      names.append(try name())
      if try take(.less) {
        _ = try name()
        try expect(.greater)
      }
    } while try take(.comma)
    return .local(names, values: try take(.assign) ? try expressions() : [])
  }

  private mutating func functionStatement() throws(LuaSyntaxError) -> LuaStatement.Kind {
    try advance()
    let first = try name()
    var target = try node(.name(first), first.range)
    var isMethod = false
    while !isMethod, isAt(.dot) || isAt(.colon) {
      isMethod = isAt(.colon)
      try advance()
      let field = try name()
      target = try node(.field(base: target, name: field), first.range.lowerBound..<field.range.upperBound)
    }
    return .function(target, try functionBody(isMethod: isMethod))
  }

  private mutating func branch() throws(LuaSyntaxError) -> LuaStatement.Kind {
    var branches: [LuaBranch] = []
    repeat {
      try advance()
      let condition = try expression()
      try expect(.then)
      branches.append(LuaBranch(condition: condition, body: try block()))
    } while isAt(.elseif)
    let otherwise = try take(.else) ? try block() : []
    try expect(.end)
    return .branch(branches, otherwise: otherwise)
  }

  private mutating func loop() throws(LuaSyntaxError) -> LuaStatement.Kind {
    try advance()
    let first = try name()
    if try take(.assign) {
      let bounds = try expressions()
      guard (2...3).contains(bounds.count) else { throw unexpected("',' expected") }
      try expect(.do)
      let body = try block()
      try expect(.end)
      return .numericFor(first, bounds: bounds, body: body)
    }
    var names = [first]
    while try take(.comma) { names.append(try name()) }
    try expect(.in)
    let values = try expressions()
    try expect(.do)
    let body = try block()
    try expect(.end)
    return .genericFor(names, values: values, body: body)
  }

  private mutating func callOrAssignment() throws(LuaSyntaxError) -> LuaStatement.Kind {
    let first = try suffixed()
    if isAt(.assign) || isAt(.comma) {
      var targets = [first]
      while try take(.comma) { targets.append(try suffixed()) }
      try expect(.assign)
      for target in targets {
        switch target.kind {
        case .name, .field, .index: continue
        default: throw LuaSyntaxError(description: "cannot assign to this", range: target.range)
        }
      }
      return .assign(targets, values: try expressions())
    }
    switch first.kind {
    case .call, .method: return .call(first)
    default: throw unexpected("syntax error")
    }
  }
}
