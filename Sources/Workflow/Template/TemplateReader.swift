/// Lays GitHub's grammar over a node: what does not fit is reported in GitHub's words and order, and the reading goes on.
///
/// Follows the order of GitHub's own reader, so that the same mistakes are found in the same order.
struct TemplateReader {
  let file: Int
  let collector: DiagnosticCollector

  func read(_ node: YAMLNode, as grammar: Grammar) -> TemplateToken { read(node, as: grammar, in: grammar.scope) }

  private func read(_ node: YAMLNode, as grammar: Grammar, in scope: ExpressionScope) -> TemplateToken {
    switch node.content {
    case .scalar(let value):
      return checked(ScalarReader(reader: self, scope: scope).token(of: value, at: node), against: grammar.scalars, in: scope)
    case .sequence(let items):
      guard let item = grammar.item?.resolve() else {
        collector.error("A sequence was not expected", at: node, rule: .unexpectedValue)
        return token(.sequence([]), at: node)
      }
      let itemScope = scope.union(item.scope)
      return token(.sequence(items.map { read($0, as: item, in: itemScope) }), at: node)
    case .mapping(let entries):
      guard let first = grammar.mappings.first else {
        collector.error("A mapping was not expected", at: node, rule: .unexpectedValue)
        return token(.mapping([]), at: node)
      }
      if grammar.mappings.count == 1, first.properties.isEmpty, let loose = first.loose {
        return token(.mapping(looseEntries(entries, loose, in: scope)), at: node)
      }
      return token(.mapping(knownEntries(entries, of: grammar.mappings, at: node, in: scope)), at: node)
    }
  }

  func token(
    _ content: TemplateToken.Content, text: String = "", expression: Expression? = nil, at node: YAMLNode
  ) -> TemplateToken {
    TemplateToken(content, text: text, expression: expression, file: file, line: node.line, column: node.column)
  }

  // MARK: Mappings

  private func looseEntries(_ entries: [YAMLEntry], _ loose: MappingGrammar.Loose, in scope: ExpressionScope) -> [TemplateEntry] {
    let value = loose.value.resolve()
    let valueScope = scope.union(value.scope)
    return entries.compactMap { entry in
      guard let key = key(of: entry, in: scope) else { return nil }
      let checkedKey = key.isExpression ? key : checked(key, against: [loose.key], in: scope)
      return TemplateEntry(key: checkedKey, value: read(entry.value, as: value, in: valueScope))
    }
  }

  private func knownEntries(
    _ entries: [YAMLEntry], of candidates: [MappingGrammar], at node: YAMLNode, in scope: ExpressionScope
  ) -> [TemplateEntry] {
    var candidates = candidates
    let loose = candidates.first?.loose
    var result: [TemplateEntry] = []
    var names: [String] = []
    var hasExpressionKey = false
    for entry in entries {
      guard let key = key(of: entry, in: scope) else {
        hasExpressionKey = true
        continue
      }
      guard let name = key.string else {
        hasExpressionKey = true
        result.append(TemplateEntry(key: key, value: read(entry.value, as: .any, in: scope)))
        continue
      }
      names.append(name)
      if let property = Self.match(name, in: &candidates) {
        result.append(TemplateEntry(key: key, value: read(entry.value, as: property, in: scope.union(property.scope))))
      } else if let loose {
        let value = loose.value.resolve()
        result.append(
          TemplateEntry(
            key: checked(key, against: [loose.key], in: scope), value: read(entry.value, as: value, in: scope.union(value.scope))))
      } else {
        collector.error("Unexpected value '\(name)'", at: entry, rule: .unknownKey, hint: hint(name, in: candidates))
      }
    }
    if candidates.count > 1 {
      reportUndecided(candidates, at: node)
    } else if let only = candidates.first, !hasExpressionKey {
      for property in only.required where !names.contains(where: { $0.expressionFolded == property.expressionFolded }) {
        collector.error("Required property is missing: \(property)", at: node, rule: .missingProperty)
      }
    }
    return result
  }

  /// What a known key holds. Where keys decide between mappings, those without it are out.
  private static func match(_ key: String, in candidates: inout [MappingGrammar]) -> Grammar? {
    if candidates.count == 1 { return candidates[0].properties[key] }
    var first: Grammar?
    var holding: [MappingGrammar] = []
    for candidate in candidates {
      guard let property = candidate.properties[key] else { continue }
      first = first ?? property
      holding.append(candidate)
    }
    if first != nil, holding.count < candidates.count { candidates = holding }
    return first
  }

  private func reportUndecided(_ candidates: [MappingGrammar], at node: YAMLNode) {
    var count: [String: Int] = [:]
    for candidate in candidates { for key in candidate.properties.keys { count[key, default: 0] += 1 } }
    let deciding = count.filter { $0.value == 1 }.keys.sorted().joined(separator: ", ")
    collector.error(
      "There's not enough info to determine what you meant. Add one of these properties: \(deciding)", at: node, rule: .missingProperty)
  }

  private func hint(_ key: String, in candidates: [MappingGrammar]) -> String? {
    let known = Set(candidates.flatMap(\.properties.keys))
    if let nearest = Spelling.nearest(to: key, among: known) { return "did you mean '\(nearest)'?" }
    return known.isEmpty ? nil : "known here: \(known.sorted().joined(separator: ", "))"
  }

  /// A key as a token; nil, and a finding, for an expression where none may stand.
  private func key(of entry: YAMLEntry, in scope: ExpressionScope) -> TemplateToken? {
    let node = YAMLNode(.scalar(.string(entry.key)), line: entry.line, column: entry.column)
    let token = ScalarReader(reader: self, scope: scope).token(of: .string(entry.key), at: node)
    guard token.isExpression, scope.isEmpty else { return token }
    collector.error("A template expression is not allowed in this context", at: entry, rule: .expressionNotAllowed)
    return nil
  }

  // MARK: Scalars

  private func checked(_ token: TemplateToken, against scalars: [Grammar.Scalar], in scope: ExpressionScope) -> TemplateToken {
    switch token.content {
    case .expression:
      if scope.isEmpty {
        collector.error("A template expression is not allowed in this context", at: token, rule: .expressionNotAllowed)
      }
      return token
    case .null, .boolean, .number, .string:
      if scalars.contains(where: { $0.accepts(token) }) { return token }
      let coerced = token.with(.string(token.value.text))
      if token.string == nil, scalars.contains(where: { $0.accepts(coerced) }) { return coerced }
      fallthrough
    default:
      let shown = token.isInsert ? "${{ insert }}" : token.value.text
      collector.error("Unexpected value '\(shown)'", at: token, rule: .unexpectedValue, hint: Self.hint(shown, among: scalars))
      return token
    }
  }

  private static func hint(_ value: String, among scalars: [Grammar.Scalar]) -> String? {
    var allowed: [String] = []
    var kinds: [String] = []
    for scalar in scalars {
      switch scalar {
      case .constants(let values): allowed += values
      case .boolean: kinds.append("true or false")
      case .number: kinds.append("a number")
      case .string: kinds.append("a text")
      case .nonEmptyString: kinds.append("a text that is not empty")
      case .null: kinds.append("nothing")
      }
    }
    if let nearest = Spelling.nearest(to: value, among: allowed) { return "did you mean '\(nearest)'?" }
    let expected = kinds + (allowed.count > 24 ? [] : allowed.map { "'\($0)'" })
    return expected.isEmpty ? nil : "expected \(expected.joined(separator: ", "))"
  }
}

extension Grammar.Scalar {
  fileprivate func accepts(_ token: TemplateToken) -> Bool {
    switch (self, token.content) {
    case (.null, .null), (.boolean, .boolean), (.number, .number), (.string, .string): true
    case (.nonEmptyString, .string(let text)): !text.isEmpty
    case (.constants(let values), .string(let text)): values.contains(text)
    default: false
    }
  }
}
