/// Gathers the findings of one reading. Not shared: it lives as long as one call of `WorkflowFile.parse`.
final class DiagnosticCollector {
  /// Bounds what hostile text can make us say.
  private static let maximumCount = 100
  /// GitHub's own bound on one message.
  private static let maximumMessageLength = 500

  /// A finding, and the step of the reading that made it: GitHub reports none of a later step once an earlier one has failed.
  struct Finding {
    let diagnostic: Diagnostic
    let stage: ReadingStage
  }

  /// The file that is read; another one while a called workflow is.
  var path: String
  var stage = ReadingStage.yaml
  private(set) var findings: [Finding] = []

  init(path: String) { self.path = path }

  var count: Int { findings.count }

  var hasErrors: Bool { findings.contains { $0.diagnostic.severity == .error } }

  var sorted: [Diagnostic] {
    let numbered = findings.map(\.diagnostic).enumerated().sorted { left, right in
      let leftPlace = (left.element.line ?? 0, left.element.column ?? 0, left.offset)
      return leftPlace < (right.element.line ?? 0, right.element.column ?? 0, right.offset)
    }
    return numbered.map(\.element)
  }

  func error(_ message: String, line: Int?, column: Int?, rule: ValidationRule, hint: @autoclosure () -> String? = nil) {
    add(.error, rule, message, hint, line, column)
  }

  func error(_ message: String, at node: YAMLNode, rule: ValidationRule, hint: @autoclosure () -> String? = nil) {
    add(.error, rule, message, hint, node.line, node.column)
  }

  func error(_ message: String, at entry: YAMLEntry, rule: ValidationRule, hint: @autoclosure () -> String? = nil) {
    add(.error, rule, message, hint, entry.line, entry.column)
  }

  func error(_ message: String, at token: TemplateToken, rule: ValidationRule, hint: @autoclosure () -> String? = nil) {
    add(.error, rule, message, hint, token.line, token.column)
  }

  /// What does not keep the file from being read.
  func warning(_ message: String, at token: TemplateToken, rule: ValidationRule, hint: @autoclosure () -> String? = nil) {
    add(.warning, rule, message, hint, token.line, token.column)
  }

  private func add(
    _ severity: Diagnostic.Severity, _ rule: ValidationRule, _ message: String, _ hint: () -> String?, _ line: Int?, _ column: Int?
  ) {
    // A hint costs a search, so none is made for what is not said.
    guard findings.count < Self.maximumCount else { return }
    // Characters are counted only where there may be too many.
    let isLong = message.utf8.count > Self.maximumMessageLength && message.count > Self.maximumMessageLength
    let cut = isLong ? message.prefix(Self.maximumMessageLength) + "[...]" : message[...]
    let diagnostic = Diagnostic(
      severity: severity, rule: rule, message: String(cut), hint: hint(), path: path, line: line, column: column)
    // GitHub's reader meets a key twice while it lays the grammar over the nodes.
    findings.append(Finding(diagnostic: diagnostic, stage: rule == .duplicateKey ? .grammar : stage))
  }
}

/// The steps in which a file is read.
enum ReadingStage: Int, Comparable {
  /// Text to nodes.
  case yaml
  /// Nodes to tokens, by the grammar.
  case grammar
  /// Tokens to jobs.
  case conversion
  /// The order of the jobs.
  case graph
  /// Called workflows.
  case calls
  /// What the service checks of triggers, and what it checks only when a job starts.
  case later

  static func < (left: ReadingStage, right: ReadingStage) -> Bool { left.rawValue < right.rawValue }
}
