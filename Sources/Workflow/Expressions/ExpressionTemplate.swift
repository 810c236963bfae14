/// Text with `${{ }}` inside.
public enum ExpressionTemplate {
  /// A piece of such a text.
  public enum Segment: Sendable, Equatable {
    case literal(String)
    /// What stands between `${{` and `}}`, trimmed.
    case expression(String)
  }

  /// Cuts a text into its pieces; `}}` inside a quoted string ends nothing.
  ///
  /// - Throws: an unclosed or an empty expression, in GitHub's words.
  public static func segments(of text: String) throws(ExpressionError) -> [Segment] {
    var segments: [Segment] = []
    var rest = Substring(text)
    // Where all bytes are characters, they are sought as bytes.
    let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
    while let start = isASCII ? opening(in: rest) : rest.firstRange(of: "${{") {
      if start.lowerBound > rest.startIndex { segments.append(.literal(String(rest[..<start.lowerBound]))) }
      let inner = rest[start.upperBound...]
      guard let end = closing(in: inner) else {
        throw ExpressionError(
          phase: .lexing,
          message: "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found.")
      }
      let body = inner[..<end.lowerBound].trimmingSpace
      if body.isEmpty { throw ExpressionError(phase: .parsing, message: "An expression was expected") }
      segments.append(.expression(body))
      rest = inner[end.upperBound...]
    }
    if !rest.isEmpty { segments.append(.literal(String(rest))) }
    return segments
  }

  /// Whether GitHub would look for an expression in the text.
  public static func containsExpression(_ text: String) -> Bool {
    var matched = 0
    for byte in text.utf8 {
      if matched == 2, byte == UInt8(ascii: "{") { return true }
      matched = matched == 1 && byte == UInt8(ascii: "{") ? 2 : byte == UInt8(ascii: "$") ? 1 : 0
    }
    return false
  }

  /// The text with every `${{ }}` replaced by its value.
  public static func interpolate(
    _ text: String, contexts: [String: ExpressionValue], functions: ExpressionFunctions = .standard
  ) throws(ExpressionError) -> String {
    guard containsExpression(text) else { return text }
    return try evaluate(text, contexts: contexts, functions: functions).text
  }

  /// The value of a scalar: of the expression itself where that is all the text has (so `${{ fromJSON(x) }}` can be an object), else the text.
  public static func evaluate(
    _ text: String, contexts: [String: ExpressionValue], functions: ExpressionFunctions = .standard
  ) throws(ExpressionError) -> ExpressionValue {
    let segments = try segments(of: text)
    if segments.count == 1, case .expression(let only) = segments[0] {
      return try Expression(only, contextNames: contexts.keys, functions: functions).evaluate(contexts: contexts)
    }
    var result = BoundedText()
    for segment in segments {
      switch segment {
      case .literal(let literal): try result.append(literal)
      case .expression(let source):
        let expression = try Expression(source, contextNames: contexts.keys, functions: functions)
        try result.append(try expression.evaluate(contexts: contexts).text)
      }
    }
    return .string(result.text)
  }

  /// The first `${{` of a text in ASCII.
  private static func opening(in text: Substring) -> Range<Substring.Index>? {
    let bytes = text.utf8
    var search = bytes.startIndex
    while let dollar = bytes[search...].firstIndex(of: UInt8(ascii: "$")) {
      search = bytes.index(after: dollar)
      if bytes[search...].starts(with: [UInt8(ascii: "{"), UInt8(ascii: "{")]) { return dollar..<bytes.index(search, offsetBy: 2) }
    }
    return nil
  }

  /// The first `}}` outside quotes.
  private static func closing(in text: Substring) -> Range<Substring.Index>? {
    var isQuoted = false
    var brace: Substring.Index?
    for index in text.utf8.indices {
      let byte = text.utf8[index]
      if byte == UInt8(ascii: "}"), !isQuoted {
        if let brace { return brace..<text.utf8.index(after: index) }
        brace = index
      } else {
        if byte == UInt8(ascii: "'") { isQuoted.toggle() }
        brace = nil
      }
    }
    return nil
  }
}

extension Substring {
  var trimmingSpace: String {
    // Nearly always there is nothing but ASCII at both ends.
    var start = utf8.startIndex
    var end = utf8.endIndex
    while start < end, Self.isSpace(utf8[start]) { start = utf8.index(after: start) }
    while start < end, Self.isSpace(utf8[utf8.index(before: end)]) { end = utf8.index(before: end) }
    let trimmed = self[start..<end]
    guard let first = trimmed.utf8.first, let last = trimmed.utf8.last, first >= 0x80 || last >= 0x80 else { return String(trimmed) }
    let head = trimmed.drop(while: \.isWhitespace)
    return String(head.reversed().drop(while: \.isWhitespace).reversed())
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
