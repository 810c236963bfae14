/// The pairs of a mapping with known keys: each key is taken once, and what is left over is reported.
struct MappingFields {
  let node: YAMLNode
  let entries: [YAMLEntry]
  private let collector: DiagnosticCollector
  private var known: Set<String> = []

  /// Nil, and a diagnostic, where the node is no mapping.
  init?(_ node: YAMLNode, _ collector: DiagnosticCollector) {
    guard let entries = node.entries(collector) else { return nil }
    self.node = node
    self.entries = entries
    self.collector = collector
  }

  func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

  func entry(_ key: String) -> YAMLEntry? { entries.first { $0.key == key } }

  /// The node under a key, which then counts as known.
  mutating func take(_ key: String) -> YAMLNode? {
    known.insert(key)
    return entry(key)?.value
  }

  /// A scalar as text; null counts as empty. Nil where it is missing or no scalar.
  mutating func text(_ key: String) -> String? { take(key)?.scalarText(collector) }

  /// A text that may not be empty.
  mutating func nonEmptyText(_ key: String) -> String? { take(key)?.nonEmptyText(collector) }

  /// A boolean or an expression, as text.
  mutating func boolean(_ key: String) -> String? {
    guard let node = take(key) else { return nil }
    if case .scalar(.boolean) = node.content { return node.text }
    return expressionOrUnexpected(node)
  }

  /// A number or an expression, as text.
  mutating func number(_ key: String) -> String? {
    guard let node = take(key) else { return nil }
    if case .scalar(.number) = node.content { return node.text }
    return expressionOrUnexpected(node)
  }

  private func expressionOrUnexpected(_ node: YAMLNode) -> String? {
    guard let text = node.scalarText(collector) else { return nil }
    if node.isExpression { return text }
    collector.error("Unexpected value '\(text)'", at: node)
    return nil
  }

  /// A mapping of names to texts; empty where an expression decides it.
  mutating func texts(_ key: String) -> [String: String] { take(key)?.texts(collector) ?? [:] }

  /// A text or a list of texts, none of them empty.
  mutating func list(_ key: String) -> [YAMLNode] {
    guard let node = take(key) else { return [] }
    if case .sequence = node.content { return node.nonEmptyItems(collector) }
    return node.nonEmptyText(collector) == nil ? [] : [node]
  }

  /// Reports the keys that nobody took.
  func finish() {
    for entry in entries where !known.contains(entry.key) { collector.error("Unexpected value '\(entry.key)'", at: entry) }
  }
}

/// Typed looks at a node, with GitHub's words where it does not fit.
extension YAMLNode {
  func entries(_ collector: DiagnosticCollector) -> [YAMLEntry]? {
    switch content {
    case .mapping(let entries): return entries
    case .sequence: collector.error("A sequence was not expected", at: self)
    case .scalar(let value): collector.error("Unexpected value '\(value.text)'", at: self)
    }
    return nil
  }

  func items(_ collector: DiagnosticCollector) -> [YAMLNode]? {
    switch content {
    case .sequence(let items): return items
    case .mapping: collector.error("A mapping was not expected", at: self)
    case .scalar(let value): collector.error("Unexpected value '\(value.text)'", at: self)
    }
    return nil
  }

  func scalarText(_ collector: DiagnosticCollector) -> String? {
    switch content {
    case .scalar(let value): return value.text
    case .sequence: collector.error("A sequence was not expected", at: self)
    case .mapping: collector.error("A mapping was not expected", at: self)
    }
    return nil
  }

  func nonEmptyText(_ collector: DiagnosticCollector) -> String? {
    guard let text = scalarText(collector) else { return nil }
    if !text.isEmpty { return text }
    collector.error("Unexpected value ''", at: self)
    return nil
  }

  func nonEmptyItems(_ collector: DiagnosticCollector) -> [YAMLNode] {
    if isExpression { return [self] }
    return (items(collector) ?? []).filter { $0.nonEmptyText(collector) != nil }
  }

  func texts(_ collector: DiagnosticCollector) -> [String: String] {
    if isExpression { return [:] }
    var texts: [String: String] = [:]
    for entry in entries(collector) ?? [] {
      if entry.key.isEmpty { collector.error("Unexpected value ''", at: entry) }
      texts[entry.key] = entry.value.scalarText(collector)
    }
    return texts
  }
}
