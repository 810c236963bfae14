/// Takes the findings of the rules, graded by the settings.
struct ValidationReport {
  /// Bounds what a hostile file can make us say, of each severity, so that no advice takes the place of an error.
  private static let maximumCount = 500

  let path: String
  let settings: RuleSettings
  private(set) var diagnostics: [Diagnostic] = []
  private var counts: [Diagnostic.Severity: Int] = [:]

  init(path: String, settings: RuleSettings) {
    self.path = path
    self.settings = settings
  }

  mutating func add(_ rule: ValidationRule, _ message: String, at token: TemplateToken, hint: String? = nil) {
    add(rule, message, line: token.line, column: token.column, hint: hint)
  }

  mutating func add(_ rule: ValidationRule, _ message: String, line: Int?, column: Int?, hint: String? = nil) {
    let severity: Diagnostic.Severity
    switch settings[rule] {
    case .off: return
    case .warning: severity = .warning
    case .error: severity = .error
    }
    let count = counts[severity, default: 0]
    counts[severity] = count + 1
    if count < Self.maximumCount {
      diagnostics.append(
        Diagnostic(severity: severity, rule: rule, message: message, hint: hint, path: path, line: line, column: column))
    } else if count == Self.maximumCount, severity == .error {
      // Which jobs the rest is about is not kept, so it is about all of them: that is what a finding without a line says.
      diagnostics.append(
        Diagnostic(
          severity: .error, rule: rule, message: "there are more than \(Self.maximumCount) errors", hint: nil, path: path, line: nil,
          column: nil))
    }
  }
}

/// One rule, or a few that look at the same things.
protocol WorkflowRule {
  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport)
}

extension WorkflowTemplate {
  /// The file's own jobs with a runner.
  var runnerJobs: [(job: TemplateJob, runner: TemplateJob.RunnerJob)] {
    jobs.compactMap { job in
      if case .runner(let runner) = job.kind { return (job, runner) }
      return nil
    }
  }
}
