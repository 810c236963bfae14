/// Reads `strategy`, and checks the matrix as far as the file decides it.
struct StrategyConverter {
  let collector: DiagnosticCollector

  /// The strategy; an expression that stands for all of it leaves the matrix undecided.
  static func strategy(_ token: TemplateToken?) -> Strategy? {
    guard let token else { return nil }
    guard token.entries != nil else { return token.isExpression ? Strategy(matrix: .undecided, failFast: nil, maxParallel: nil) : nil }
    return Strategy(matrix: token["matrix"].flatMap(matrix), failFast: token["fail-fast"]?.value, maxParallel: token["max-parallel"]?.value)
  }

  private static func matrix(_ token: TemplateToken) -> Matrix? {
    if token.isExpression { return .undecided }
    guard let parts = MatrixParts(token) else { return nil }
    return Matrix(
      vectors: parts.vectors.compactMap { vector in
        guard let name = vector.key.string, let items = vector.value.items else { return nil }
        return Matrix.Vector(name: name, values: items.map(\.value))
      },
      include: rows(parts.include), exclude: rows(parts.exclude), isDecidedByExpression: parts.isUndecided)
  }

  private static func rows(_ token: TemplateToken?) -> [ExpressionObject] {
    (token?.items ?? []).compactMap { row in
      if case .object(let object) = row.value { return object }
      return nil
    }
  }

  // MARK: Checks

  func check(_ token: TemplateToken) {
    checkParallelism(token["max-parallel"])
    guard let matrixToken = token["matrix"], let parts = MatrixParts(matrixToken) else { return }
    for vector in parts.vectors {
      guard let name = vector.key.string, let items = vector.value.items, items.isEmpty else { continue }
      collector.error("Matrix vector '\(name)' does not contain any values", at: vector.value, rule: .matrix)
    }
    let hasInclude = parts.include.map { $0.containsExpression || $0.items?.isEmpty == false } ?? false
    if parts.vectors.isEmpty, !hasInclude {
      collector.error("Matrix must define at least one vector", at: matrixToken, rule: .matrix)
    }
    checkExclusions(parts)
    checkSize(Self.matrix(matrixToken), at: matrixToken)
  }

  private func checkExclusions(_ parts: MatrixParts) {
    // A key that an expression makes may be the one that is excluded.
    guard parts.vectors.allSatisfy({ $0.key.string != nil }) else { return }
    for row in parts.exclude?.items ?? [] {
      for entry in row.entries ?? [] {
        guard let key = entry.key.string, !parts.vectorNames.contains(key.expressionFolded) else { continue }
        let nearest = Spelling.nearest(to: key, among: parts.vectors.compactMap(\.key.string))
        collector.error(
          "Matrix exclude key '\(key)' does not match any key within the matrix", at: entry.key, rule: .matrix,
          hint: nearest.map { "did you mean '\($0)'?" })
      }
    }
  }

  private func checkSize(_ matrix: Matrix?, at token: TemplateToken) {
    do {
      _ = try matrix?.combinations()
    } catch {
      collector.error("The matrix makes more than \(Matrix.maximumJobs) jobs", at: token, rule: .matrix)
    }
  }

  private func checkParallelism(_ token: TemplateToken?) {
    guard let token, let number = token.number, number < 1 || number != number.rounded() else { return }
    collector.error("'max-parallel' must be a whole number above 0, not '\(token.authored)'", at: token, rule: .matrix)
  }
}

/// The vectors and the two lists of a matrix.
private struct MatrixParts {
  let vectors: [TemplateEntry]
  let include: TemplateToken?
  let exclude: TemplateToken?
  let vectorNames: Set<String>

  init?(_ token: TemplateToken) {
    guard let entries = token.entries else { return nil }
    include = token["include"]
    exclude = token["exclude"]
    vectors = entries.filter { $0.key.string != "include" && $0.key.string != "exclude" }
    vectorNames = Set(vectors.compactMap(\.key.string).map(\.expressionFolded))
  }

  /// A vector's scalar may hold an expression without deciding how many jobs there are, unless rows are compared with it.
  var isUndecided: Bool {
    let filters = [include, exclude].compactMap(\.self)
    for vector in vectors {
      guard vector.key.string != nil, let items = vector.value.items else { return true }
      for item in items where item.containsExpression && (!item.isExpression || !filters.isEmpty) { return true }
    }
    return isUndecided(include, comparesAll: false) || isUndecided(exclude, comparesAll: true)
  }

  private func isUndecided(_ filter: TemplateToken?, comparesAll: Bool) -> Bool {
    guard let filter else { return false }
    guard let rows = filter.items else { return true }
    return rows.contains { row in
      guard let entries = row.entries else { return true }
      return entries.contains { entry in
        guard let key = entry.key.string else { return true }
        let isCompared = comparesAll || vectorNames.contains(key.expressionFolded)
        return entry.value.containsExpression && (isCompared || !entry.value.isExpression)
      }
    }
  }
}
