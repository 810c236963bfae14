import Foundation
import JSON
import Yams

/// A part of the configuration whose owner says what it must be: any keys and values, as JSON.
struct ConfigurationTree: Equatable {
  struct Mark: Equatable {
    var line: Int
    var column: Int
  }

  let value: JSONValue
  /// Where its parts stand, by JSON pointer (RFC 6901); empty where it came as text.
  private(set) var marks: [String: Mark] = [:]

  /// - Parameter text: a JSON object.
  init?(text: String) {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)), case .object = value else { return nil }
    self.value = value
  }

  init(_ node: Node) {
    var marks: [String: Mark] = [:]
    value = Self.value(node, at: "", &marks)
    self.marks = marks
  }

  /// As JSON, in a fixed order.
  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Numbers that JSON does not have are texts here already.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// Of the members at its top.
  var names: [String] {
    if case .object(let members) = value { members.keys.sorted() } else { [] }
  }

  private static func value(_ node: Node, at pointer: String, _ marks: inout [String: Mark]) -> JSONValue {
    marks[pointer] = node.mark.map { Mark(line: $0.line, column: $0.column) }
    switch node {
    case .scalar(let scalar): return value(scalar, node)
    case .sequence(let items):
      return .array(items.enumerated().map { value($0.element, at: "\(pointer)/\($0.offset)", &marks) })
    case .mapping(let mapping):
      var members: [String: JSONValue] = [:]
      for (key, item) in mapping {
        let name = key.scalar?.string ?? ""
        let place = pointer + "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
        members[name] = value(item, at: place, &marks)
        // A member is shown by its key.
        marks[place] = key.mark.map { Mark(line: $0.line, column: $0.column) }
      }
      return .object(members)
    // The parser has resolved them.
    case .alias: return .null
    }
  }

  /// By the core schema of YAML 1.2 (10.3.2); quoted, it is text.
  private static func value(_ scalar: Node.Scalar, _ node: Node) -> JSONValue {
    let text = scalar.string
    guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
    if isNull(node) { return .null }
    switch text {
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    if let number = Int64(text) { return .integer(number) }
    let isNumber = text.wholeMatch(of: /[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?/) != nil
    if isNumber, let number = Double(text), number.isFinite { return .number(number) }
    return .string(text)
  }

  /// `key:`, `key: ~` and `key: null` (YAML 1.2, 10.3.2); quoted, they are text.
  static func isNull(_ node: Node) -> Bool {
    guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }
}
