/// Tells texts from expressions: `${{ x }}` alone is an expression, text around expressions becomes one `format('…{0}…', x)`, as at GitHub.
struct ScalarReader {
  let reader: TemplateReader
  let scope: ExpressionScope

  /// The token of a scalar; a text whose expressions are wrong stays a text, and is reported.
  func token(of value: ExpressionValue, at node: YAMLNode) -> TemplateToken {
    switch value {
    case .null: return reader.token(.null, at: node)
    case .boolean(let value): return reader.token(.boolean(value), text: node.text ?? "", at: node)
    case .number(let value): return reader.token(.number(value), text: node.text ?? "", at: node)
    case .array, .object: return reader.token(.null, at: node)
    case .string(let text):
      guard ExpressionTemplate.containsExpression(text) else { return reader.token(.string(text), text: text, at: node) }
      do {
        let (content, expression) = try content(of: text)
        return reader.token(content, text: text, expression: expression, at: node)
      } catch {
        reader.collector.error(error.description, at: node, rule: .expression)
        return reader.token(.string(text), text: text, at: node)
      }
    }
  }

  private func content(of text: String) throws(ExpressionError) -> (TemplateToken.Content, Expression?) {
    let segments = try ExpressionTemplate.segments(of: text)
    var parsed: [Expression] = []
    for case .expression(let source) in segments {
      if try isInsert(source) {
        if segments.count == 1 { return (.insert, nil) }
        throw ExpressionError(phase: .parsing, message: Self.inlineDirective)
      }
      parsed.append(try Expression(source, in: scope))
    }
    if segments.count == 1, case .expression(let source) = segments[0] {
      if let literal = Self.literal(source) { return (.string(literal), nil) }
      return (.expression(source), parsed.last)
    }
    let combined = Self.combined(segments)
    return (.expression(combined.source), try Expression(formatting: parsed, pattern: combined.pattern, source: combined.source, in: scope))
  }

  private static let inlineDirective =
    "The directive 'insert' is not allowed in this context. Directives are not supported for expressions that are embedded within a string. "
    + "Directives are only supported when the entire value is an expression."

  /// Whether the expression is the directive, which takes no parameters.
  private func isInsert(_ source: String) throws(ExpressionError) -> Bool {
    guard source.hasPrefix("insert") else { return false }
    let rest = source.dropFirst("insert".count)
    guard let first = rest.first else { return true }
    guard first.isWhitespace else { return false }
    let count = rest.split(whereSeparator: \.isWhitespace).count
    throw ExpressionError(
      phase: .parsing,
      message: "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual parameter count: \(count)")
  }

  /// `'it''s'` is a text, and no run is needed to know it.
  private static func literal(_ source: String) -> String? {
    guard source.utf8.first == UInt8(ascii: "'"), let tokens = try? ExpressionLexer.tokens(of: source), tokens.count == 1,
      case .literal(.string(let text)) = tokens[0].kind
    else { return nil }
    return text
  }

  /// The text as one `format`: its source, and the pattern in it.
  private static func combined(_ segments: [ExpressionTemplate.Segment]) -> (source: String, pattern: String) {
    var pattern = ""
    var arguments = ""
    var count = 0
    for segment in segments {
      switch segment {
      case .literal(let text):
        pattern += doubled(text) { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }
      case .expression(let source):
        pattern += "{\(count)}"
        arguments += ", " + source
        count += 1
      }
    }
    // An accent on a quote makes it another character.
    let isASCII = pattern.utf8.allSatisfy { $0 < 0x80 }
    let quoted = isASCII ? doubled(pattern) { $0 == UInt8(ascii: "'") } : pattern.replacing("'", with: "''")
    return ("format('\(quoted)'\(arguments))", pattern)
  }

  /// The text with these of its bytes, which are ASCII, written twice.
  private static func doubled(_ text: String, where isDoubled: (UInt8) -> Bool) -> String {
    guard text.utf8.contains(where: isDoubled) else { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 16)
    for byte in text.utf8 {
      bytes.append(byte)
      if isDoubled(byte) { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
