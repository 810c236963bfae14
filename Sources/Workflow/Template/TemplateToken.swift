/// A value of a file after GitHub's grammar was laid over it: typed, coerced where the grammar says so, with expressions told from texts.
final class TemplateToken: Sendable {
  enum Content: Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    /// Without `${{ }}`; text around several expressions has become one `format(…)`.
    case expression(String)
    /// `${{ insert }}`, the one directive: the value is a mapping that is merged into this one.
    case insert
    case sequence([TemplateToken])
    case mapping([TemplateEntry])
  }

  let content: Content
  /// What the author wrote, `${{ }}` and all; empty for collections.
  let text: String
  /// 1-based index into the table of files; nil for what no author wrote.
  let file: Int?
  /// 1-based.
  let line: Int
  /// 1-based, in Unicode scalars.
  let column: Int
  /// What was parsed when the token was read, where it is an expression.
  let expression: Expression?

  init(_ content: Content, text: String = "", expression: Expression? = nil, file: Int?, line: Int, column: Int) {
    self.content = content
    self.expression = expression
    self.text = text
    self.file = file
    self.line = line
    self.column = column
  }

  func with(_ content: Content) -> TemplateToken { TemplateToken(content, text: text, file: file, line: line, column: column) }
}

/// One pair of a mapping.
struct TemplateEntry: Sendable {
  let key: TemplateToken
  let value: TemplateToken
}

extension TemplateToken {
  /// The string; nil for all else.
  var string: String? {
    if case .string(let string) = content { return string }
    return nil
  }

  var boolean: Bool? {
    if case .boolean(let value) = content { return value }
    return nil
  }

  var number: Double? {
    if case .number(let value) = content { return value }
    return nil
  }

  var items: [TemplateToken]? {
    if case .sequence(let items) = content { return items }
    return nil
  }

  var entries: [TemplateEntry]? {
    if case .mapping(let entries) = content { return entries }
    return nil
  }

  var isNull: Bool {
    if case .null = content { return true }
    return false
  }

  var isExpression: Bool {
    switch content {
    case .expression, .insert: true
    default: false
    }
  }

  /// Whether only a run can say what this is.
  var containsExpression: Bool {
    switch content {
    case .expression, .insert: true
    case .sequence(let items): items.contains(where: \.containsExpression)
    case .mapping(let entries): entries.contains { $0.key.isExpression || $0.value.containsExpression }
    default: false
    }
  }

  /// The value under a key that is a plain string.
  subscript(key: String) -> TemplateToken? {
    guard case .mapping(let entries) = content else { return nil }
    for entry in entries {
      if case .string(let string) = entry.key.content, string == key { return entry.value }
    }
    return nil
  }

  /// A list, or one item that stands for a list of one.
  var oneOrMore: [TemplateToken] { items ?? (isNull ? [] : [self]) }

  /// As a value of the expression language; an expression stays the text that the author wrote.
  var value: ExpressionValue {
    switch content {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .expression, .insert: .string(text)
    case .sequence(let items): .array(ExpressionArray(items.map(\.value)))
    case .mapping(let entries): .object(ExpressionObject(entries.map { .init(key: $0.key.authored, value: $0.value.value) }))
    }
  }

  /// A scalar as the author meant it: the text with its expressions, or the literal that the grammar made of it.
  var authored: String {
    switch content {
    case .string(let string): string
    case .expression, .insert: text
    default: value.text
    }
  }

  /// A mapping of texts; empty where an expression stands for it. What `${{ insert }}` adds is known only to the run.
  var texts: [String: String] {
    Dictionary(
      (entries ?? []).compactMap { entry in entry.key.isInsert ? nil : (entry.key.authored, entry.value.authored) },
      uniquingKeysWith: { first, _ in first })
  }

  /// What GitHub's service counts for it: a fixed cost for each value, and two bytes for a character.
  var byteCount: Int {
    let objectSize = 24
    let stringSize = 26
    switch content {
    case .null, .boolean, .number, .insert: return objectSize
    case .string(let text), .expression(let text): return objectSize + stringSize + 2 * text.utf16.count
    case .sequence(let items): return items.reduce(objectSize) { $0 + $1.byteCount }
    case .mapping(let entries): return entries.reduce(objectSize) { $0 + $1.key.byteCount + $1.value.byteCount }
    }
  }

  var isInsert: Bool {
    if case .insert = content { return true }
    return false
  }
}
