/// Reads JSON (RFC 8259) with the order of keys kept; of two equal keys the later one counts.
struct ExpressionJSONReader {
  private let bytes: [UInt8]
  private var index = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func document() throws(ExpressionError) -> ExpressionValue {
    let value = try self.value(depth: 0)
    skipSpace()
    if index < bytes.count { throw unexpected() }
    return value
  }

  private mutating func value(depth: Int) throws(ExpressionError) -> ExpressionValue {
    if depth > ExpressionJSON.maximumDepth {
      throw .evaluation("Error parsing fromJson: nested deeper than \(ExpressionJSON.maximumDepth) levels")
    }
    skipSpace()
    guard index < bytes.count else { throw unexpected() }
    switch bytes[index] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(ExpressionError) -> ExpressionValue {
    var entries: [ExpressionObject.Entry] = []
    index += 1
    if accept(UInt8(ascii: "}")) { return .object(ExpressionObject(entries)) }
    repeat {
      skipSpace()
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw unexpected() }
      let key = try string()
      guard accept(UInt8(ascii: ":")) else { throw unexpected() }
      entries.append(.init(key: key, value: try value(depth: depth + 1)))
    } while accept(UInt8(ascii: ","))
    guard accept(UInt8(ascii: "}")) else { throw unexpected() }
    return .object(ExpressionObject(entries))
  }

  private mutating func array(depth: Int) throws(ExpressionError) -> ExpressionValue {
    var items: [ExpressionValue] = []
    index += 1
    if accept(UInt8(ascii: "]")) { return .array(ExpressionArray(items)) }
    repeat { items.append(try value(depth: depth + 1)) } while accept(UInt8(ascii: ","))
    guard accept(UInt8(ascii: "]")) else { throw unexpected() }
    return .array(ExpressionArray(items))
  }

  private mutating func string() throws(ExpressionError) -> String {
    index += 1
    var content: [UInt8] = []
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"):
        index += 1
        try escape(into: &content)
      case 0..<0x20: throw unexpected()
      default:
        content.append(byte)
        index += 1
      }
    }
    throw unexpected()
  }

  private mutating func escape(into content: inout [UInt8]) throws(ExpressionError) {
    guard index < bytes.count else { throw unexpected() }
    let byte = bytes[index]
    let plain: [UInt8: UInt8] = [
      UInt8(ascii: "n"): 0x0A, UInt8(ascii: "t"): 0x09, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
      UInt8(ascii: "\""): byte, UInt8(ascii: "\\"): byte, UInt8(ascii: "/"): byte,
    ]
    if let character = plain[byte] {
      index += 1
      content.append(character)
      return
    }
    guard byte == UInt8(ascii: "u") else { throw unexpected() }
    var units = [try hexadecimal()]
    if UTF16.isLeadSurrogate(units[0]), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") {
      index += 1
      units.append(try hexadecimal())
    }
    content += Array(String(decoding: units, as: UTF16.self).utf8)
  }

  /// Four digits after the `u` at the index.
  private mutating func hexadecimal() throws(ExpressionError) -> UInt16 {
    let digits = bytes[(index + 1)...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw unexpected() }
    index += 5
    return unit
  }

  private mutating func number() throws(ExpressionError) -> ExpressionValue {
    let digits = bytes[index...].prefix { (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }
    let text = String(decoding: digits, as: UTF8.self)
    let value = ExpressionNumber.parse(text)
    guard !text.isEmpty, !value.isNaN, text.first != "+", text.first != "." else { throw unexpected() }
    index += digits.count
    return .number(value)
  }

  private mutating func word(_ word: String, _ value: ExpressionValue) throws(ExpressionError) -> ExpressionValue {
    guard bytes[index...].starts(with: word.utf8) else { throw unexpected() }
    index += word.utf8.count
    return value
  }

  private mutating func accept(_ byte: UInt8) -> Bool {
    skipSpace()
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
  }

  private func unexpected() -> ExpressionError {
    guard index < bytes.count else { return .evaluation("Error parsing fromJson: unexpected end of the text") }
    let line = bytes[..<index].count { $0 == 0x0A } + 1
    let character = String(decoding: bytes[index...].prefix(4), as: UTF8.self).first.map(String.init) ?? ""
    return .evaluation("Error parsing fromJson: unexpected '\(character)' in line \(line), at byte \(index + 1)")
  }
}
