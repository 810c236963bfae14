/// Cuts an expression into tokens, with the boundaries of GitHub's own lexer.
struct ExpressionLexer {
  private let text: String
  private let units: [UInt16]
  /// Nearly always: then the pieces are copied as bytes.
  private let isASCII: Bool
  private var index = 0
  private var tokens: [ExpressionToken] = []

  static func tokens(of text: String) throws(ExpressionError) -> [ExpressionToken] {
    var lexer = ExpressionLexer(text)
    while try lexer.readToken() {}
    return lexer.tokens
  }

  private init(_ text: String) {
    self.text = text
    units = Array(text.utf16)
    isASCII = units.count == text.utf8.count
  }

  /// The text of these units.
  private func piece(_ range: Range<Int>) -> String {
    guard isASCII else { return String(decoding: units[range], as: UTF16.self) }
    return String(unsafeUninitializedCapacity: range.count) { bytes in
      for offset in 0..<range.count { bytes[offset] = UInt8(truncatingIfNeeded: units[range.lowerBound + offset]) }
      return range.count
    }
  }

  private mutating func readToken() throws(ExpressionError) -> Bool {
    while index < units.count, Self.isSpace(units[index]) { index += 1 }
    guard index < units.count else { return false }
    switch units[index] {
    case UInt16(ascii: "("): append(.startGroup, length: 1)
    case UInt16(ascii: ")"): append(.endGroup, length: 1)
    case UInt16(ascii: "["): append(.startIndex, length: 1)
    case UInt16(ascii: "]"): append(.endIndex, length: 1)
    case UInt16(ascii: ","): append(.separator, length: 1)
    case UInt16(ascii: "*"): append(.wildcard, length: 1)
    case UInt16(ascii: "'"): try readString()
    case UInt16(ascii: "!"), UInt16(ascii: "="), UInt16(ascii: "<"), UInt16(ascii: ">"), UInt16(ascii: "&"), UInt16(ascii: "|"):
      try readOperator()
    case UInt16(ascii: "."):
      if startsOperand { try readNumber() } else { append(.dereference, length: 1) }
    case UInt16(ascii: "+"), UInt16(ascii: "-"), UInt16(ascii: "0")...UInt16(ascii: "9"): try readNumber()
    default: try readKeyword()
    }
    return true
  }

  /// Whether an operand may begin here, so that `.` begins a number and not a property.
  private var startsOperand: Bool {
    switch tokens.last?.kind {
    case nil, .separator, .startGroup, .startIndex, .logical: true
    default: false
    }
  }

  private mutating func readString() throws(ExpressionError) {
    let start = index
    var content: [UInt16] = []
    index += 1
    while index < units.count {
      let unit = units[index]
      index += 1
      guard unit == UInt16(ascii: "'") else {
        content.append(unit)
        continue
      }
      if index < units.count, units[index] == UInt16(ascii: "'") {
        content.append(unit)
        index += 1
      } else {
        push(.literal(.string(String(decoding: content, as: UTF16.self))), from: start)
        return
      }
    }
    throw unexpected(from: start)
  }

  private mutating func readOperator() throws(ExpressionError) {
    for length in [2, 1] where index + length <= units.count {
      let raw = piece(index..<index + length)
      if let symbol = LogicalOperator(rawValue: raw) { return append(.logical(symbol), length: length) }
    }
    let start = index
    index += 1
    skipToBoundary(dotIsBoundary: true)
    throw unexpected(from: start)
  }

  private mutating func readNumber() throws(ExpressionError) {
    let start = index
    skipToBoundary(dotIsBoundary: false)
    let value = ExpressionNumber.parse(piece(start..<index))
    if value.isNaN { throw unexpected(from: start) }
    push(.literal(.number(value)), from: start)
  }

  private mutating func readKeyword() throws(ExpressionError) {
    let start = index
    skipToBoundary(dotIsBoundary: true)
    let raw = piece(start..<index)
    guard Self.isKeyword(raw.utf8) else { throw unexpected(from: start) }
    if tokens.last?.kind == .dereference { return push(.propertyName, from: start) }
    switch raw {
    case "null": push(.literal(.null), from: start)
    case "true": push(.literal(.boolean(true)), from: start)
    case "false": push(.literal(.boolean(false)), from: start)
    case "NaN": push(.literal(.number(.nan)), from: start)
    case "Infinity": push(.literal(.number(.infinity)), from: start)
    default:
      let next = units[index...].first { !Self.isSpace($0) }
      push(next == UInt16(ascii: "(") ? .function : .namedValue, from: start)
    }
  }

  private mutating func skipToBoundary(dotIsBoundary: Bool) {
    while index < units.count, !Self.isBoundary(units[index]) || (!dotIsBoundary && units[index] == UInt16(ascii: ".")) { index += 1 }
  }

  private mutating func append(_ kind: ExpressionToken.Kind, length: Int) {
    let start = index
    index += length
    push(kind, from: start)
  }

  private mutating func push(_ kind: ExpressionToken.Kind, from start: Int) {
    tokens.append(ExpressionToken(kind: kind, raw: piece(start..<index), position: start + 1))
  }

  private func unexpected(from start: Int) -> ExpressionError {
    let raw = piece(start..<index)
    return ExpressionError(phase: .lexing, message: "Unexpected symbol: '\(raw)'", position: start + 1, expression: text)
  }

  private static func isSpace(_ unit: UInt16) -> Bool {
    if unit < 0x80 { return unit == 0x20 || (0x09...0x0D).contains(unit) }
    return Unicode.Scalar(unit)?.properties.isWhitespace ?? false
  }

  private static func isBoundary(_ unit: UInt16) -> Bool {
    switch unit {
    case UInt16(ascii: "("), UInt16(ascii: ")"), UInt16(ascii: "["), UInt16(ascii: "]"), UInt16(ascii: ","), UInt16(ascii: "."),
      UInt16(ascii: "!"), UInt16(ascii: "="), UInt16(ascii: "<"), UInt16(ascii: ">"), UInt16(ascii: "&"), UInt16(ascii: "|"):
      true
    default: isSpace(unit)
    }
  }

  private static func isKeyword(_ text: String.UTF8View) -> Bool {
    guard let first = text.first, isLetter(first) else { return false }
    return text.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
  }
}

extension UInt16 {
  fileprivate init(ascii scalar: Unicode.Scalar) { self = UInt16(UInt8(ascii: scalar)) }
}
