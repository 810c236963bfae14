/// Texts whose expressions name nothing but `matrix`, so that the file alone decides them.
enum MatrixExpression {
  /// The value of a text; nil where it names another context, calls an unknown function, or cannot be read.
  static func value(of text: String, matrix: ExpressionObject) -> ExpressionValue? {
    // Failure is an answer here: it means that the file alone does not decide the text.
    guard let value = try? ExpressionTemplate.evaluate(text, contexts: ["matrix": .object(matrix)]) else { return nil }
    if case .string(let string) = value, ExpressionTemplate.containsExpression(string) { return nil }
    return value
  }

  /// Whether any expression of the text names `matrix`.
  static func namesMatrix(_ text: String) -> Bool {
    guard let segments = try? ExpressionTemplate.segments(of: text) else { return false }
    return segments.contains { segment in
      guard case .expression(let source) = segment,
        let expression = try? Expression(source, contextNames: ExpressionScope.contexts.map(\.name))
      else { return false }
      return expression.contextNames.contains("MATRIX")
    }
  }

  /// `x`, where the text is exactly `${{ matrix.x }}`.
  static func plainReference(_ text: String) -> String? {
    guard let segments = try? ExpressionTemplate.segments(of: text), segments.count == 1, case .expression(let source) = segments[0],
      let expression = try? Expression(source, contextNames: ["matrix"]),
      case .index(.context, .literal(.string(let name))) = expression.root
    else { return nil }
    return name
  }
}
