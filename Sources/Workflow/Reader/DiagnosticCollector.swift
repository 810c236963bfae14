/// Gathers the findings of one reading. Not shared: it lives as long as one call of `WorkflowFile.parse`.
final class DiagnosticCollector {
  /// Bounds what hostile text can make us say.
  private static let maximumCount = 100
  /// GitHub's own bound on one message.
  private static let maximumMessageLength = 500

  private let path: String
  private var diagnostics: [Diagnostic] = []

  init(path: String) { self.path = path }

  var count: Int { diagnostics.count }

  var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  var sorted: [Diagnostic] {
    let numbered = diagnostics.enumerated().sorted { left, right in
      let leftPlace = (left.element.line ?? 0, left.element.column ?? 0, left.offset)
      return leftPlace < (right.element.line ?? 0, right.element.column ?? 0, right.offset)
    }
    return numbered.map(\.element)
  }

  func error(_ message: String, line: Int?, column: Int?) { add(.error, message, line, column) }

  func error(_ message: String, at node: YAMLNode) { add(.error, message, node.line, node.column) }

  func error(_ message: String, at entry: YAMLEntry) { add(.error, message, entry.line, entry.column) }

  func warning(_ message: String, at node: YAMLNode) { add(.warning, message, node.line, node.column) }

  private func add(_ severity: Diagnostic.Severity, _ message: String, _ line: Int?, _ column: Int?) {
    guard diagnostics.count < Self.maximumCount else { return }
    let cut = message.count > Self.maximumMessageLength ? message.prefix(Self.maximumMessageLength - 3) + "..." : message[...]
    diagnostics.append(Diagnostic(severity: severity, message: String(cut), path: path, line: line, column: column))
  }
}
