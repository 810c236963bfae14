/// `strategy`: how a job becomes many. Values are as written; an expression stays a string.
public struct Strategy: Sendable, Equatable {
  public let matrix: Matrix?
  public let failFast: ExpressionValue?
  public let maxParallel: ExpressionValue?
}

/// `strategy.matrix`.
public struct Matrix: Sendable, Equatable {
  /// The most jobs that GitHub makes of one matrix.
  public static let maximumJobs = 256

  /// One variable and the values it takes.
  public struct Vector: Sendable, Equatable {
    public let name: String
    public let values: [ExpressionValue]
  }

  /// In the author's order: the first varies slowest.
  public let vectors: [Vector]
  public let include: [ExpressionObject]
  public let exclude: [ExpressionObject]
  /// True where only the run knows the combinations, because an expression stands for a vector, for a list, or where combinations are compared.
  public let isDecidedByExpression: Bool

  static let undecided = Matrix(vectors: [], include: [], exclude: [], isDecidedByExpression: true)
}
