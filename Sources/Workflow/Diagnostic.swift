/// One finding about a workflow file, with its place.
public struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
  /// An error is what GitHub refuses a file for, or what the rules of the host forbid; a warning is advice.
  public enum Severity: String, Sendable, CaseIterable { case error, warning }

  public let severity: Severity
  public let rule: ValidationRule
  public let message: String
  /// What to do about it.
  public let hint: String?
  public let path: String
  /// 1-based; nil where the finding is about the whole file.
  public let line: Int?
  /// 1-based, in Unicode scalars.
  public let column: Int?

  public init(
    severity: Severity, rule: ValidationRule, message: String, hint: String? = nil, path: String, line: Int?, column: Int?
  ) {
    self.severity = severity
    self.rule = rule
    self.message = message
    self.hint = hint
    self.path = path
    self.line = line
    self.column = column
  }

  /// `path:line:col: error: message`, as compilers write it.
  public var description: String {
    let place = [path] + [line, column].compactMap { $0.map(String.init) }
    return "\(place.joined(separator: ":")): \(severity.rawValue): \(message)"
  }
}

/// What came of reading a file.
public struct WorkflowReading: Sendable {
  /// The model; nil when the file is refused, that is, when there is any error.
  public let file: WorkflowFile?
  /// What could be read, also of a refused file: to be shown, never to be run. Nil where the text is no YAML.
  public let draft: WorkflowFile?
  /// Every finding, in the order of lines.
  public let diagnostics: [Diagnostic]

  public var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
}
