internal import Domain

/// Reads the values of keywords.
extension SchemaReader {
  func refusal(_ message: String, at place: JSONPointer) -> JSONSchema.Refusal {
    JSONSchema.Refusal(pointer: place.description, message: message)
  }

  func text(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> String {
    guard case .string(let text) = value else { throw refusal("is \(value.shown), expected a text", at: place) }
    return text
  }

  func flag(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> Bool {
    guard case .bool(let flag) = value else { throw refusal("is \(value.shown), expected true or false", at: place) }
    return flag
  }

  func number(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> JSONNumber {
    guard let number = JSONNumber(value) else { throw refusal("is \(value.shown), expected a number", at: place) }
    return number
  }

  func step(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> JSONNumber {
    let step = try number(value, at: place)
    guard step.double > 0 else { throw refusal("is \(value.shown), expected a number above 0", at: place) }
    return step
  }

  func format(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> TextFormat {
    let name = try text(value, at: place)
    if let format = TextFormat(rawValue: name) { return format }
    let names = TextFormat.allCases.map(\.rawValue)
    let hint =
      Suggestion.nearest(to: name, among: names).map { " – did you mean '\($0)'?" } ?? "; known are \(names.joined(separator: ", "))"
    throw refusal("unknown format '\(name)'\(hint)", at: place)
  }

  func count(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> Int {
    guard case .integer(let number) = value.canonical, let count = Int(exactly: number), count >= 0 else {
      throw refusal("is \(value.shown), expected a whole number from 0", at: place)
    }
    return count
  }

  func items(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> [JSONValue] {
    guard case .array(let items) = value else { throw refusal("is \(value.shown), expected a list", at: place) }
    return items
  }

  func members(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> [(key: String, value: JSONValue)] {
    guard case .object(let members) = value else { throw refusal("is \(value.shown), expected a mapping", at: place) }
    return members.sorted { $0.key < $1.key }
  }

  func names(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> [String] {
    try items(value, at: place).map { item throws(JSONSchema.Refusal) in try text(item, at: place) }
  }

  func types(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> [SchemaType] {
    let words = if case .array(let items) = value { items } else { [value] }
    guard !words.isEmpty else { throw refusal("needs a type at least", at: place) }
    return try words.map { word throws(JSONSchema.Refusal) in
      guard let type = word.string.flatMap(SchemaType.init(rawValue:)) else {
        throw refusal("is \(word.shown), expected one of \(SchemaType.allCases.map(\.rawValue).joined(separator: ", "))", at: place)
      }
      return type
    }
  }

  mutating func rules(_ value: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> [SchemaRule.ID] {
    let schemas = try items(value, at: place)
    guard !schemas.isEmpty else { throw refusal("needs a schema at least", at: place) }
    var ids: [SchemaRule.ID] = []
    for (index, schema) in schemas.enumerated() { ids.append(try rule(schema, at: place.appending("\(index)"))) }
    return ids
  }

  func pattern(_ text: String, at place: JSONPointer) throws(JSONSchema.Refusal) -> Pattern {
    do {
      return try Pattern(text)
    } catch {
      throw refusal("the pattern \(text) \(error.message)", at: place)
    }
  }

  /// Only references within the schema: `#` and `#/…`.
  mutating func reference(_ text: String, at place: JSONPointer) throws(JSONSchema.Refusal) -> SchemaRule.ID {
    guard text.hasPrefix("#"), let fragment = text.dropFirst().percentDecoded, let target = JSONPointer(text: fragment) else {
      throw refusal("is \"\(text)\", expected a place of this schema, such as #/$defs/name", at: place)
    }
    return try awaitRule(at: target, from: place)
  }
}

extension Substring {
  /// Nil where the escapes are none.
  fileprivate var percentDecoded: String? {
    guard contains("%") else { return String(self) }
    var bytes: [UInt8] = []
    var rest = utf8
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let decoded = UInt8(Substring(rest.prefix(2)), radix: 16), rest.count >= 2 else { return nil }
      bytes.append(decoded)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
