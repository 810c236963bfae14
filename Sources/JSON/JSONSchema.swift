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

  package init(_ schema: JSONValue) throws(Refusal) {
    guard case .object = schema else { throw Refusal(pointer: "", message: "a schema must be an object") }
  }

  /// In the order of the value; a hundred at most. Empty: it is valid.
  package func problems(in value: JSONValue) -> [Problem] { [] }
}
