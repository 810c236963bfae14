/// Completes an `if`: where it asks for no status itself, it holds only after success.
struct ConditionConverter {
  let collector: DiagnosticCollector
  let scope: ExpressionScope

  /// What counts where nothing is written.
  static let success = TemplateToken(.expression("success()"), file: nil, line: 0, column: 0)

  private static let statusFunctions: Set<String> = ["success", "failure", "cancelled", "always"]

  func convert(_ token: TemplateToken) -> TemplateToken {
    let source: String
    switch token.content {
    case .expression(let expression): source = expression
    case .string(let text): source = text
    default: return token.with(.expression("success()"))
    }
    if source.allSatisfy(\.isWhitespace) { return token.with(.expression("success()")) }
    do {
      let expression = try Expression(source, in: scope)
      if expression.calls(anyOf: Self.statusFunctions) { return token.with(.expression(source)) }
    } catch {
      // An expression in `${{ }}` was reported when it was read.
      if token.string != nil, !ExpressionTemplate.containsExpression(source) {
        collector.error(error.description, at: token, rule: .expression)
      }
    }
    return token.with(.expression("success() && (\(source))"))
  }
}
