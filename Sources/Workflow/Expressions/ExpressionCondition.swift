/// How the work before a condition has gone: the jobs needed, or the steps so far.
public enum JobStatus: String, Sendable, CaseIterable {
  case success, failure, cancelled
}

extension ExpressionFunctions {
  /// `success()`, `failure()`, `cancelled()` and `always()` for a status. A job's `success` and `failure` may name jobs; those names are not looked at.
  public static func status(_ status: JobStatus) -> [ExpressionFunction] {
    [
      ExpressionFunction("success", arity: 0...255) { _ in .boolean(status == .success) },
      ExpressionFunction("failure", arity: 0...255) { _ in .boolean(status == .failure) },
      ExpressionFunction("cancelled", arity: 0...0) { _ in .boolean(status == .cancelled) },
      ExpressionFunction("always", arity: 0...0) { _ in .boolean(true) },
    ]
  }
}

extension ExpressionTemplate {
  /// Decides an `if`: of a job or a step, with or without `${{ }}`. Where no status function is called, `success()` is required too.
  ///
  /// As on GitHub, a text around `${{ }}` makes the whole a string, which is true unless empty.
  public static func evaluateCondition(
    _ raw: String?, contexts: [String: ExpressionValue], status: JobStatus, functions: ExpressionFunctions = .standard
  ) throws(ExpressionError) -> Bool {
    let functions = functions.adding(ExpressionFunctions.status(status))
    let source = (raw ?? "")[...].trimmingSpace
    if source.isEmpty { return status == .success }
    let segments = containsExpression(source) ? try segments(of: source) : [.expression(source)]
    var text = BoundedText()
    var namesStatus = false
    for segment in segments {
      switch segment {
      case .literal(let literal): try text.append(literal)
      case .expression(let part):
        let expression = try Expression(part, contextNames: contexts.keys, functions: functions)
        namesStatus = namesStatus || expression.calls(anyOf: ["success", "failure", "cancelled", "always"])
        if segments.count == 1 {
          if !namesStatus, status != .success { return false }
          return try expression.evaluate(contexts: contexts).isTruthy
        }
        try text.append(try expression.evaluate(contexts: contexts).text)
      }
    }
    return (namesStatus || status == .success) && !text.text.isEmpty
  }
}
