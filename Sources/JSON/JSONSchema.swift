/// A JSON Schema (draft 2020-12, the part that the README of this room lists), made ready for checking. Pure.
package struct JSONSchema: Sendable {
  /// A schema that cannot be used: where in it, as a JSON pointer, and why.
  package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package var pointer: String
    package var message: String
    package var description: String { pointer.isEmpty ? message : "\(pointer): \(message)" }

    package init(pointer: String, message: String) {
      self.pointer = pointer
      self.message = message
    }
  }

  /// A place of a value that is not as the schema says.
  package struct Problem: Hashable, Sendable, CustomStringConvertible {
    /// JSON pointer (RFC 6901) of the place; empty: the whole.
    package var pointer: String
    /// What is there and what was expected, in words of a person.
    package var message: String
    package var description: String { pointer.isEmpty ? message : "\(pointer): \(message)" }

    package init(pointer: String, message: String) {
      self.pointer = pointer
      self.message = message
    }
  }

  private let rules: [SchemaRule]

  /// Reads a schema. Its cost is that of the schema's size, which is bounded.
  package init(_ schema: JSONValue) throws(Refusal) {
    guard case .object = schema else { throw Refusal(pointer: "", message: "a schema must be an object; this is \(schema.shown)") }
    var reader = SchemaReader(root: schema)
    rules = try reader.read()
  }

  /// In the order of the value, members by name; a hundred at most. Empty: it is valid. Values of members that are `writeOnly` are not shown.
  ///
  /// The work is bounded: a value that would need more of it is not valid, and the problem says so.
  package func problems(in value: JSONValue) -> [Problem] {
    var check = SchemaCheck(rules: rules)
    return check.problems(in: value)
  }

  /// The places of a value that the schema holds for secrets (`writeOnly`), as JSON pointers.
  package func secretPlaces(in value: JSONValue) -> Set<String> {
    var check = SchemaCheck(rules: rules)
    _ = check.problems(in: value)
    return check.secrets
  }
}
