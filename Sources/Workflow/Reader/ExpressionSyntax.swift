/// Checks the grammar of every `${{ }}` below a node. Which contexts each key allows is left to the run.
enum ExpressionSyntax {
  static let contextNames = [
    "github", "env", "vars", "job", "jobs", "steps", "runner", "secrets", "strategy", "matrix", "needs", "inputs",
  ]

  private static let functions = ExpressionFunctions.standard.adding(
    ExpressionFunctions.status(.success) + [ExpressionFunction("hashFiles", arity: 1...255) { _ in .null }])

  static func check(_ node: YAMLNode, _ collector: DiagnosticCollector) {
    switch node.content {
    case .sequence(let items): items.forEach { check($0, collector) }
    case .mapping(let entries):
      for entry in entries {
        // `${{ insert }}` is the one directive that GitHub reads in a key.
        if ExpressionTemplate.containsExpression(entry.key), !isInsert(entry.key) {
          collector.error("A template expression is not allowed in this context", at: entry)
        }
        check(entry.value, collector)
      }
    case .scalar(.string(let text)) where ExpressionTemplate.containsExpression(text):
      report(at: node, collector) { () throws(ExpressionError) in
        let segments = try ExpressionTemplate.segments(of: text)
        for case .expression(let source) in segments { try parse(source) }
        try checkLength(segments)
      }
    case .scalar: break
    }
  }

  /// Checks an `if` that is written without `${{ }}`.
  static func checkBareCondition(_ node: YAMLNode?, _ collector: DiagnosticCollector) {
    guard let node, !node.isExpression, let source = node.text else { return }
    report(at: node, collector) { () throws(ExpressionError) in try parse(source) }
  }

  /// Reports an expression where GitHub allows none.
  static func refuse(in node: YAMLNode?, _ collector: DiagnosticCollector) {
    if let node, node.isExpression { collector.error("A template expression is not allowed in this context", at: node) }
  }

  private static func report(at node: YAMLNode, _ collector: DiagnosticCollector, _ check: () throws(ExpressionError) -> Void) {
    do {
      try check()
    } catch {
      collector.error(error.description, at: node)
    }
  }

  /// GitHub turns text around expressions into one `format('…{0}…', …)`, which may be no longer than any expression.
  private static func checkLength(_ segments: [ExpressionTemplate.Segment]) throws(ExpressionError) {
    guard segments.count > 1 else { return }
    var length = "format('')".utf16.count
    for (position, segment) in segments.enumerated() {
      switch segment {
      case .literal(let text): length += text.utf16.count + text.utf16.count { "'{}".utf16.contains($0) }
      case .expression(let source): length += source.utf16.count + ", {\(position)}".utf16.count
      }
    }
    if length > Expression.maximumLength {
      throw ExpressionError(phase: .parsing, message: "Exceeded max expression length \(Expression.maximumLength)")
    }
  }

  private static func parse(_ source: String) throws(ExpressionError) {
    _ = try Expression(source, contextNames: contextNames, functions: functions)
  }

  static func isInsert(_ key: String) -> Bool { key.filter { !$0.isWhitespace } == "${{insert}}" }
}
