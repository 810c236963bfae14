internal import Foundation

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
  /// Whether the state keeps the moment that a span counts from, and reckons the span when it is read.
  let isKeptAsMoment: Bool
  /// Writes what the state is to keep of an object in place of what it keeps there of the object before, if any.
  let write: @Sendable (_ object: Object, _ before: Object?, inout LuaEncoder) -> Void

  init(_ name: String, _ type: PolicyType, _ doc: String, _ value: @escaping @Sendable (Object) -> LuaValue) {
    self.name = name
    self.type = type
    self.doc = doc
    self.value = value
    isKeptAsMoment = false
    write = { object, _, encoder in encoder.encode(value(object)) }
  }

  private init<Part: Equatable & Sendable>(
    _ name: String, _ type: PolicyType, of kind: PolicyKind<Part>, _ doc: String, _ part: @escaping @Sendable (Object) -> Part?
  ) {
    self.name = name
    self.type = type
    self.doc = doc
    value = { part($0).map(kind.value(of:)) ?? .none }
    isKeptAsMoment = false
    write = { object, before, encoder in
      if let now = part(object) { kind.writePart(now, before: before.flatMap(part), into: &encoder) } else { encoder.encode(.none) }
    }
  }

  /// An object of another kind, which is sent only where it is another than before.
  init<Part: Equatable & Sendable>(
    _ name: String, part kind: PolicyKind<Part>, _ doc: String, _ part: @escaping @Sendable (Object) -> Part
  ) {
    self.init(name, .object(kind.name), of: kind, doc, part)
  }

  init<Part: Equatable & Sendable>(
    _ name: String, optional kind: PolicyKind<Part>, _ doc: String, _ part: @escaping @Sendable (Object) -> Part?
  ) {
    self.init(name, .optional(.object(kind.name)), of: kind, doc, part)
  }

  /// A list of objects of another kind. Of those in the same place, the ones are sent that are others than before.
  init<Part: Equatable & Sendable>(
    _ name: String, parts kind: PolicyKind<Part>, _ doc: String, _ parts: @escaping @Sendable (Object) -> [Part]
  ) {
    self.name = name
    self.type = .list(.object(kind.name))
    self.doc = doc
    value = { .sealedList(parts($0).map(kind.value(of:))) }
    isKeptAsMoment = false
    write = { object, before, encoder in
      let now = parts(object), known = before.map(parts) ?? []
      encoder.encodeParts(now.count)
      for (place, part) in now.enumerated() {
        kind.writePart(part, before: place < known.count ? known[place] : nil, into: &encoder)
      }
    }
  }

  /// Seconds since a moment, 0 where there is none.
  init(
    _ name: String, _ doc: String, since start: @escaping @Sendable (Object) -> Date?, at now: @escaping @Sendable (Object) -> Date
  ) {
    self.name = name
    self.type = .number
    self.doc = doc
    value = { object in .number(start(object).map { max(0, now(object).timeIntervalSince($0)) } ?? 0) }
    isKeptAsMoment = true
    write = { object, _, encoder in encoder.encodeMoment(start(object)?.timeIntervalSinceReferenceDate ?? .infinity) }
  }
}

/// The kinds, in the order of their names: the shim numbers them so.
package enum PolicyKindName: UInt8, Sendable, CaseIterable {
  case clock, container, definition, estimate, fleet, job, pool, queue, sample, use, waits
  package var word: String { "\(self)" }
}

/// A kind of input object. Marshalling, the check of field names, `types/runnerhub.lua` and the reference page all follow from it.
package struct PolicyKind<Object>: Sendable {
  let kind: PolicyKindName
  let doc: String
  let fields: [PolicyField<Object>]
  /// In the order of their names: as the shim numbers them.
  private let ordered: [PolicyField<Object>]

  init(_ kind: PolicyKindName, doc: String, fields: [PolicyField<Object>]) {
    self.kind = kind
    self.doc = doc
    self.fields = fields
    ordered = fields.sorted { $0.name < $1.name }
  }

  var name: String { kind.word }

  /// The object as Lua sees it, whole. Fields without a value are left out.
  package func value(of object: Object) -> LuaValue {
    var filled: [LuaField] = []
    filled.reserveCapacity(fields.count)
    for field in fields {
      let value = field.value(object)
      if value != .none { filled.append(LuaField(field.name, value)) }
    }
    return .object(kind: name, filled)
  }

  /// Writes the fields that policies read.
  /// - Parameter before: the object that the state keeps in this place.
  func write(_ object: Object, before: Object?, into encoder: inout LuaEncoder) {
    let wanted = encoder.wanted(kind)
    encoder.encodeFields(wanted, of: kind)
    var left = wanted
    while left != 0 {
      ordered[left.trailingZeroBitCount].write(object, before, &encoder)
      left &= left - 1
    }
  }

  /// Writes an object within another.
  fileprivate func writePart(_ part: Object, before: Object?, into encoder: inout LuaEncoder) where Object: Equatable {
    if let before, before == part { return encoder.encodeSame() }
    encoder.encodePart()
    write(part, before: before, into: &encoder)
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
