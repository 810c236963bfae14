extension WorkflowFile {
  /// Everything there is to say of a file, in the order of lines: what GitHub refuses it for, and what the rules find.
  ///
  /// The rules look at a refused file too, as far as it could be read.
  public static func check(
    _ text: String, path: String, options: WorkflowOptions = WorkflowOptions(), settings: RuleSettings = RuleSettings(),
    host: HostFacts = HostFacts()
  ) -> [Diagnostic] {
    let collector = DiagnosticCollector(path: path)
    guard let template = WorkflowTemplate.read(text, collector, options) else { return collector.sorted }
    var report = ValidationReport(path: path, settings: settings)
    let rules: [any WorkflowRule] = [
      ImageRules(host: host), RunnerRules(host: host, comments: RequestComments.mayBe(in: text) ? RequestComments(text) : nil), StepRules(),
      ConditionRules(), ReferenceRules(), ValueRules(), TriggerRules(),
      MatrixRules(),
      SecurityRules(), ScriptRules(),
    ]
    for rule in rules { rule.check(template, &report) }
    let all = collector.sorted + report.diagnostics
    return all.enumerated().sorted { left, right in
      (left.element.line ?? 0, left.element.column ?? 0, left.offset) < (right.element.line ?? 0, right.element.column ?? 0, right.offset)
    }.map(\.element)
  }
}
