import Foundation

/// The language's number syntax, and how it prints numbers.
enum ExpressionNumber {
  /// Reads `1`, `-.5`, `1e3`, `0xff`, `0o17`, `Infinity`; blank text is 0, anything else NaN.
  static func parse(_ text: String) -> Double {
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if trimmed.isEmpty { return 0 }
    switch trimmed {
    case "Infinity", "+Infinity": return .infinity
    case "-Infinity": return -.infinity
    default: break
    }
    if trimmed.hasPrefix("0x") { return digits(trimmed.dropFirst(2), radix: 16) }
    if trimmed.hasPrefix("0o") { return digits(trimmed.dropFirst(2), radix: 8) }
    return isDecimal(trimmed.utf8) ? Double(trimmed) ?? .nan : .nan
  }

  /// At most 15 significant digits and no negative zero, as .NET's `G15`.
  static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    if value == 0 { return "0" }
    return String(format: "%.15G", value)
  }

  private static func digits(_ text: Substring, radix: Int) -> Double {
    if text.isEmpty { return .nan }
    var value = 0.0
    for character in text {
      guard character.isASCII, let digit = character.hexDigitValue, digit < radix else { return .nan }
      value = value * Double(radix) + Double(digit)
    }
    return value
  }

  private static func isDecimal(_ text: String.UTF8View) -> Bool {
    var rest = text[...]
    func skipDigits() -> Int {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      rest = rest.dropFirst(digits.count)
      return digits.count
    }
    func skip(_ accepted: StaticString) -> Bool {
      guard let first = rest.first, accepted.withUTF8Buffer({ $0.contains(first) }) else { return false }
      rest = rest.dropFirst()
      return true
    }
    _ = skip("+-")
    var mantissa = skipDigits()
    if skip(".") { mantissa += skipDigits() }
    if mantissa == 0 { return false }
    if skip("eE") {
      _ = skip("+-")
      if skipDigits() == 0 { return false }
    }
    return rest.isEmpty
  }
}
