/// Why an expression was refused or could not be evaluated, in GitHub's words.
public struct ExpressionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Names, arity, depth and length are checked while parsing, before anything is evaluated.
  public enum Phase: String, Sendable { case lexing, parsing, evaluation }

  public let phase: Phase
  public let message: String
  /// The 1-based offset in the expression, in UTF-16 units as GitHub counts; nil where the error has no place.
  public let position: Int?
  /// The expression that was read.
  public let expression: String

  public init(phase: Phase, message: String, position: Int? = nil, expression: String = "") {
    self.phase = phase
    self.message = message
    self.position = position
    self.expression = expression
  }

  public var description: String {
    if let position { return "\(message). Located at position \(position) within expression: \(expression)" }
    return expression.isEmpty ? message : "\(message). Located within expression: \(expression)"
  }

  static func evaluation(_ message: String) -> ExpressionError { ExpressionError(phase: .evaluation, message: message) }
}
