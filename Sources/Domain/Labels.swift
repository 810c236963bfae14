/// The labels that a job asks for or a runner offers: a set without case, in a fixed order.
///
/// GitHub compares labels without case and stores those of a runner in lower case.
package struct Labels: Hashable, Sendable, Codable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// Lower-case, sorted, each once.
  package let values: [String]

  package init(_ labels: some Sequence<String>) {
    var sorted = labels.filter { !$0.isEmpty }.map(Self.lowercased)
    if sorted.count > 1 { sorted.sort() }
    var unique: [String] = []
    unique.reserveCapacity(sorted.count)
    for label in sorted where unique.last != label { unique.append(label) }
    values = unique
  }

  /// Most labels are in lower case already.
  private static func lowercased(_ label: String) -> String {
    label.utf8.allSatisfy { $0 < 0x80 && !(0x41...0x5A ~= $0) } ? label : label.lowercased()
  }
  package init(arrayLiteral elements: String...) { self.init(elements) }
  package init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode([String].self)) }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(values)
  }

  package var isEmpty: Bool { values.isEmpty }
  package func contains(_ label: String) -> Bool { values.contains(label.lowercased()) }
  /// Whether a runner with `other` may get a job that asks for these: all of these are among the other's.
  package func isSatisfied(by other: Labels) -> Bool {
    // Both are sorted, so one walk over the other's is enough: asked about every place for every job.
    var rest = other.values[...]
    for label in values {
      guard let place = rest.firstIndex(of: label) else { return false }
      rest = rest[(place + 1)...]
    }
    return true
  }
  package var description: String { "[" + values.joined(separator: ", ") + "]" }
}
