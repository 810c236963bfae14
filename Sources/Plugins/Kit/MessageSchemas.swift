internal import Foundation
package import JSON

/// The JSON Schema of each message, as `docs/plugin-protocol/` has them.
package enum MessageSchemas {
  /// All of them, by the name of their file without `.json`: `notifier-notify.parameters`.
  package static let all: [String: Result<JSONSchema, JSONSchema.Refusal>] = texts.mapValues { text in
    do throws(JSONSchema.Refusal) {
      return .success(try JSONSchema(try value(text)))
    } catch {
      return .failure(error)
    }
  }

  private static func value(_ text: String) throws(JSONSchema.Refusal) -> JSONValue {
    do {
      return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    } catch {
      throw JSONSchema.Refusal(pointer: "", message: "is no JSON: \(error)")
    }
  }

  /// What is wrong with a value under the schema of this name.
  package static func problems(in value: JSONValue, as name: String) -> [JSONSchema.Problem] {
    switch all[name] {
    case .success(let schema): schema.problems(in: value)
    case .failure(let refusal): [JSONSchema.Problem(pointer: "", message: "the schema \(name) cannot be used: \(refusal)")]
    case nil: [JSONSchema.Problem(pointer: "", message: "there is no schema \(name)")]
    }
  }

  package enum Part: String, Sendable { case parameters, result }

  /// The name of the schema of a method's parameters or result.
  package static func name(_ part: Part, of method: String) -> String {
    method.replacing("$/", with: "").replacing("/", with: "-") + ".\(part.rawValue)"
  }

  /// The schema's text, as it is written in `docs/plugin-protocol/`.
  package static func text(_ name: String) -> String? { texts[name] }
}
