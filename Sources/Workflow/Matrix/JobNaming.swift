/// The name under which the forge shows one combination of a job.
struct JobNaming {
  /// GitHub cuts names to this many characters, the last three of which are dots.
  static let maximumLength = 100

  let job: JobDefinition
  let combination: MatrixCombination

  /// The name or key with the combination's scalar values in parentheses; a name that uses the matrix itself stands alone.
  var displayName: String? {
    guard let name = job.name, ExpressionTemplate.containsExpression(name) else { return suffixed(job.title, shownValues) }
    guard let value = MatrixExpression.value(of: name, matrix: combination.values) else { return nil }
    return Self.cut(MatrixExpression.namesMatrix(name) ? value.text : value.text + suffix(shownValues))
  }

  var literalDisplayName: String? {
    if let name = job.name, ExpressionTemplate.containsExpression(name) { return nil }
    let names = Set(combination.vectorNames.map(\.expressionFolded))
    let entries = combination.values.entries.filter { names.isEmpty || names.contains($0.key.expressionFolded) }
    return suffixed(job.title, entries.map(\.value))
  }

  private var shownValues: [ExpressionValue] { combination.values.entries.map(\.value) }

  private func suffixed(_ name: String, _ values: [ExpressionValue]) -> String? {
    let holdsExpression = values.contains { value in
      if case .string(let text) = value { return ExpressionTemplate.containsExpression(text) }
      return false
    }
    return holdsExpression ? nil : Self.cut(name + suffix(values))
  }

  private func suffix(_ values: [ExpressionValue]) -> String {
    let texts = values.filter(\.isPrimitive).map(\.text).filter { !$0.isEmpty }
    return texts.isEmpty ? "" : " (\(texts.joined(separator: ", ")))"
  }

  static func cut(_ name: String) -> String { name.count > maximumLength ? name.prefix(maximumLength - 3) + "..." : name }
}

extension JobDefinition {
  /// The name where there is one, else the key.
  var title: String {
    guard let name, !name.isEmpty else { return key }
    return name
  }
}
