/// Checks the grammar of every `${{ }}` below a node. Which contexts each key allows is left to the run.
enum ExpressionSyntax {
  static let contextNames = [
    "github", "env", "vars", "job", "jobs", "steps", "runner", "secrets", "strategy", "matrix", "needs", "inputs",
  ]

  private static let functions = ExpressionFunctions.standard.adding(
    ExpressionFunctions.status(.success) + [ExpressionFunction("hashFiles", arity: 1...255) { _ in .null }])

  static func check(_ node: YAMLNode, isCondition: Bool, _ collector: DiagnosticCollector) {
    switch node.content {
    case .sequence(let items): items.forEach { check($0, isCondition: false, collector) }
    case .mapping(let entries):
      for entry in entries {
        // `${{ insert }}` is the one directive that GitHub reads in a key.
        if ExpressionTemplate.containsExpression(entry.key), !isInsert(entry.key) {
          collector.error("A template expression is not allowed in this context", at: entry)
        }
        check(entry.value, isCondition: false, collector)
      }
    case .scalar(.string(let text)):
      guard isCondition || ExpressionTemplate.containsExpression(text) else { return }
      do {
        try check(text, isCondition: isCondition)
      } catch {
        collector.error(error.description, at: node)
      }
    case .scalar: break
    }
  }

  private static func check(_ text: String, isCondition: Bool) throws(ExpressionError) {
    let segments =
      isCondition && !ExpressionTemplate.containsExpression(text) ? [.expression(text)] : try ExpressionTemplate.segments(of: text)
    for case .expression(let source) in segments {
      _ = try Expression(source, contextNames: contextNames, functions: functions)
    }
  }

  static func isInsert(_ key: String) -> Bool { key.filter { !$0.isWhitespace } == "${{insert}}" }
}
