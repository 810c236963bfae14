internal import Domain

/// The keywords that are understood. Any other is refused, since one that is ignored would promise what nothing checks.
enum SchemaKeyword: String, CaseIterable, Sendable {
  // For people, for forms and for tools: they say nothing of what is valid.
  case title, description, examples, deprecated, readOnly, `default`
  case comment = "$comment"
  case dialect = "$schema"
  case address = "$id"

  case type, const, `enum`, writeOnly
  case minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf
  case minLength, maxLength, pattern, format
  case minItems, maxItems, uniqueItems, items, prefixItems, contains, minContains, maxContains
  case minProperties, maxProperties, required, properties, patternProperties, additionalProperties, propertyNames, dependentRequired,
    dependentSchemas
  case definitions = "$defs"
  case reference = "$ref"
  case allOf, anyOf, oneOf, not, `if`, then, `else`

  /// Others of the standard, and of its older drafts.
  private static let unsupported: Set = [
    "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary", "unevaluatedProperties", "unevaluatedItems", "contentEncoding",
    "contentMediaType", "contentSchema", "definitions", "dependencies", "additionalItems", "$recursiveRef", "$recursiveAnchor",
  ]

  /// Why a word is none of them.
  static func refusal(of word: String) -> String {
    if unsupported.contains(word) { return "'\(word)' is not supported: nothing would be checked by it" }
    let hint = Suggestion.nearest(to: word, among: allCases.map(\.rawValue)).map { " – did you mean '\($0)'?" }
    return "unknown keyword '\(word)'\(hint ?? ": nothing would be checked by it")"
  }
}

/// What each keyword says of a rule.
extension SchemaReader {
  mutating func read(
    _ keyword: SchemaKeyword, _ value: JSONValue, into rule: inout SchemaRule, at place: JSONPointer
  ) throws(JSONSchema.Refusal) {
    switch keyword {
    case .title, .description, .comment, .dialect, .address: _ = try text(value, at: place)
    case .deprecated, .readOnly: _ = try flag(value, at: place)
    case .examples: _ = try items(value, at: place)
    case .default: break
    case .writeOnly: rule.isSecret = try flag(value, at: place)

    case .type: rule.types = try types(value, at: place)
    case .const: rule.constant = value.canonical
    case .enum:
      let values = try items(value, at: place).map(\.canonical)
      guard !values.isEmpty else { throw refusal("needs a value at least", at: place) }
      rule.values = values

    case .minimum: rule.number.minimum = try number(value, at: place)
    case .maximum: rule.number.maximum = try number(value, at: place)
    case .exclusiveMinimum: rule.number.above = try number(value, at: place)
    case .exclusiveMaximum: rule.number.below = try number(value, at: place)
    case .multipleOf: rule.number.step = try step(value, at: place)

    case .minLength: rule.text.least = try count(value, at: place)
    case .maxLength: rule.text.most = try count(value, at: place)
    case .pattern: rule.text.pattern = try pattern(text(value, at: place), at: place)
    case .format: rule.text.format = try format(value, at: place)

    case .minItems: rule.list.least = try count(value, at: place)
    case .maxItems: rule.list.most = try count(value, at: place)
    case .uniqueItems: rule.list.isUnique = try flag(value, at: place)
    case .items: rule.list.rest = try self.rule(value, at: place)
    case .prefixItems: rule.list.first = try rules(value, at: place)
    case .contains: rule.list.contains = try self.rule(value, at: place)
    case .minContains: rule.list.leastContained = try count(value, at: place)
    case .maxContains: rule.list.mostContained = try count(value, at: place)

    case .minProperties, .maxProperties, .required, .properties, .patternProperties, .additionalProperties, .propertyNames,
      .dependentRequired, .dependentSchemas:
      try read(keyword, value, into: &rule.members, at: place)

    case .definitions:
      for (name, schema) in try members(value, at: place) { _ = try self.rule(schema, at: place.appending(name)) }
    case .reference: rule.reference = try reference(text(value, at: place), at: place)
    case .allOf: rule.all = try rules(value, at: place)
    case .anyOf: rule.any = try rules(value, at: place)
    case .oneOf: rule.one = try rules(value, at: place)
    case .not: rule.not = try self.rule(value, at: place)
    case .if: rule.condition.if = try self.rule(value, at: place)
    case .then: rule.condition.then = try self.rule(value, at: place)
    case .else: rule.condition.else = try self.rule(value, at: place)
    }
  }

  private mutating func read(
    _ keyword: SchemaKeyword, _ value: JSONValue, into rule: inout MemberRule, at place: JSONPointer
  ) throws(JSONSchema.Refusal) {
    switch keyword {
    case .minProperties: rule.least = try count(value, at: place)
    case .maxProperties: rule.most = try count(value, at: place)
    case .required: rule.required = try names(value, at: place)
    case .additionalProperties:
      rule.isClosed = value == .bool(false)
      rule.others = try self.rule(value, at: place)
    case .propertyNames: rule.names = try self.rule(value, at: place)
    default:
      for (name, value) in try members(value, at: place) {
        let place = place.appending(name)
        switch keyword {
        case .properties: rule.named[name] = try self.rule(value, at: place)
        case .patternProperties: rule.patterned.append((try pattern(name, at: place), try self.rule(value, at: place)))
        case .dependentRequired: rule.dependentRequired.append((name, try names(value, at: place)))
        case .dependentSchemas: rule.dependentSchemas.append((name, try self.rule(value, at: place)))
        default: break
        }
      }
    }
  }
}
