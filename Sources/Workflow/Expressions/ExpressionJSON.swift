/// JSON of the expression language: `toJSON` and `fromJSON`. Keys keep their order.
enum ExpressionJSON {
  /// The deepest value that is read or written, so that hostile text cannot exhaust the stack.
  static let maximumDepth = 100

  static func parse(_ text: String) throws(ExpressionError) -> ExpressionValue {
    var reader = ExpressionJSONReader(text)
    return try reader.document()
  }

  /// Indented by two blanks; an empty collection is `[]` or `{}`.
  static func write(_ value: ExpressionValue) throws(ExpressionError) -> String {
    var output = BoundedText()
    try write(value, depth: 0, to: &output)
    return output.text
  }

  private static func write(_ value: ExpressionValue, depth: Int, to output: inout BoundedText) throws(ExpressionError) {
    if depth > maximumDepth { throw .evaluation("The value is nested deeper than \(maximumDepth) levels") }
    switch value {
    case .null: try output.append("null")
    case .boolean, .number: try output.append(value.text)
    case .string(let text): try output.append(quoted(text))
    case .array(let array):
      try writeMembers(array.items, open: "[", close: "]", depth: depth, to: &output) { (item, output) throws(ExpressionError) in
        try write(item, depth: depth + 1, to: &output)
      }
    case .object(let object):
      try writeMembers(object.entries, open: "{", close: "}", depth: depth, to: &output) { (entry, output) throws(ExpressionError) in
        try output.append(quoted(entry.key) + ": ")
        try write(entry.value, depth: depth + 1, to: &output)
      }
    }
  }

  private static func writeMembers<Member>(
    _ members: [Member], open: String, close: String, depth: Int, to output: inout BoundedText,
    write: (Member, inout BoundedText) throws(ExpressionError) -> Void
  ) throws(ExpressionError) {
    if members.isEmpty { return try output.append(open + close) }
    let indent = String(repeating: "  ", count: depth)
    try output.append(open)
    for (position, member) in members.enumerated() {
      try output.append((position == 0 ? "\n  " : ",\n  ") + indent)
      try write(member, &output)
    }
    try output.append("\n" + indent + close)
  }

  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{8}": result += "\\b"
      case "\u{C}": result += "\\f"
      case "\u{0}"..."\u{1F}", "\u{85}", "\u{2028}", "\u{2029}":
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
