/// What a rule asks of a value, in words of a person.
extension SchemaRule {
  var words: String {
    if let constant { return constant.shown }
    if let values { return (values.count == 1 ? "" : "one of ") + values.map(\.shown).joined(separator: ", ") }
    guard !types.isEmpty else { return "another value" }
    return types.map(words(of:)).joined(separator: " or ")
  }

  func words(of type: SchemaType) -> String {
    switch type {
    case .object: "a mapping" + Self.span(members.least, members.most, " member")
    case .array: (list.isUnique ? "a list without repetitions" : "a list") + Self.span(list.least, list.most, " item")
    case .string: text.words
    case .integer: "a whole number" + number.words
    case .number: "a number" + number.words
    case .boolean: "true or false"
    case .null: "null"
    }
  }

  /// " of 1 to 32 characters".
  static func span(_ least: Int, _ most: Int, _ unit: String) -> String {
    if least == most { return " of \(least)\(unit)\(least == 1 ? "" : "s")" }
    if least > 0, most < .max { return " of \(least) to \(most)\(unit)s" }
    if least > 0 { return " of at least \(least)\(unit)\(least == 1 ? "" : "s")" }
    return most < .max ? " of at most \(most)\(unit)\(most == 1 ? "" : "s")" : ""
  }
}

extension NumberRule {
  var words: String {
    var words = ""
    switch (minimum, maximum) {
    case (let minimum?, let maximum?): words += " from \(minimum) to \(maximum)"
    case (let minimum?, nil): words += " from \(minimum)"
    case (nil, let maximum?): words += " up to \(maximum)"
    case (nil, nil): break
    }
    if let above { words += " above \(above)" }
    if let below { words += (above == nil ? "" : " and") + " below \(below)" }
    if let step { words += " that is a multiple of \(step)" }
    return words
  }
}

extension TextRule {
  var words: String {
    let noun = format?.words ?? "a text"
    let length = SchemaRule.span(least, most, " character")
    return noun + length + (pattern.map { " that matches \($0.text)" } ?? "")
  }
}

extension JSONValue {
  /// As a message shows it.
  var shown: String {
    switch self {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .number(let number): JSONNumber(self)?.description ?? "\(number)"
    case .string(let text): Self.shown(text)
    case .array(let items): "a list of \(items.count)"
    case .object(let members): "a mapping of \(members.count)"
    }
  }

  /// One line, at most 60 characters.
  static func shown(_ text: String) -> String {
    let start = text.prefix(60).unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case "\n": "\\n"
      case _ where scalar.properties.generalCategory == .control: "\u{FFFD}"
      default: String(scalar)
      }
    }
    return "\"\(start.joined())\(text.dropFirst(60).isEmpty ? "" : "…")\""
  }

  func has(type: SchemaType) -> Bool {
    switch (type, self) {
    case (.object, .object), (.array, .array), (.string, .string), (.boolean, .bool), (.null, .null), (.number, .integer),
      (.number, .number),
      (.integer, .integer):
      true
    case (.integer, .number): JSONNumber(self)?.isWhole ?? false
    default: false
    }
  }
}
