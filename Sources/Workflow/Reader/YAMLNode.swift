/// A node of the file with its place: aliases resolved, scalars typed by YAML 1.2's core schema.
package struct YAMLNode: Sendable {
  package enum Content: Sendable {
    case scalar(ExpressionValue)
    case sequence([YAMLNode])
    case mapping([YAMLEntry])
  }

  package let content: Content
  /// 1-based.
  package let line: Int
  /// 1-based, in Unicode scalars.
  package let column: Int
  /// How many nodes it stands for, itself included.
  package let size: Int
  /// Levels of nesting, 1 for a scalar.
  package let height: Int

  init(_ content: Content, line: Int, column: Int) {
    self.content = content
    self.line = line
    self.column = column
    size =
      switch content {
      case .scalar: 1
      case .sequence(let items): items.reduce(1) { $0 + $1.size }
      case .mapping(let entries): entries.reduce(1) { $0 + $1.value.size }
      }
    height =
      switch content {
      case .scalar: 1
      case .sequence(let items): 1 + (items.lazy.map(\.height).max() ?? 0)
      case .mapping(let entries): 1 + (entries.lazy.map(\.value.height).max() ?? 0)
      }
  }

  /// A scalar's text as GitHub makes it a string: null is empty, numbers have 15 digits. Nil for collections.
  var text: String? {
    if case .scalar(let value) = content { return value.text }
    return nil
  }

  var isNull: Bool {
    if case .scalar(.null) = content { return true }
    return false
  }

  /// Whether the author left a string with `${{` here, so that only the run decides its value and kind.
  var isExpression: Bool {
    if case .scalar(.string(let text)) = content { return ExpressionTemplate.containsExpression(text) }
    return false
  }

  /// Whether any scalar below holds an expression.
  var containsExpression: Bool {
    switch content {
    case .scalar: isExpression
    case .sequence(let items): items.contains(where: \.containsExpression)
    case .mapping(let entries): entries.contains { ExpressionTemplate.containsExpression($0.key) || $0.value.containsExpression }
    }
  }

  /// The node as a value of the expression language.
  var value: ExpressionValue {
    switch content {
    case .scalar(let value): value
    case .sequence(let items): .array(ExpressionArray(items.map(\.value)))
    case .mapping(let entries): .object(ExpressionObject(entries.map { .init(key: $0.key, value: $0.value.value) }))
    }
  }
}

/// One pair of a mapping.
package struct YAMLEntry: Sendable {
  package let key: String
  package let line: Int
  package let column: Int
  package let value: YAMLNode
}
