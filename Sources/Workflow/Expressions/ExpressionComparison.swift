/// The language's comparisons: kinds are coerced to numbers, texts compare without case, collections by identity.
enum ExpressionComparison {
  static func holds(_ left: ExpressionValue, _ symbol: LogicalOperator, _ right: ExpressionValue) -> Bool {
    switch symbol {
    case .equal: isEqual(left, right)
    case .notEqual: !isEqual(left, right)
    case .less: isLess(left, right)
    case .lessOrEqual: isLess(left, right) || isEqual(left, right)
    case .greater: isLess(right, left)
    case .greaterOrEqual: isLess(right, left) || isEqual(left, right)
    case .not, .and, .or: false
    }
  }

  static func isEqual(_ left: ExpressionValue, _ right: ExpressionValue) -> Bool {
    switch coerced(left, right) {
    case (.null, .null): true
    case (.boolean(let left), .boolean(let right)): left == right
    case (.number(let left), .number(let right)): left == right
    case (.string(let left), .string(let right)): left.expressionFolded.utf16.elementsEqual(right.expressionFolded.utf16)
    case (.array(let left), .array(let right)): left === right
    case (.object(let left), .object(let right)): left === right
    default: false
    }
  }

  private static func isLess(_ left: ExpressionValue, _ right: ExpressionValue) -> Bool {
    switch coerced(left, right) {
    case (.boolean(let left), .boolean(let right)): !left && right
    case (.number(let left), .number(let right)): left < right
    case (.string(let left), .string(let right)): left.expressionFolded.utf16.lexicographicallyPrecedes(right.expressionFolded.utf16)
    default: false
    }
  }

  private static func coerced(_ left: ExpressionValue, _ right: ExpressionValue) -> (ExpressionValue, ExpressionValue) {
    switch (left, right) {
    case (.null, .null), (.boolean, .boolean), (.number, .number), (.string, .string): (left, right)
    case (.array, _), (.object, _), (_, .array), (_, .object): (left, right)
    default: (.number(left.numeric), .number(right.numeric))
    }
  }
}
