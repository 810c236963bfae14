import Foundation

/// What is wrong with a message, and where.
package struct Finding: Hashable, Sendable, CustomStringConvertible {
  /// `response body.runner.id`.
  package var place: String
  package var complaint: String

  package init(_ place: String, _ complaint: String) {
    self.place = place
    self.complaint = complaint
  }
  package var description: String { "\(place): \(complaint)" }
}

/// Checks JSON against schemas as OpenAPI 3.0 and JSON Schema write them. Formats are advice and not checked; members that a schema does
/// not know are allowed unless it says `additionalProperties: false`.
struct SchemaChecker: Sendable {
  /// The document in which references (`#/components/schemas/runner`) are looked up.
  let document: JSONValue

  func findings(_ value: JSONValue, schema: JSONValue, at place: String) -> [Finding] {
    let schema = resolved(schema)
    if value == .null, schema["nullable"]?.bool == true { return [] }
    return typeFindings(value, schema, place) + limitFindings(value, schema, place) + partFindings(value, schema, place)
      + choiceFindings(value, schema, place)
  }

  /// Follows references; a reference that leads nowhere or in a circle becomes a schema that nothing satisfies.
  func resolved(_ schema: JSONValue) -> JSONValue {
    var schema = schema
    for _ in 0..<32 {
      guard let reference = schema["$ref"]?.string else { return schema }
      guard let target = lookUp(reference) else { return .object(["enum": .array([]), "description": .string(reference)]) }
      schema = target
    }
    return .object(["enum": .array([])])
  }

  private func lookUp(_ reference: String) -> JSONValue? {
    guard reference.hasPrefix("#/") else { return nil }
    return reference.dropFirst(2).split(separator: "/").reduce(document) { found, part in
      found?[part.replacingOccurrences(of: "~1", with: "/").replacingOccurrences(of: "~0", with: "~")]
    }
  }

  // MARK: One value

  private func typeFindings(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [Finding] {
    var findings: [Finding] = []
    let types = schema["type"]?.string.map { [$0] } ?? schema["type"]?.array?.compactMap(\.string) ?? []
    if !types.isEmpty, !types.contains(where: { Self.matches(value, type: $0) }) {
      findings.append(Finding(place, "is \(Self.name(of: value)), not \(types.joined(separator: " or "))"))
    }
    if let allowed = schema["enum"]?.array, !allowed.contains(value) {
      findings.append(Finding(place, "is none of the \(allowed.count) allowed values"))
    }
    if let constant = schema["const"], constant != value {
      findings.append(Finding(place, "is not the one allowed value"))
    }
    return findings
  }

  private static func matches(_ value: JSONValue, type: String) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("integer", .integer), ("number", .integer), ("number", .number), ("string", .string),
      ("array", .array), ("object", .object):
      true
    default: false
    }
  }

  private static func name(of value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "boolean"
    case .integer: "integer"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  private func limitFindings(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [Finding] {
    var findings: [Finding] = []
    func limit(_ amount: Double, of what: String, _ minimum: String, _ maximum: String) {
      if let least = schema[minimum]?.double, amount < least { findings.append(Finding(place, "\(what) is below \(minimum)")) }
      if let most = schema[maximum]?.double, amount > most { findings.append(Finding(place, "\(what) is above \(maximum)")) }
    }
    if let number = value.double { limit(number, of: "the number", "minimum", "maximum") }
    if let text = value.string {
      limit(Double(text.unicodeScalars.count), of: "the length", "minLength", "maxLength")
      if let pattern = schema["pattern"]?.string, text.range(of: pattern, options: .regularExpression) == nil {
        findings.append(Finding(place, "does not match the pattern \(pattern)"))
      }
    }
    if let items = value.array {
      limit(Double(items.count), of: "the number of items", "minItems", "maxItems")
      if schema["uniqueItems"]?.bool == true, Set(items).count < items.count { findings.append(Finding(place, "has an item twice")) }
    }
    if let members = value.object { limit(Double(members.count), of: "the number of members", "minProperties", "maxProperties") }
    return findings
  }

  // MARK: Its parts

  private func partFindings(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [Finding] {
    if let items = value.array, let each = schema["items"] {
      return items.enumerated().flatMap { findings($1, schema: each, at: "\(place)[\($0)]") }
    }
    guard let members = value.object else { return [] }
    var found: [Finding] = []
    for name in schema["required"]?.array?.compactMap(\.string) ?? [] where members[name] == nil {
      found.append(Finding("\(place).\(name)", "is missing"))
    }
    let known = schema["properties"]?.object ?? [:]
    for (name, member) in members.sorted(by: { $0.key < $1.key }) {
      if let own = known[name] {
        found += findings(member, schema: own, at: "\(place).\(name)")
      } else if schema["additionalProperties"]?.bool == false {
        found.append(Finding("\(place).\(name)", "is not allowed here"))
      } else if let other = schema["additionalProperties"], other.object != nil {
        found += findings(member, schema: other, at: "\(place).\(name)")
      }
    }
    return found
  }

  // MARK: Choices

  private func choiceFindings(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [Finding] {
    var found = (schema["allOf"]?.array ?? []).flatMap { findings(value, schema: $0, at: place) }
    if let any = schema["anyOf"]?.array { found += bestFindings(value, any, place) }
    if let one = schema["oneOf"]?.array {
      if let chosen = discriminated(value, schema) {
        found += findings(value, schema: chosen, at: place)
      } else if schema["discriminator"] != nil {
        found.append(Finding(place, "its \(schema["discriminator"]?["propertyName"]?.string ?? "kind") is unknown"))
      } else {
        // GitHub's alternatives overlap (a user is also an enterprise's user), so more than one may fit.
        found += bestFindings(value, one, place)
      }
    }
    if let not = schema["not"], findings(value, schema: not, at: place).isEmpty { found.append(Finding(place, "is what it must not be")) }
    return found
  }

  private func discriminated(_ value: JSONValue, _ schema: JSONValue) -> JSONValue? {
    guard let name = schema["discriminator"]?["propertyName"]?.string, let kind = value[name]?.string,
      let reference = schema["discriminator"]?["mapping"]?[kind]?.string
    else { return nil }
    return .object(["$ref": .string(reference)])
  }

  /// Nothing when an alternative fits, else the complaints of the one that comes nearest.
  private func bestFindings(_ value: JSONValue, _ alternatives: [JSONValue], _ place: String) -> [Finding] {
    var best: [Finding]?
    for alternative in alternatives {
      let found = findings(value, schema: alternative, at: place)
      if found.isEmpty { return [] }
      if found.count < best?.count ?? .max { best = found }
    }
    return [Finding(place, "fits none of \(alternatives.count) alternatives")] + (best ?? [])
  }
}
