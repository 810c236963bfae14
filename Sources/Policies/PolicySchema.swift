/// The type of a field of an input object.
package indirect enum PolicyType: Hashable, Sendable {
  case text, integer, number, boolean, labels
  case object(String)
  case list(PolicyType)
  /// Names of any kind, each with a value of the type; one that is not there is nil.
  case map(PolicyType)
  case optional(PolicyType)

  /// In LuaLS annotations.
  package var annotation: String {
    switch self {
    case .text: "string"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .labels: "Labels"
    case .object(let kind): kind.prefix(1).uppercased() + kind.dropFirst()
    case .list(let element): element.annotation + "[]"
    case .map(let value): "table<string, \(value.annotation)>"
    case .optional(let type): type.annotation + "?"
    }
  }

  /// In the table of kinds that the Lua state and the test harness read: `text`, `pool[]`, `text{}`, `estimate?`.
  package var word: String {
    switch self {
    case .text: "text"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .labels: "labels"
    case .object(let kind): kind
    case .list(let element): element.word + "[]"
    case .map(let value): value.word + "{}"
    case .optional(let type): type.word + "?"
    }
  }
}

/// One field of an input object: its name, what it means, and where its value comes from.
package struct PolicyField<Object>: Sendable {
  let name: String
  let type: PolicyType
  let doc: String
  let value: @Sendable (Object) -> LuaValue

  init(_ name: String, _ type: PolicyType, _ doc: String, _ value: @escaping @Sendable (Object) -> LuaValue) {
    self.name = name
    self.type = type
    self.doc = doc
    self.value = value
  }
}

/// A kind of input object. Marshalling, the check of field names, `types/runnerhub.lua` and the reference page all follow from it.
package struct PolicyKind<Object>: Sendable {
  let name: String
  let doc: String
  let fields: [PolicyField<Object>]

  /// The object as Lua sees it. Fields without a value are left out.
  package func value(of object: Object) -> LuaValue {
    var filled: [LuaField] = []
    filled.reserveCapacity(fields.count)
    for field in fields {
      let value = field.value(object)
      if value != .none { filled.append(LuaField(field.name, value)) }
    }
    return .object(kind: name, filled)
  }

  package var description: PolicyKindDescription {
    PolicyKindDescription(name: name, doc: doc, fields: fields.map { .init(name: $0.name, type: $0.type, doc: $0.doc) })
  }
}

/// A kind without its values: what annotations and checks need.
package struct PolicyKindDescription: Hashable, Sendable {
  package struct Field: Hashable, Sendable {
    package var name: String
    package var type: PolicyType
    package var doc: String
  }
  package var name: String
  package var doc: String
  package var fields: [Field]
}

extension LuaValue {
  static func list(of texts: [String]) -> LuaValue { .sealedList(texts.map(LuaValue.text)) }
  /// Read-only, in a fixed order.
  static func map(of texts: [String: String]) -> LuaValue {
    .object(kind: "map", texts.sorted { $0.key < $1.key }.map { LuaField($0.key, .text($0.value)) })
  }
}
