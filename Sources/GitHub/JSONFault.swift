import Foundation

/// What was wrong with a JSON text, in one line: the member's path and the reason, never the value (it may be a secret).
struct JSONFault: CustomStringConvertible {
  let description: String

  init(_ error: any Error) {
    switch error {
    case DecodingError.keyNotFound(let key, let context):
      description = "member \(Self.path(context.codingPath + [key])) is missing"
    case DecodingError.valueNotFound(_, let context):
      description = "member \(Self.path(context.codingPath)) is null"
    case DecodingError.typeMismatch(let type, let context):
      description = "member \(Self.path(context.codingPath)) is not \(Self.name(of: type))"
    case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty:
      description = "the body is not JSON"
    case DecodingError.dataCorrupted(let context):
      description = "member \(Self.path(context.codingPath)) is out of its range or form"
    default:
      description = "the body cannot be read as JSON"
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    if keys.isEmpty { return "(the whole body)" }
    return keys.reduce(into: "") { path, key in
      if let index = key.intValue {
        path += "[\(index)]"
      } else {
        path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Bool.Type: "a boolean"
    case is any BinaryInteger.Type: "an integer"
    case is [Any].Type: "an array"
    case is [String: Any].Type: "an object"
    default: "of the documented type"
    }
  }
}
