/// One schema within a schema. Others that it names are found by their number, so that a schema may refer to itself.
struct SchemaRule: Sendable {
  typealias ID = Int

  /// The schema `false`.
  var allowsNothing = false
  /// Empty: any.
  var types: [SchemaType] = []
  /// `enum`, canonical.
  var values: [JSONValue]?
  var constant: JSONValue?
  /// `writeOnly`: the value is a secret, and is not shown.
  var isSecret = false

  var number = NumberRule()
  var text = TextRule()
  var list = ListRule()
  var members = MemberRule()

  var reference: ID?
  var all: [ID] = []
  var any: [ID]?
  var one: [ID]?
  var not: ID?
  var condition: (if: ID?, then: ID?, else: ID?)

  /// Schemas that are asked about the same value.
  var inPlace: [ID] {
    [reference, not, condition.if, condition.then, condition.else].compactMap(\.self) + all + (any ?? []) + (one ?? [])
      + members.dependentSchemas.map(\.schema)
  }
}

enum SchemaType: String, CaseIterable, Sendable {
  case object, array, string, integer, number, boolean, null
}

struct NumberRule: Sendable {
  var minimum: JSONNumber?
  var maximum: JSONNumber?
  var above: JSONNumber?
  var below: JSONNumber?
  var step: JSONNumber?

  func allows(_ number: JSONNumber) -> Bool {
    if let minimum, number < minimum { return false }
    if let maximum, number > maximum { return false }
    if let above, number <= above { return false }
    if let below, number >= below { return false }
    return step.map { number.isMultiple(of: $0) } ?? true
  }
}

struct TextRule: Sendable {
  /// In Unicode scalars.
  var least = 0
  var most = Int.max
  var pattern: Pattern?
  var format: TextFormat?
}

struct ListRule: Sendable {
  var least = 0
  var most = Int.max
  var isUnique = false
  var first: [SchemaRule.ID] = []
  var rest: SchemaRule.ID?
  var contains: SchemaRule.ID?
  var leastContained: Int?
  var mostContained: Int?
}

struct MemberRule: Sendable {
  var least = 0
  var most = Int.max
  var named: [String: SchemaRule.ID] = [:]
  var patterned: [(pattern: Pattern, schema: SchemaRule.ID)] = []
  var others: SchemaRule.ID?
  /// `additionalProperties: false`, which has words of its own.
  var isClosed = false
  var names: SchemaRule.ID?
  var required: [String] = []
  var dependentRequired: [(name: String, needs: [String])] = []
  var dependentSchemas: [(name: String, schema: SchemaRule.ID)] = []
}
