/// A value on its way into or out of Lua.
package enum LuaValue: Hashable, Sendable {
  case none
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  /// Plain tables, which Lua code may change. Results come as these.
  case list([LuaValue])
  case map([String: LuaValue])
  /// Read-only tables: an input object with the fields of its kind, a set of labels, a list.
  case object(kind: String, [LuaField])
  case labels([String])
  case sealedList([LuaValue])
  /// Something that cannot leave Lua, by the name of its type (`function`). Only in results.
  case other(String)

  /// A value or `none`.
  package static func optional(_ text: String?) -> LuaValue { text.map(LuaValue.text) ?? .none }
  package static func optional(_ number: Double?) -> LuaValue { number.map(LuaValue.number) ?? .none }
  package static func integer(_ value: Int) -> LuaValue { .integer(Int64(value)) }
}

/// One named value of an input object.
package struct LuaField: Hashable, Sendable {
  package var name: String
  package var value: LuaValue
  package init(_ name: String, _ value: LuaValue) {
    self.name = name
    self.value = value
  }
}

extension LuaValue: CustomStringConvertible {
  /// As a policy author would write it, cut to a length that fits a message.
  package var description: String {
    let whole =
      switch self {
      case .none: "nil"
      case .bool(let value): "\(value)"
      case .integer(let value): "\(value)"
      case .number(let value): value.isNaN ? "nan" : "\(value)"
      case .text(let value): value.debugDescription
      case .list(let values), .sealedList(let values): "{" + values.prefix(8).map(\.description).joined(separator: ", ") + "}"
      case .labels(let values): "{" + values.prefix(8).joined(separator: ", ") + "}"
      case .map(let values): "{" + values.keys.sorted().prefix(8).map { "\($0) = \(values[$0] ?? .none)" }.joined(separator: ", ") + "}"
      case .object(let kind, _): kind
      case .other(let type): "a \(type)"
      }
    return whole.count > 120 ? whole.prefix(117) + "…" : whole
  }

  /// The same value in plain tables, and labels as a list: what the test harness starts from.
  package var plain: LuaValue {
    switch self {
    case .object(_, let fields): .map(Dictionary(fields.map { ($0.name, $0.value.plain) }, uniquingKeysWith: { $1 }))
    case .labels(let labels): .list(labels.map(LuaValue.text))
    case .list(let values), .sealedList(let values): .list(values.map(\.plain))
    case .map(let values): .map(values.mapValues(\.plain))
    default: self
    }
  }
}
