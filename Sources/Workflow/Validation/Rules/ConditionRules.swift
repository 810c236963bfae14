/// Conditions that are always the same.
struct ConditionRules: WorkflowRule {
  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    for job in template.jobs {
      check(job.writtenCondition, &report)
      guard case .runner(let runner) = job.kind else { continue }
      for step in runner.steps { check(step.writtenCondition, &report) }
      check(runner.snapshot?["if"], &report)
    }
  }

  private func check(_ token: TemplateToken?, _ report: inout ValidationReport) {
    guard let token else { return }
    let text = token.text.isEmpty ? token.authored : token.text
    if ExpressionTemplate.containsExpression(text), let segments = try? ExpressionTemplate.segments(of: text), segments.count > 1 {
      report.add(
        .constantCondition, "this condition is always true: text around '${{ }}' makes it a text that is not empty", at: token,
        hint: "leave '${{ }}' away, or put all of it inside, without blanks or a line break behind it")
      return
    }
    let source: String
    switch token.content {
    case .expression(let expression): source = expression
    case .boolean(let value): source = value ? "true" : "false"
    case .string(let string): source = string
    default: return
    }
    guard let expression = try? Expression(source, in: ExpressionScope(rawValue: .max).subtracting([.jobStatus])),
      expression.isConstant, let value = try? expression.evaluate(contexts: [:])
    else { return }
    report.add(.constantCondition, "this condition is always \(value.isTruthy ? "true" : "false")", at: token, hint: "leave 'if' away")
  }
}

extension Expression {
  /// Whether no run can change its value.
  var isConstant: Bool {
    contextNames.isEmpty && !calls(anyOf: ["success", "failure", "cancelled", "always", "hashFiles"]) && !source.allSatisfy(\.isWhitespace)
  }
}
