/// Cuts Lua 5.4 source into tokens. Reads any bytes: what is not Lua is an error, never a trap.
///
/// Source: reference manual of Lua 5.4, section 3.1.
struct LuaLexer {
  /// A comment that begins with `---`: the annotations of the language server.
  struct Annotation: Hashable {
    /// Behind the dashes.
    var text: String
    var range: Range<Int>
  }

  private let source: [UInt8]
  private var position = 0
  private(set) var annotations: [Annotation] = []

  init(_ source: [UInt8]) { self.source = source }

  mutating func next() throws(LuaSyntaxError) -> LuaToken {
    try skipBlanksAndComments()
    let start = position
    guard let byte = peek() else { return LuaToken(kind: .end, range: start..<start) }
    let kind: LuaToken.Kind
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): kind = word()
    case UInt8(ascii: "0")...UInt8(ascii: "9"): kind = try number()
    case UInt8(ascii: ".") where peek(1).map(Self.isDigit) == true: kind = try number()
    case UInt8(ascii: "\""), UInt8(ascii: "'"): kind = .text(try quoted(byte))
    case UInt8(ascii: "[") where longBracketLevel() != nil: kind = .text(try longBracket("text"))
    default: kind = try symbol()
    }
    return LuaToken(kind: kind, range: start..<position)
  }

  // MARK: - Bytes

  private func peek(_ ahead: Int = 0) -> UInt8? { position + ahead < source.count ? source[position + ahead] : nil }
  private func text(_ range: Range<Int>) -> String { String(decoding: source[range], as: UTF8.self) }
  private func fail(_ message: String, from start: Int) -> LuaSyntaxError {
    LuaSyntaxError(description: message, range: start..<max(start, position))
  }

  private static func isDigit(_ byte: UInt8) -> Bool { 48...57 ~= byte }
  private static func isHexadecimal(_ byte: UInt8) -> Bool { isDigit(byte) || 97...102 ~= (byte | 32) }
  private static func isNamePart(_ byte: UInt8) -> Bool { isDigit(byte) || 97...122 ~= (byte | 32) || byte == UInt8(ascii: "_") }
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || 9...13 ~= byte }

  // MARK: - Blanks and comments

  private mutating func skipBlanksAndComments() throws(LuaSyntaxError) {
    while let byte = peek() {
      if Self.isBlank(byte) {
        position += 1
      } else if byte == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
        let start = position
        position += 2
        if peek() == UInt8(ascii: "["), longBracketLevel() != nil {
          _ = try longBracket("comment")
          continue
        }
        skipLine()
        if start + 2 < position, source[start + 2] == UInt8(ascii: "-") {
          annotations.append(Annotation(text: text(start + 3..<position), range: start..<position))
        }
      } else {
        return
      }
    }
  }

  private mutating func skipLine() {
    while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
  }

  // MARK: - Texts

  /// Equals signs of a long bracket that opens here; nil where none does.
  private func longBracketLevel() -> Int? {
    var level = 0
    while peek(1 + level) == UInt8(ascii: "=") { level += 1 }
    return peek(1 + level) == UInt8(ascii: "[") ? level : nil
  }

  private mutating func longBracket(_ what: String) throws(LuaSyntaxError) -> String {
    let start = position
    let level = longBracketLevel() ?? 0
    position += level + 2
    // A line end right behind the bracket is no part of the text.
    if peek() == UInt8(ascii: "\r") { position += 1 }
    if peek() == UInt8(ascii: "\n") { position += 1 }
    let first = position
    while let byte = peek() {
      if byte == UInt8(ascii: "]"), closesLongBracket(level) {
        let found = text(first..<position)
        position += level + 2
        return found
      }
      position += 1
    }
    throw fail("unfinished long \(what)", from: start)
  }

  private func closesLongBracket(_ level: Int) -> Bool {
    for ahead in 0..<level where peek(1 + ahead) != UInt8(ascii: "=") { return false }
    return peek(1 + level) == UInt8(ascii: "]")
  }

  private mutating func quoted(_ quote: UInt8) throws(LuaSyntaxError) -> String {
    let start = position
    position += 1
    var bytes: [UInt8] = []
    while let byte = peek() {
      position += 1
      switch byte {
      case quote: return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        position -= 1
        throw fail("unfinished string", from: start)
      case UInt8(ascii: "\\"): try escape(into: &bytes)
      default: bytes.append(byte)
      }
    }
    throw fail("unfinished string", from: start)
  }

  private static let plainEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
    UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): 92, UInt8(ascii: "\""): 34, UInt8(ascii: "'"): 39, UInt8(ascii: "\n"): 10,
  ]

  private mutating func escape(into bytes: inout [UInt8]) throws(LuaSyntaxError) {
    let start = position - 1
    guard let byte = peek() else { throw fail("unfinished string", from: start) }
    position += 1
    if let plain = Self.plainEscapes[byte] { return bytes.append(plain) }
    switch byte {
    case UInt8(ascii: "\r"):
      if peek() == UInt8(ascii: "\n") { position += 1 }
      bytes.append(10)
    case UInt8(ascii: "z"):
      while let blank = peek(), Self.isBlank(blank) { position += 1 }
    case UInt8(ascii: "x"):
      let value = digits(atMost: 2, base: 16)
      guard value.count == 2 else { throw fail("hexadecimal digit expected", from: start) }
      bytes.append(UInt8(truncatingIfNeeded: value.number))
    case UInt8(ascii: "u"):
      guard peek() == UInt8(ascii: "{") else { throw fail("missing '{' in \\u{xxxx}", from: start) }
      position += 1
      let value = digits(atMost: 8, base: 16)
      guard value.count > 0, value.number < 1 << 31 else { throw fail("UTF-8 value too large", from: start) }
      guard peek() == UInt8(ascii: "}") else { throw fail("missing '}' in \\u{xxxx}", from: start) }
      position += 1
      // Lua takes surrogates and numbers beyond Unicode; a text of Swift has none.
      bytes += Array(String(Unicode.Scalar(UInt32(value.number)).map(Character.init) ?? "\u{fffd}").utf8)
    case 48...57:
      position -= 1
      let value = digits(atMost: 3, base: 10)
      guard value.number <= 255 else { throw fail("decimal escape too large", from: start) }
      bytes.append(UInt8(value.number))
    default: throw fail("invalid escape sequence", from: start)
    }
  }

  private mutating func digits(atMost limit: Int, base: Int) -> (number: Int, count: Int) {
    var number = 0
    var count = 0
    while count < limit, let byte = peek(), base == 16 ? Self.isHexadecimal(byte) : Self.isDigit(byte) {
      number = number * base + Int(Self.isDigit(byte) ? byte - 48 : (byte | 32) - 87)
      count += 1
      position += 1
    }
    return (number, count)
  }

  // MARK: - Words, numbers, symbols

  private mutating func word() -> LuaToken.Kind {
    let start = position
    while let byte = peek(), Self.isNamePart(byte) { position += 1 }
    let word = text(start..<position)
    return LuaToken.Keyword(rawValue: word).map(LuaToken.Kind.keyword) ?? .name(word)
  }

  private mutating func number() throws(LuaSyntaxError) -> LuaToken.Kind {
    let start = position
    let isHexadecimal = peek() == UInt8(ascii: "0") && peek(1).map { $0 | 32 } == UInt8(ascii: "x")
    if isHexadecimal { position += 2 }
    let exponent = isHexadecimal ? UInt8(ascii: "p") : UInt8(ascii: "e")
    while let byte = peek() {
      if byte | 32 == exponent {
        position += 1
        if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      } else if Self.isNamePart(byte) || byte == UInt8(ascii: ".") {
        position += 1
      } else {
        break
      }
    }
    let word = text(start..<position)
    if isHexadecimal {
      let digits = word.dropFirst(2)
      // Whole hexadecimal numbers wrap around.
      if !digits.isEmpty, digits.utf8.allSatisfy(Self.isHexadecimal) {
        return .integer(Int64(bitPattern: digits.utf8.reduce(0) { $0 &<< 4 | UInt64(Self.isDigit($1) ? $1 - 48 : ($1 | 32) - 87) }))
      }
      if let value = Double(Self.withExponent(word)) { return .number(value) }
    } else {
      if let value = Int64(word) { return .integer(value) }
      if word.utf8.allSatisfy({ Self.isDigit($0) || ".eE+-".utf8.contains($0) }), let value = Double(Self.completed(word)) {
        return .number(value)
      }
    }
    throw fail("malformed number near '\(word)'", from: start)
  }

  /// Swift's reading needs the exponent that Lua lets be left out, and digits on both sides of the point.
  private static func withExponent(_ word: String) -> String {
    let lower = word.lowercased()
    let parts = lower.dropFirst(2).split(separator: "p", maxSplits: 1, omittingEmptySubsequences: false)
    guard let mantissa = parts.first, mantissa.contains(where: \.isHexDigit) else { return "" }
    return "0x" + completed(String(mantissa)) + "p" + (parts.count == 2 ? String(parts[1]) : "0")
  }

  private static func completed(_ word: String) -> String {
    guard let point = word.firstIndex(of: ".") else { return word }
    let before = word[..<point]
    let after = word[word.index(after: point)...]
    if before.isEmpty, after.first.map(\.isHexDigit) != true { return "" }
    return (before.isEmpty ? "0" : before) + "." + (after.first.map(\.isHexDigit) == true && after.first != "e" ? after : "0" + after)
  }

  private mutating func symbol() throws(LuaSyntaxError) -> LuaToken.Kind {
    let start = position
    for length in [3, 2, 1] where position + length <= source.count {
      guard let symbol = LuaToken.Symbol(rawValue: text(position..<position + length)) else { continue }
      position += length
      return .symbol(symbol)
    }
    position += 1
    throw fail("unexpected symbol near '\(text(start..<position))'", from: start)
  }
}
