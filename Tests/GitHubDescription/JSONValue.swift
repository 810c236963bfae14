package import Foundation

/// Any JSON, with whole numbers kept apart from others as schemas do.
package enum JSONValue: Hashable, Sendable, Codable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Reads a JSON text.
  /// - Throws: Foundation's error when it is none.
  package init(json: Data) throws {
    self.init(try JSONSerialization.jsonObject(with: json, options: [.fragmentsAllowed]))
  }

  private init(_ value: Any) {
    switch value {
    case let text as String: self = .string(text)
    case let members as [String: Any]: self = .object(members.mapValues(JSONValue.init))
    case let items as [Any]: self = .array(items.map(JSONValue.init))
    case let number as NSNumber: self = Self.number(number)
    default: self = .null
    }
  }

  private static func number(_ number: NSNumber) -> JSONValue {
    // Foundation keeps booleans as numbers of type `char`, which no JSON number has.
    if String(cString: number.objCType) == "c" { return .bool(number.boolValue) }
    let whole = number.int64Value
    return number == NSNumber(value: whole) ? .integer(whole) : .number(number.doubleValue)
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  package subscript(name: String) -> JSONValue? {
    get { if case .object(let members) = self { members[name] } else { nil } }
    set {
      guard case .object(var members) = self else { return }
      members[name] = newValue
      self = .object(members)
    }
  }
  package subscript(index: Int) -> JSONValue? {
    get { if case .array(let items) = self, items.indices.contains(index) { items[index] } else { nil } }
    set {
      guard case .array(var items) = self, items.indices.contains(index) else { return }
      if let newValue { items[index] = newValue } else { items.remove(at: index) }
      self = .array(items)
    }
  }

  package var string: String? { if case .string(let value) = self { value } else { nil } }
  package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
  package var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  package func data() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}
