internal import Workflow

/// What a data file should look like: a small part of JSON Schema, written in YAML. Pure.
///
/// Keywords: `type`, `enum`, `description`; `properties`, `required`, `additionalProperties`; `items`, `minItems`, `maxItems`; `minimum`,
/// `maximum`; `pattern`, `minLength`, `maxLength`. Any other keyword is refused, since one that is ignored would promise what nothing checks.
struct DataSchema {
  /// A schema that cannot be used, and why.
  struct Refusal: Error, Hashable {
    var line: Int
    var column: Int
    var message: String
  }

  /// A place of a data file that is not as its schema says.
  struct Violation: Hashable {
    var line: Int
    var column: Int
    var message: String
  }

  private let root: DataRule

  init(_ node: YAMLNode) throws(Refusal) { root = try DataRule(node) }

  /// In the order of the file; a hundred at most.
  func violations(of node: YAMLNode) -> [Violation] {
    var found: [Violation] = []
    root.check(node, at: "", into: &found)
    return found
  }

  /// A value as a message shows it.
  static func shown(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(.null): "null"
    case .scalar(let scalar): LuaValue(scalar).description
    case .sequence(let items): "a list of \(items.count)"
    case .mapping(let entries): "a mapping of \(entries.count)"
    }
  }
}

/// One level of a schema.
private indirect enum AdditionalProperties {
  case any, none
  case of(DataRule)
}

private struct DataRule {
  private static let most = (violations: 100, patternLength: 200, matchedLength: 256, repeats: 3)

  private var types: [String] = []
  private var values: [LuaValue]?
  private var properties: [String: DataRule] = [:]
  private var names: [String] = []
  private var required: [String] = []
  private var additional = AdditionalProperties.any
  private var items: [DataRule] = []  // none or one
  private var count = (least: 0, most: Int.max)
  private var length = (least: 0, most: Int.max)
  private var range = (least: -Double.infinity, most: Double.infinity)
  private var pattern: (text: String, regex: Regex<AnyRegexOutput>)?

  // MARK: Reading a schema

  init(_ node: YAMLNode) throws(DataSchema.Refusal) {
    guard case .mapping(let entries) = node.content else { throw Self.refusal("a schema is a mapping", node) }
    for entry in entries { try read(entry) }
  }

  private mutating func read(_ entry: YAMLEntry) throws(DataSchema.Refusal) {
    let value = entry.value
    switch entry.key {
    case "description": _ = try Self.text(value)
    case "type": types = try Self.types(value)
    case "enum":
      guard case .sequence(let items) = value.content, !items.isEmpty else { throw Self.refusal("enum is a list of values", value) }
      values = try items.map { item throws(DataSchema.Refusal) in
        guard case .scalar(let scalar) = item.content else { throw Self.refusal("enum holds plain values only", item) }
        return LuaValue(scalar)
      }
    case "properties":
      guard case .mapping(let entries) = value.content else { throw Self.refusal("properties is a mapping of names to schemas", value) }
      names = entries.map(\.key)
      for entry in entries { properties[entry.key] = try DataRule(entry.value) }
    case "required":
      guard case .sequence(let items) = value.content else { throw Self.refusal("required is a list of names", value) }
      required = try items.map { item throws(DataSchema.Refusal) in try Self.text(item) }
    case "additionalProperties":
      if case .scalar(.boolean(let allowed)) = value.content {
        additional = allowed ? .any : .none
      } else {
        additional = .of(try DataRule(value))
      }
    case "items": items = [try DataRule(value)]
    case "minItems": count.least = try Self.count(value)
    case "maxItems": count.most = try Self.count(value)
    case "minLength": length.least = try Self.count(value)
    case "maxLength": length.most = try Self.count(value)
    case "minimum": range.least = try Self.number(value)
    case "maximum": range.most = try Self.number(value)
    case "pattern": pattern = try Self.pattern(value)
    default:
      throw DataSchema.Refusal(
        line: entry.line, column: entry.column, message: "unknown keyword '\(entry.key)': see policies/README.md for those that are checked"
      )
    }
  }

  private static func refusal(_ message: String, _ node: YAMLNode) -> DataSchema.Refusal {
    DataSchema.Refusal(line: node.line, column: node.column, message: "\(message); this is \(DataSchema.shown(node))")
  }

  private static func text(_ node: YAMLNode) throws(DataSchema.Refusal) -> String {
    guard case .scalar(.string(let text)) = node.content else { throw refusal("expected a text", node) }
    return text
  }

  private static func number(_ node: YAMLNode) throws(DataSchema.Refusal) -> Double {
    guard case .scalar(.number(let number)) = node.content, number.isFinite else { throw refusal("expected a number", node) }
    return number
  }

  private static func count(_ node: YAMLNode) throws(DataSchema.Refusal) -> Int {
    let number = try number(node)
    guard let count = Int(exactly: number), count >= 0 else { throw refusal("expected a whole number from 0", node) }
    return count
  }

  private static func types(_ node: YAMLNode) throws(DataSchema.Refusal) -> [String] {
    let nodes = if case .sequence(let items) = node.content { items } else { [node] }
    return try nodes.map { item throws(DataSchema.Refusal) in
      // An unquoted null is the value, and means the type.
      let isNull = if case .scalar(.null) = item.content { true } else { false }
      let word = isNull ? "null" : try text(item)
      guard ["object", "array", "string", "integer", "number", "boolean", "null"].contains(word) else {
        throw refusal("a type is object, array, string, integer, number, boolean or null", item)
      }
      return word
    }
  }

  /// A regular expression whose match cannot take long: no groups, no alternatives, few repeats, short texts.
  private static func pattern(_ node: YAMLNode) throws(DataSchema.Refusal) -> (String, Regex<AnyRegexOutput>) {
    let text = try text(node)
    let repeats = text.count { "*+{".contains($0) }
    guard text.count <= most.patternLength, repeats <= most.repeats, !text.contains(where: { "(|)".contains($0) }) else {
      throw refusal("a pattern has no groups or alternatives, and at most \(most.repeats) of '*', '+' and '{'", node)
    }
    do {
      return (text, try Regex(text))
    } catch {
      throw refusal("the pattern cannot be read", node)
    }
  }

  // MARK: Checking

  func check(_ node: YAMLNode, at path: String, into found: inout [DataSchema.Violation]) {
    guard found.count < Self.most.violations else { return }
    func violate(_ expected: String, _ place: YAMLNode) {
      let subject = path.isEmpty ? "the file" : path
      found.append(
        .init(line: place.line, column: place.column, message: "\(subject) is \(DataSchema.shown(place)); expected \(expected)"))
    }
    if !types.isEmpty, !types.contains(where: { Self.is(node, of: $0) }) {
      return violate(types.map(Self.word).joined(separator: " or "), node)
    }
    if let values, !values.contains(Self.scalar(node) ?? .other("collection")) {
      return violate("one of " + values.map(\.description).joined(separator: ", "), node)
    }
    switch node.content {
    case .scalar(.number(let number)):
      if number < range.least { violate("a number from \(LuaValue(.number(range.least)))", node) }
      if number > range.most { violate("a number up to \(LuaValue(.number(range.most)))", node) }
    case .scalar(.string(let text)):
      if text.count < length.least { violate("at least \(length.least) characters", node) }
      if text.count > length.most { violate("at most \(length.most) characters", node) }
      if let pattern, text.count > Self.most.matchedLength || text.firstMatch(of: pattern.regex) == nil {
        violate("a text that matches \(pattern.text)", node)
      }
    case .scalar: break
    case .sequence(let nodes):
      if nodes.count < count.least { violate("at least \(count.least) items", node) }
      if nodes.count > count.most { violate("at most \(count.most) items", node) }
      guard let rule = items.first else { return }
      for (index, item) in nodes.enumerated() { rule.check(item, at: "\(path)[\(index + 1)]", into: &found) }
    case .mapping(let entries): check(entries, of: node, at: path, into: &found)
    }
  }

  private func check(_ entries: [YAMLEntry], of node: YAMLNode, at path: String, into found: inout [DataSchema.Violation]) {
    let present = Set(entries.map(\.key))
    for name in required where !present.contains(name) {
      let subject = path.isEmpty ? "the file" : path
      found.append(.init(line: node.line, column: node.column, message: "\(subject) has no '\(name)'; it is required"))
    }
    for entry in entries {
      let name = path.isEmpty ? entry.key : "\(path).\(entry.key)"
      if let rule = properties[entry.key] {
        rule.check(entry.value, at: name, into: &found)
      } else if case .of(let rule) = additional {
        rule.check(entry.value, at: name, into: &found)
      } else if case .none = additional {
        let known = names.isEmpty ? "nothing" : names.joined(separator: ", ")
        found.append(.init(line: entry.line, column: entry.column, message: "'\(name)' is not known here; expected \(known)"))
      }
    }
  }

  private static func scalar(_ node: YAMLNode) -> LuaValue? {
    if case .scalar(let scalar) = node.content { LuaValue(scalar) } else { nil }
  }

  private static func `is`(_ node: YAMLNode, of type: String) -> Bool {
    switch (type, node.content) {
    case ("object", .mapping), ("array", .sequence), ("string", .scalar(.string)), ("number", .scalar(.number)),
      ("boolean", .scalar(.boolean)), ("null", .scalar(.null)):
      true
    case ("integer", .scalar(.number(let number))): number.rounded() == number
    default: false
    }
  }

  private static func word(_ type: String) -> String {
    switch type {
    case "object": "a mapping"
    case "array": "a list"
    case "string": "a text"
    case "integer": "a whole number"
    case "number": "a number"
    case "boolean": "true or false"
    default: type
    }
  }
}
