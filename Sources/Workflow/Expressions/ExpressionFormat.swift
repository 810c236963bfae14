/// `format`: `{0}` stands for an argument, `{{` and `}}` for braces.
enum ExpressionFormat {
  static func format(_ pattern: String, _ arguments: [ExpressionValue]) throws(ExpressionError) -> String {
    var result = BoundedText()
    var rest = Substring(pattern)
    while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      try result.append(String(rest[..<brace]))
      let isOpening = rest[brace] == "{"
      let after = rest[rest.index(after: brace)...]
      if after.first == rest[brace] {
        try result.append(isOpening ? "{" : "}")
        rest = after.dropFirst()
        continue
      }
      guard isOpening, let end = after.firstIndex(of: "}"), let position = argumentIndex(after[..<end]) else {
        throw .evaluation("The following format string is invalid: \(pattern)")
      }
      guard position < arguments.count else {
        throw .evaluation("The following format string references more arguments than were supplied: \(pattern)")
      }
      try result.append(arguments[position].text)
      rest = after[after.index(after: end)...]
    }
    try result.append(String(rest))
    return result.text
  }

  private static func argumentIndex(_ digits: Substring) -> Int? {
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = UInt8(digits) else { return nil }
    return Int(value)
  }
}
