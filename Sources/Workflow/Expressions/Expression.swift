/// One parsed expression of GitHub's language (what stands between `${{` and `}}`), ready to be evaluated any number of times.
///
/// ```swift
/// let expression = try Expression("github.ref == 'refs/heads/main'", contextNames: ["github"])
/// let value = try expression.evaluate(contexts: ["github": github])   // .boolean(true)
/// ```
/// Source: `docs.github.com/actions/reference/evaluate-expressions-in-workflows-and-actions`, and the test cases GitHub's implementations share.
public struct Expression: Sendable {
  /// The deepest tree that GitHub accepts.
  public static let maximumDepth = 50
  /// The longest text that GitHub accepts, in UTF-16 units.
  public static let maximumLength = 21_000
  /// What intermediate values may take while one expression is evaluated, in bytes, two a character.
  public static let maximumMemory = 1_048_576

  /// The expression's text.
  public let source: String
  let root: ExpressionNode

  /// Parses an expression; an empty or blank one yields null.
  ///
  /// - Parameters:
  ///   - contextNames: the only named values the text may use, in any case.
  ///   - functions: the only functions it may use.
  public init(_ source: String, contextNames: some Sequence<String>, functions: ExpressionFunctions = .standard) throws(ExpressionError) {
    let known = Set(contextNames.map(\.expressionFolded))
    try self.init(source, isKnownContext: { known.contains($0.expressionFolded) }, functions: functions)
  }

  init(_ source: String, isKnownContext: (String) -> Bool, functions: ExpressionFunctions) throws(ExpressionError) {
    self.source = source
    root = try ExpressionParser.parse(source, isKnownContext: isKnownContext, functions: functions)
  }

  /// `format('PATTERN', …)` of arguments that are parsed already; parsed again as a whole only where it could break a bound.
  ///
  /// - Parameter source: the same as a text.
  init(formatting arguments: [Expression], pattern: String, source: String, in scope: ExpressionScope) throws(ExpressionError) {
    guard let format = ExpressionFunctions.standard["format"], source.utf8.count <= Self.maximumLength,
      arguments.count < format.arity.upperBound, arguments.allSatisfy({ $0.source.utf8.count < Self.maximumDepth })
    else {
      try self.init(source, in: scope)
      return
    }
    self.init(source: source, root: .call(format, [.literal(.string(pattern))] + arguments.map(\.root)))
  }

  private init(source: String, root: ExpressionNode) {
    self.source = source
    self.root = root
  }

  /// Evaluates against the named values; a context that is missing here is null.
  public func evaluate(contexts: [String: ExpressionValue]) throws(ExpressionError) -> ExpressionValue {
    var evaluator = ExpressionEvaluator(contexts: contexts)
    do {
      return try evaluator.evaluate(root, depth: 0)
    } catch {
      throw ExpressionError(phase: .evaluation, message: error.message, expression: source)
    }
  }

  /// The contexts that the expression names, folded to upper case.
  var contextNames: Set<String> { root.contextNames }

  /// Whether it calls one of these functions, named in any case.
  func calls(anyOf names: Set<String>) -> Bool { root.calls(anyOf: Set(names.map(\.expressionFolded))) }
}

extension ExpressionNode {
  private var children: [ExpressionNode] {
    switch self {
    case .literal, .context: []
    case .index(let container, let key): [container, key]
    case .wildcard(let container): [container]
    case .not(let operand): [operand]
    case .comparison(_, let left, let right): [left, right]
    case .and(let operands), .or(let operands), .call(_, let operands): operands
    }
  }

  var contextNames: Set<String> {
    if case .context(let name) = self { return [name.expressionFolded] }
    return children.reduce(into: []) { $0.formUnion($1.contextNames) }
  }

  func calls(anyOf names: Set<String>) -> Bool {
    if case .call(let function, _) = self, names.contains(function.name.expressionFolded) { return true }
    return children.contains { $0.calls(anyOf: names) }
  }
}
