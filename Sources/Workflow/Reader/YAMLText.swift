/// YAML of other files than workflows, read by the same bounded reader: places of every node, keys that stand twice found, aliases counted,
/// scalars typed by the core schema.
package enum YAMLText {
  /// - Parameter path: what the findings name as their file.
  /// - Returns: the root node, nil where the text cannot be read; and what is wrong with it.
  package static func read(_ text: String, path: String) -> (root: YAMLNode?, findings: [Diagnostic]) {
    let collector = DiagnosticCollector(path: path)
    let root = YAMLReader.read(text, collector)
    return (root, collector.sorted)
  }
}
