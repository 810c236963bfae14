/// A chain of properties that an expression reads, such as `github.event.issue.title`; nil stands for what only the run knows, and for `*`.
struct ExpressionPath: Equatable {
  let context: String
  let properties: [String?]

  /// Lower case, with dots; `*` where a property is not known.
  var folded: String { ([context] + properties.map { $0 ?? "*" }).joined(separator: ".").lowercased() }
}

extension Expression {
  /// Every chain that the expression reads, the longest of each.
  var paths: [ExpressionPath] { root.paths }

  /// The functions that it calls, upper case, with their arguments' texts where those are literal.
  var calls: [(name: String, arguments: [ExpressionNode])] { root.allCalls }
}

extension ExpressionNode {
  fileprivate var paths: [ExpressionPath] {
    if let path = chain { return [path] + keyPaths }
    switch self {
    case .literal: return []
    case .context(let name): return [ExpressionPath(context: name, properties: [])]
    case .index(let container, let key): return container.paths + key.paths
    case .wildcard(let container), .not(let container): return container.paths
    case .comparison(_, let left, let right): return left.paths + right.paths
    case .and(let operands), .or(let operands), .call(_, let operands): return operands.flatMap(\.paths)
    }
  }

  /// The chain that ends here, where it begins with a context.
  private var chain: ExpressionPath? {
    switch self {
    case .context(let name): return ExpressionPath(context: name, properties: [])
    case .index(let container, let key):
      guard let inner = container.chain else { return nil }
      let property: String? = if case .literal(.string(let name)) = key { name } else { nil }
      return ExpressionPath(context: inner.context, properties: inner.properties + [property])
    case .wildcard(let container):
      return container.chain.map { ExpressionPath(context: $0.context, properties: $0.properties + [nil]) }
    default: return nil
    }
  }

  /// What the keys of a chain read themselves.
  private var keyPaths: [ExpressionPath] {
    switch self {
    case .index(let container, let key): container.keyPaths + key.paths
    case .wildcard(let container): container.keyPaths
    default: []
    }
  }

  fileprivate var allCalls: [(name: String, arguments: [ExpressionNode])] {
    switch self {
    case .literal, .context: []
    case .index(let container, let key): container.allCalls + key.allCalls
    case .wildcard(let container), .not(let container): container.allCalls
    case .comparison(_, let left, let right): left.allCalls + right.allCalls
    case .and(let operands), .or(let operands): operands.flatMap(\.allCalls)
    case .call(let function, let arguments): [(function.name.expressionFolded, arguments)] + arguments.flatMap(\.allCalls)
    }
  }
}

extension TemplateToken {
  /// Every expression at or below this token, with the token that holds it.
  func forEachExpression(_ body: (TemplateToken, Expression) -> Void) {
    switch content {
    case .expression(let source):
      // What cannot be parsed was reported when the file was read.
      let parsed = expression ?? (try? Expression(source, in: ExpressionScope(rawValue: .max).subtracting(.stepStatus)))
      if let parsed { body(self, parsed) }
    case .sequence(let items): for item in items { item.forEachExpression(body) }
    case .mapping(let entries):
      for entry in entries {
        entry.key.forEachExpression(body)
        entry.value.forEachExpression(body)
      }
    default: break
    }
  }
}

extension TemplateStep {
  /// The values of the step that may hold expressions, the condition first.
  var tokens: [TemplateToken] {
    let own: [TemplateToken?] =
      switch kind {
      case .run(let script, let directory, let shell): [script, directory, shell]
      case .action(let uses, let with): [uses, with]
      case .wait(let names): names
      case .waitForAll: []
      case .cancel(let name): [name]
      }
    return ([writtenCondition == nil ? nil : condition, name, env, continueOnError, timeoutMinutes] + own).compactMap(\.self)
  }
}
