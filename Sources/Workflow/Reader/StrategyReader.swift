/// Reads `strategy` and its matrix.
struct StrategyReader {
  let collector: DiagnosticCollector

  func read(_ node: YAMLNode?) -> Strategy? {
    guard let node else { return nil }
    if node.isExpression { return Strategy(matrix: .undecided, failFast: nil, maxParallel: nil) }
    guard var fields = MappingFields(node, collector) else { return nil }
    let failFast = fields.boolean("fail-fast").flatMap { _ in fields.entry("fail-fast")?.value.value }
    let maxParallel = fields.number("max-parallel").flatMap { _ in fields.entry("max-parallel")?.value.value }
    let matrix = fields.take("matrix").flatMap(matrix)
    fields.finish()
    return Strategy(matrix: matrix, failFast: failFast, maxParallel: maxParallel)
  }

  private func matrix(_ node: YAMLNode) -> Matrix? {
    if node.isExpression { return .undecided }
    guard let entries = node.entries(collector) else { return nil }
    let vectors = entries.filter { $0.key != "include" && $0.key != "exclude" }
    let filters = entries.filter { $0.key == "include" || $0.key == "exclude" }
    if vectors.isEmpty, !filters.contains(where: { $0.key == "include" }) {
      collector.error("Matrix must define at least one vector", at: node)
    }
    let findings = collector.count
    let undecided = isUndecided(vectors: vectors, filters: filters)
    let matrix = Matrix(
      vectors: vectors.compactMap(vector), include: rows("include", of: filters), exclude: rows("exclude", of: filters),
      isDecidedByExpression: undecided)
    checkExclusions(filters, vectors: vectors)
    if collector.count == findings { checkSize(matrix, at: node) }
    return matrix
  }

  private func vector(_ entry: YAMLEntry) -> Matrix.Vector? {
    if ExpressionSyntax.isInsert(entry.key) || entry.value.isExpression { return nil }
    guard let items = entry.value.items(collector) else { return nil }
    if items.isEmpty { collector.error("Matrix vector '\(entry.key)' does not contain any values", at: entry.value) }
    return Matrix.Vector(name: entry.key, values: items.map(\.value))
  }

  private func rows(_ name: String, of filters: [YAMLEntry]) -> [ExpressionObject] {
    guard let node = filters.first(where: { $0.key == name })?.value, !node.isExpression else { return [] }
    return (node.items(collector) ?? []).compactMap { item in
      guard !item.isExpression, item.entries(collector) != nil, case .object(let object) = item.value else { return nil }
      return object
    }
  }

  /// A vector's scalar may hold an expression without deciding how many jobs there are, unless rows are compared with it.
  private func isUndecided(vectors: [YAMLEntry], filters: [YAMLEntry]) -> Bool {
    for vector in vectors {
      guard case .sequence(let items) = vector.value.content else { return true }
      if ExpressionTemplate.containsExpression(vector.key) { return true }
      for item in items where item.containsExpression && (!item.isExpression || !filters.isEmpty) { return true }
    }
    let names = Set(vectors.map(\.key.expressionFolded))
    return filters.contains { filter in
      guard case .sequence(let rows) = filter.value.content else { return true }
      return rows.contains { row in
        guard case .mapping(let entries) = row.content else { return true }
        return entries.contains { entry in
          let isCompared = names.contains(entry.key.expressionFolded) || filter.key == "exclude"
          return ExpressionTemplate.containsExpression(entry.key)
            || (entry.value.containsExpression && (isCompared || !entry.value.isExpression))
        }
      }
    }
  }

  private func checkExclusions(_ filters: [YAMLEntry], vectors: [YAMLEntry]) {
    let names = Set(vectors.map(\.key.expressionFolded))
    guard let exclude = filters.first(where: { $0.key == "exclude" }), case .sequence(let rows) = exclude.value.content else { return }
    for row in rows {
      guard case .mapping(let entries) = row.content else { continue }
      for entry in entries where !names.contains(entry.key.expressionFolded) && !ExpressionTemplate.containsExpression(entry.key) {
        collector.error("Matrix exclude key '\(entry.key)' does not match any key within the matrix", at: entry)
      }
    }
  }

  private func checkSize(_ matrix: Matrix, at node: YAMLNode) {
    do {
      _ = try matrix.combinations()
    } catch {
      collector.error("The matrix makes more than \(Matrix.maximumJobs) jobs", at: node)
    }
  }
}
