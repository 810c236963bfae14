/// A place in a JSON value (RFC 6901).
package struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
  /// Names of members and indices of items, from the outside in. Empty: the whole.
  package var steps: [String]

  package init(_ steps: [String] = []) { self.steps = steps }

  /// - Parameter text: as `description` writes it; nil where it is no pointer.
  package init?(text: String) {
    guard text.isEmpty || text.hasPrefix("/") else { return nil }
    steps = []
    for part in text.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      guard let step = Self.unescaped(part) else { return nil }
      steps.append(step)
    }
  }

  package var description: String { steps.map { "/" + Self.escaped($0) }.joined() }

  package func appending(_ step: String) -> JSONPointer { JSONPointer(steps + [step]) }

  /// What is there; nil: nothing.
  package func value(in whole: JSONValue) -> JSONValue? {
    var value = whole
    for step in steps {
      switch value {
      case .object(let members):
        guard let member = members[step] else { return nil }
        value = member
      case .array(let items):
        guard let index = Int(step), String(index) == step, items.indices.contains(index) else { return nil }
        value = items[index]
      default: return nil
      }
    }
    return value
  }

  private static func escaped(_ step: String) -> String {
    guard step.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return step }
    return String(step.flatMap { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) })
  }

  private static func unescaped(_ part: Substring) -> String? {
    var step = ""
    var rest = part.unicodeScalars
    while let scalar = rest.popFirst() {
      guard scalar == "~" else {
        step.unicodeScalars.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "0": step.append("~")
      case "1": step.append("/")
      default: return nil
      }
    }
    return step
  }
}
