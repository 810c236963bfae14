/// One token of an expression, with its text and 1-based place.
struct ExpressionToken {
  enum Kind: Equatable {
    case startGroup, endGroup, startIndex, endIndex, separator, dereference, wildcard
    case logical(LogicalOperator)
    case literal(ExpressionValue)
    case propertyName, namedValue, function
  }

  let kind: Kind
  let raw: String
  let position: Int
}

/// The operators of the language; `and` and `or` give back an operand.
enum LogicalOperator: String {
  case not = "!"
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case and = "&&"
  case or = "||"
}
