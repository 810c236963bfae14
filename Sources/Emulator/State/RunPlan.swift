import Workflow

/// Decides when the jobs of a run begin: a job waits for those it needs, and its `if:` is asked then. Pure.
enum RunPlan {
  enum Decision: Sendable, Equatable {
    case wait
    case begin
    case skip
    /// The condition cannot be evaluated; the text says why.
    case fail(String)
  }

  /// How the jobs of one key ended: a matrix fails where one of its jobs failed.
  static func result(of conclusions: [Conclusion]) -> Conclusion {
    for worst in [Conclusion.failure, .cancelled] where conclusions.contains(worst) { return worst }
    return conclusions.contains(.success) || conclusions.isEmpty ? .success : .skipped
  }

  /// - Parameters:
  ///   - results: how the jobs that have ended did so, by lower-case key.
  ///   - contexts: what the job's `if:` may read.
  static func decide(
    _ job: JobDefinition, in file: WorkflowFile, results: [String: Conclusion], isCancelled: Bool, contexts: [String: ExpressionValue]
  ) -> Decision {
    let needs = job.needs.map { $0.lowercased() }
    guard needs.allSatisfy({ results[$0] != nil }) else { return .wait }
    let before = ancestors(of: job, in: file).compactMap { results[$0] }
    do {
      let begins: Bool
      if isCancelled {
        begins = try ExpressionTemplate.evaluateCondition(job.condition, contexts: contexts, status: .cancelled)
      } else if before.contains(.failure) {
        begins = try ExpressionTemplate.evaluateCondition(job.condition, contexts: contexts, status: .failure)
      } else if needs.contains(where: { results[$0] != .success }) {
        begins = try evaluateAfterSkipped(job.condition, contexts: contexts)
      } else {
        begins = try ExpressionTemplate.evaluateCondition(job.condition, contexts: contexts, status: .success)
      }
      return begins ? .begin : .skip
    } catch {
      return .fail("the condition of job \(job.key) cannot be evaluated: \(error)")
    }
  }

  /// After a skipped job `success()`, `failure()` and `cancelled()` are all false, so only a condition with a status function can be true.
  private static func evaluateAfterSkipped(_ raw: String?, contexts: [String: ExpressionValue]) throws(ExpressionError) -> Bool {
    guard let raw, ["success(", "failure(", "cancelled(", "always("].contains(where: { raw.contains($0) }) else { return false }
    let none = ["success", "failure", "cancelled"].map { name in
      ExpressionFunction(name, arity: 0...255) { _ throws(ExpressionError) in .boolean(false) }
    }
    let always = ExpressionFunction("always", arity: 0...0) { _ throws(ExpressionError) in .boolean(true) }
    let source = ExpressionTemplate.containsExpression(raw) ? raw : "${{ \(raw) }}"
    return try ExpressionTemplate.evaluate(source, contexts: contexts, functions: .standard.adding(none + [always])).isTruthy
  }

  /// Lower-case keys of all jobs that come before this one.
  private static func ancestors(of job: JobDefinition, in file: WorkflowFile) -> Set<String> {
    var found: Set<String> = []
    var open = job.needs
    while let key = open.popLast() {
      guard found.insert(key.lowercased()).inserted else { continue }
      open += file[key]?.needs ?? []
    }
    return found
  }
}
