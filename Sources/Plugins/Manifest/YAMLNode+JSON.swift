package import JSON
package import Workflow

extension YAMLNode {
  /// The node as JSON. A number without a fraction is a whole one.
  package var json: JSONValue {
    switch content {
    case .scalar(.null): .null
    case .scalar(.boolean(let value)): .bool(value)
    case .scalar(.number(let value)): Int64(exactly: value).map(JSONValue.integer) ?? .number(value)
    case .scalar(.string(let text)): .string(text)
    // Collections are no scalars.
    case .scalar(.array), .scalar(.object): .null
    case .sequence(let items): .array(items.map(\.json))
    case .mapping(let entries): .object(Dictionary(entries.map { ($0.key, $0.value.json) }, uniquingKeysWith: { first, _ in first }))
    }
  }

  /// Where a JSON pointer (RFC 6901) leads, or the last place on the way that there is.
  /// - Parameter pointer: empty: this node.
  package func place(of pointer: String) -> (line: Int, column: Int) {
    var node = self
    var place = (line: line, column: column)
    for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
      switch node.content {
      case .mapping(let entries):
        guard let entry = entries.first(where: { $0.key == name }) else { return place }
        (node, place) = (entry.value, (entry.line, entry.column))
      case .sequence(let items):
        guard let index = Int(name), items.indices.contains(index) else { return place }
        (node, place) = (items[index], (items[index].line, items[index].column))
      case .scalar: return place
      }
    }
    return place
  }
}
