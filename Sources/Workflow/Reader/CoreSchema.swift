/// YAML 1.2's core schema (section 10.3.2), which GitHub follows: `on` and `yes` are strings, `0o14` and `.inf` are numbers.
enum CoreSchema {
  enum Kind { case null, boolean, integer, float }

  /// The value of a plain scalar without a tag.
  static func value(ofPlain text: String) -> ExpressionValue {
    // Most are words, which begin with none of these.
    switch text.utf8.first ?? UInt8(ascii: "~") {
    case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "n"), UInt8(ascii: "N"),
      UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"):
      break
    default: return .string(text)
    }
    return null(text) ?? boolean(text) ?? integer(text) ?? float(text) ?? .string(text)
  }

  /// The value of a scalar under an explicit tag; nil where the text does not fit it.
  static func value(of text: String, as kind: Kind) -> ExpressionValue? {
    switch kind {
    case .null: null(text)
    case .boolean: boolean(text)
    case .integer: integer(text)
    case .float: float(text) ?? integer(text)
    }
  }

  private static func null(_ text: String) -> ExpressionValue? {
    switch text {
    case "", "~", "null", "Null", "NULL": .null
    default: nil
    }
  }

  private static func boolean(_ text: String) -> ExpressionValue? {
    switch text {
    case "true", "True", "TRUE": .boolean(true)
    case "false", "False", "FALSE": .boolean(false)
    default: nil
    }
  }

  private static func integer(_ text: String) -> ExpressionValue? {
    guard let first = text.utf8.first, isDigit(first, radix: 10) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") else {
      return nil
    }
    let radix = text.hasPrefix("0x") ? 16 : text.hasPrefix("0o") ? 8 : 10
    let digits = text.utf8.dropFirst(radix != 10 ? 2 : isDigit(first, radix: 10) ? 0 : 1)
    guard !digits.isEmpty, digits.allSatisfy({ isDigit($0, radix: radix) }) else { return nil }
    let magnitude = digits.reduce(0.0) { $0 * Double(radix) + Double(digitValue($1)) }
    // Decimal digits are read as one number, because summing them would round more than once.
    let exact = radix == 10 ? Double(String(Substring(digits))) ?? magnitude : magnitude
    return .number(first == UInt8(ascii: "-") ? -exact : exact)
  }

  private static func float(_ text: String) -> ExpressionValue? {
    guard let first = text.utf8.first, isDigit(first, radix: 10) || "+-.".utf8.contains(first) else { return nil }
    switch text {
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
    case ".nan", ".NaN", ".NAN": return .number(.nan)
    default: break
    }
    guard text.utf8.allSatisfy({ isDigit($0, radix: 10) || "+-.eE".utf8.contains($0) }) else { return nil }
    let value = ExpressionNumber.parse(text)
    return value.isNaN ? nil : .number(value)
  }

  private static func isDigit(_ byte: UInt8, radix: Int) -> Bool {
    switch byte {
    case 0x30...0x37: true
    case 0x38...0x39: radix >= 10
    case 0x41...0x46, 0x61...0x66: radix == 16
    default: false
    }
  }

  private static func digitValue(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    default: byte &- 0x61 &+ 10
    }
  }
}
