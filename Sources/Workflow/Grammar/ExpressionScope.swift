/// What expressions may name at a key: contexts, and functions beyond the standard ones. GitHub's grammar lists them per definition, and a
/// value inherits what its parents allow.
struct ExpressionScope: OptionSet, Sendable {
  let rawValue: UInt32

  static let github = ExpressionScope(rawValue: 1 << 0)
  static let inputs = ExpressionScope(rawValue: 1 << 1)
  static let vars = ExpressionScope(rawValue: 1 << 2)
  static let needs = ExpressionScope(rawValue: 1 << 3)
  static let strategy = ExpressionScope(rawValue: 1 << 4)
  static let matrix = ExpressionScope(rawValue: 1 << 5)
  static let secrets = ExpressionScope(rawValue: 1 << 6)
  static let steps = ExpressionScope(rawValue: 1 << 7)
  static let job = ExpressionScope(rawValue: 1 << 8)
  static let runner = ExpressionScope(rawValue: 1 << 9)
  static let env = ExpressionScope(rawValue: 1 << 10)
  static let jobs = ExpressionScope(rawValue: 1 << 11)
  static let hashFiles = ExpressionScope(rawValue: 1 << 12)
  /// `always`, `cancelled`, `success` and `failure`, the latter two with names of jobs.
  static let jobStatus = ExpressionScope(rawValue: 1 << 13)
  /// The same four, without arguments.
  static let stepStatus = ExpressionScope(rawValue: 1 << 14)

  static let beforeJobs: ExpressionScope = [.github, .inputs, .vars]
  static let beforeMatrix: ExpressionScope = [.github, .inputs, .vars, .needs]
  static let beforeRunner: ExpressionScope = [.github, .inputs, .vars, .needs, .strategy, .matrix]
  static let onRunner: ExpressionScope = [beforeRunner, .steps, .job, .runner, .env]
  static let inSteps: ExpressionScope = [onRunner, .secrets, .hashFiles]

  /// The contexts by the names that authors write.
  static let contexts: [(name: String, scope: ExpressionScope)] = [
    ("github", .github), ("inputs", .inputs), ("vars", .vars), ("needs", .needs), ("strategy", .strategy), ("matrix", .matrix),
    ("secrets", .secrets), ("steps", .steps), ("job", .job), ("runner", .runner), ("env", .env), ("jobs", .jobs),
  ]

  private static let byFoldedName = Dictionary(
    contexts.map { ($0.name.expressionFolded, $0.scope) }, uniquingKeysWith: { first, _ in first })

  func allowsContext(_ name: String) -> Bool {
    guard let context = Self.byFoldedName[name.expressionFolded] else { return false }
    return contains(context)
  }

  /// The tables that the flags for functions lead to; built once, because a file asks for them at every expression.
  var functions: ExpressionFunctions { Self.tables[Int(rawValue >> 12) & 7] }

  private static let tables: [ExpressionFunctions] = (0..<8).map { flags in
    var functions = ExpressionFunctions.standard
    if flags & 1 != 0 { functions = functions.adding([known("hashFiles", 1...255)]) }
    if flags & 2 != 0 {
      functions = functions.adding([
        known("always", 0...0), known("cancelled", 0...0), known("success", 0...Int.max), known("failure", 0...Int.max),
      ])
    }
    if flags & 4 != 0 {
      functions = functions.adding([known("always", 0...0), known("cancelled", 0...0), known("success", 0...0), known("failure", 0...0)])
    }
    return functions
  }

  /// A function that is only looked up: a file is read without a run that could answer.
  private static func known(_ name: String, _ arity: ClosedRange<Int>) -> ExpressionFunction {
    ExpressionFunction(name, arity: arity) { _ in .null }
  }
}

extension Expression {
  /// Parses an expression as it may stand where the scope holds.
  init(_ source: String, in scope: ExpressionScope) throws(ExpressionError) {
    try self.init(source, isKnownContext: scope.allowsContext, functions: scope.functions)
  }
}
