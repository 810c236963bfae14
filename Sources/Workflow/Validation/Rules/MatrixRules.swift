/// Rows of a matrix that do nothing.
struct MatrixRules: WorkflowRule {
  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    for job in template.jobs {
      guard let matrix = job.strategy?["matrix"], let entries = matrix.entries else { continue }
      let vectors = entries.filter { $0.key.string != "include" && $0.key.string != "exclude" }
      for vector in vectors { checkRepetition(vector, &report) }
      checkExclusions(matrix["exclude"], vectors, &report)
    }
  }

  private func checkRepetition(_ vector: TemplateEntry, _ report: inout ValidationReport) {
    var seen: [ExpressionValue] = []
    for item in (vector.value.items ?? []).prefix(Matrix.maximumJobs) where !item.containsExpression {
      if seen.contains(item.value) {
        report.add(.matrixUse, "this value of '\(vector.key.authored)' stands twice, and makes the same jobs twice", at: item)
      }
      seen.append(item.value)
    }
  }

  private func checkExclusions(_ exclude: TemplateToken?, _ vectors: [TemplateEntry], _ report: inout ValidationReport) {
    let values = Dictionary(
      vectors.compactMap { vector -> (String, [ExpressionValue])? in
        guard let name = vector.key.string, !vector.value.containsExpression else { return nil }
        return (name.expressionFolded, (vector.value.items ?? []).map(\.value))
      }, uniquingKeysWith: { first, _ in first })
    for row in (exclude?.items ?? []).prefix(Matrix.maximumJobs) {
      for entry in row.entries ?? [] where !entry.value.containsExpression {
        guard let name = entry.key.string, let known = values[name.expressionFolded] else { continue }
        if known.contains(where: { Matrix.isExcluded($0, by: entry.value.value) }) { continue }
        report.add(.matrixUse, "'\(name)' has no such value: this exclusion matches nothing", at: entry.value)
      }
    }
  }
}

extension Matrix {
  /// Whether a row with this value takes out what has that one: objects by a part of them.
  static func isExcluded(_ value: ExpressionValue, by pattern: ExpressionValue) -> Bool {
    switch (value, pattern) {
    case (.object(let object), .object(let part)):
      part.entries.allSatisfy { entry in object[entry.key].map { isExcluded($0, by: entry.value) } ?? false }
    case (.array(let left), .array(let right)):
      left.items.count == right.items.count && zip(left.items, right.items).allSatisfy { isExcluded($0, by: $1) }
    default: value == pattern
    }
  }
}
