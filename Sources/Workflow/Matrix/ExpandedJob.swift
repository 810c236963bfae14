/// One job of a run, as far as the file alone decides it: a definition with one combination of its matrix.
public struct ExpandedJob: Sendable, Equatable {
  public let key: String
  /// The combination, in order; usable as the `matrix` context. Empty without a matrix.
  public let matrix: ExpressionObject
  /// What `workflow_job.name` will say; nil when an expression other than of the matrix decides it.
  public let displayName: String?
  /// The same from what is written literally: nil also where the name or a value holds any expression. Shows the vectors' values only.
  public let literalDisplayName: String?
  /// The labels that `runs-on` asks for; nil when an expression other than of the matrix decides them.
  public let labels: [String]?
  /// The same, where each label is a literal or a plain `${{ matrix.x }}`.
  public let literalLabels: [String]?

  /// A text of the job (an image, say) with its `${{ matrix.x }}` replaced; nil where another context decides it.
  public func resolve(_ text: String) -> String? { MatrixExpression.value(of: text, matrix: matrix)?.text }
}

extension JobDefinition {
  /// The jobs that the definition becomes, in GitHub's order; one without a matrix, nil where an expression decides the matrix.
  public func expand() -> [ExpandedJob]? {
    guard let matrix = strategy?.matrix else {
      return [expand(MatrixCombination(values: ExpressionObject([]), vectorNames: []))]
    }
    // A matrix that is too large is refused when the file is read, so nil here means an expression.
    guard let combinations = try? matrix.combinations() else { return nil }
    return combinations.map(expand)
  }

  private func expand(_ combination: MatrixCombination) -> ExpandedJob {
    let naming = JobNaming(job: self, combination: combination)
    let labels = JobLabels(runsOn: runsOn, matrix: combination.values)
    return ExpandedJob(
      key: key, matrix: combination.values, displayName: naming.displayName, literalDisplayName: naming.literalDisplayName,
      labels: labels.evaluated, literalLabels: labels.literal)
  }
}

/// The labels of one combination.
struct JobLabels {
  let runsOn: RunsOn
  let matrix: ExpressionObject

  var evaluated: [String]? { resolved { MatrixExpression.value(of: $0, matrix: matrix) } }

  var literal: [String]? {
    resolved { text in
      guard ExpressionTemplate.containsExpression(text) else { return .string(text) }
      guard let name = MatrixExpression.plainReference(text) else { return nil }
      return matrix[name]
    }
  }

  private func resolved(_ value: (String) -> ExpressionValue?) -> [String]? {
    var labels: [String] = []
    for label in runsOn.labels {
      switch value(label) {
      case .array(let array)?: labels += array.items.map(\.text)
      case nil, .null?, .object?: return nil
      case let scalar?: labels.append(scalar.text)
      }
    }
    return labels
  }
}
