import Yams

/// Turns text into ``YAMLNode``s with places, through libYAML, within bounds that hostile text cannot break.
///
/// Aliases are resolved and counted here, from what ``YAMLDisguise`` left of them.
struct YAMLReader {
  /// Nodes that aliases may add to a file.
  private static let maximumAliasedNodes = 100_000
  /// Keys that stand twice; each costs a reading, so a long text is read once.
  private static let maximumDuplicates = 10
  private static let maximumRereadLength = 100_000

  private struct Failure: Error {
    let message: String
    let line: Int
    let column: Int
    var rule = ValidationRule.yaml
  }

  private let disguise: YAMLDisguise
  private let collector: DiagnosticCollector
  private let maximumDepth: Int
  private var anchors: [String: YAMLNode] = [:]
  private var aliasedNodes = 0

  /// The root node; nil, and a diagnostic, where the text cannot be read.
  static func read(_ text: String, _ collector: DiagnosticCollector, options: WorkflowOptions = WorkflowOptions()) -> YAMLNode? {
    if text.utf16.count > options.maximumLength {
      collector.error(
        "The maximum file size of \(options.maximumLength) characters has been exceeded", line: 1, column: 1, rule: .limits)
      return nil
    }
    let body = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    guard let disguise = YAMLDisguise(for: body) else {
      collector.error("The file uses every private-use character of Unicode", line: 1, column: 1, rule: .limits)
      return nil
    }
    if let line = KeyNesting.lineBeyondBound(in: body) {
      collector.error(
        "Too many collections are nested like mapping keys ('{ {' or ', {'); write them in block style", line: line, column: 1,
        rule: .limits)
      return nil
    }
    var reader = YAMLReader(disguise: disguise, collector: collector, maximumDepth: options.maximumDepth)
    do {
      return try reader.compose(body)
    } catch {
      collector.error(error.message, line: error.line, column: error.column, rule: error.rule)
      return nil
    }
  }

  private init(disguise: YAMLDisguise, collector: DiagnosticCollector, maximumDepth: Int) {
    self.disguise = disguise
    self.collector = collector
    self.maximumDepth = maximumDepth
  }

  private mutating func compose(_ text: String) throws(Failure) -> YAMLNode {
    var disguised = disguise.applied(to: text)
    for _ in 0..<(text.utf8.count > Self.maximumRereadLength ? 0 : Self.maximumDuplicates) {
      do {
        return try composeOnce(disguised)
      } catch {
        // Read again without the second one, to find what else there is.
        guard error.rule == .duplicateKey,
          let marked = RepeatedKey.marked(line: error.line, column: error.column, in: disguised, with: disguise.duplicate)
        else { throw error }
        collector.error(error.message, line: error.line, column: error.column, rule: error.rule)
        disguised = marked
      }
    }
    return try composeOnce(disguised)
  }

  private mutating func composeOnce(_ disguised: String) throws(Failure) -> YAMLNode {
    let parser: Parser
    let root: Node?
    do {
      parser = try Parser(yaml: disguised, resolver: .basic, encoding: .utf8)
      root = try parser.singleRoot()
    } catch {
      throw failure(error, in: disguised)
    }
    guard let root else { throw Failure(message: "Expected a scalar value, a sequence, or a mapping", line: 1, column: 1) }
    // The parser owns the anchors; nodes hold them weakly.
    defer { withExtendedLifetime(parser) {} }
    return try convert(root, depth: 1)
  }

  // MARK: Nodes

  private mutating func convert(_ node: Node, depth: Int) throws(Failure) -> YAMLNode {
    let mark = node.mark
    let line = mark?.line ?? 1
    let column = mark?.column ?? 1
    if depth > maximumDepth, !node.isScalar {
      throw Failure(message: "Maximum object depth exceeded", line: line, column: column, rule: .limits)
    }
    let converted: YAMLNode
    let anchor: Anchor?
    switch node {
    case .scalar(let scalar):
      anchor = scalar.anchor
      if scalar.style == .plain, let first = scalar.string.unicodeScalars.first, first == disguise.alias || first == disguise.key {
        return try convertIndicator(scalar, first, depth: depth, line: line, column: column)
      }
      converted = YAMLNode(.scalar(try value(of: scalar, line: line, column: column)), line: line, column: column)
    case .sequence(let sequence):
      anchor = sequence.anchor
      try checkTag(sequence.tag, is: .seq, line: line, column: column)
      var items: [YAMLNode] = []
      items.reserveCapacity(sequence.count)
      for item in sequence { items.append(try convert(item, depth: depth + 1)) }
      converted = YAMLNode(.sequence(items), line: line, column: column)
    case .mapping(let mapping):
      anchor = mapping.anchor
      try checkTag(mapping.tag, is: .map, line: line, column: column)
      converted = YAMLNode(.mapping(try entries(of: mapping, depth: depth)), line: line, column: column)
    case .alias:
      throw Failure(message: "Unexpected alias", line: line, column: column)
    }
    if let anchor { anchors[disguise.removed(from: anchor.rawValue)] = converted }
    return converted
  }

  private mutating func entries(of mapping: Node.Mapping, depth: Int) throws(Failure) -> [YAMLEntry] {
    var entries: [YAMLEntry] = []
    entries.reserveCapacity(mapping.count)
    var seen = FoldedNames()
    for (keyNode, valueNode) in mapping {
      let key = try convert(keyNode, depth: depth + 1)
      guard let text = keyText(keyNode, key) else {
        let kind = if case .sequence = key.content { "sequence" } else { "mapping" }
        throw Failure(message: "A \(kind) was not expected", line: key.line, column: key.column)
      }
      if text.unicodeScalars.first == disguise.duplicate {
        // Left out, but it may hold an anchor.
        _ = try convert(valueNode, depth: depth + 1)
        continue
      }
      if text == "<<", case .scalar(let scalar) = keyNode, scalar.style == .plain {
        collector.error(
          "Unexpected value '<<': GitHub does not read YAML merge keys", at: key, rule: .unknownKey,
          hint: "repeat the pairs, or use an alias")
        continue
      }
      let value = try convert(valueNode, depth: depth + 1)
      // Not fatal: the later one is left out, and the reading goes on to find more.
      if seen.insert(text) {
        entries.append(YAMLEntry(key: text, line: key.line, column: key.column, value: value))
      } else {
        collector.error("'\(text)' is already defined", at: key, rule: .duplicateKey)
      }
    }
    return entries
  }

  /// A key's text; nil for a collection. Hashing it made Yams mark every plain key as a string, so its type is looked at again.
  private func keyText(_ node: Node, _ key: YAMLNode) -> String? {
    if case .scalar(let scalar) = node, scalar.style == .plain, let text = key.text, text == disguise.removed(from: scalar.string) {
      return CoreSchema.value(ofPlain: text).text
    }
    return key.text
  }

  /// A plain scalar that begins with `*` or `?` in the author's text.
  private mutating func convertIndicator(
    _ scalar: Node.Scalar, _ first: Unicode.Scalar, depth: Int, line: Int, column: Int
  ) throws(Failure) -> YAMLNode {
    let rest = String(scalar.string.unicodeScalars.dropFirst())
    if first == disguise.key {
      guard let next = rest.unicodeScalars.first, !next.properties.isWhitespace else {
        throw Failure(message: "Explicit keys ('? key') are not supported; write 'key: value'", line: line, column: column)
      }
      return YAMLNode(.scalar(.string(disguise.removed(from: scalar.string))), line: line, column: column)
    }
    let name = disguise.removed(from: rest)
    guard !name.isEmpty, name.utf8.allSatisfy(Self.isAnchorByte), scalar.anchor == nil else {
      throw Failure(
        message: "'*\(name)' is not an alias: a plain text cannot begin with '*', put it in quotes", line: line, column: column)
    }
    guard let target = anchors[name] else { throw Failure(message: "Unknown alias '*\(name)'", line: line, column: column) }
    aliasedNodes += target.size
    if aliasedNodes > Self.maximumAliasedNodes {
      throw Failure(message: "Aliases expand to more than \(Self.maximumAliasedNodes) nodes", line: line, column: column)
    }
    if depth + target.height > maximumDepth + 2 {
      throw Failure(message: "Maximum object depth exceeded", line: line, column: column, rule: .limits)
    }
    return target
  }

  private func value(of scalar: Node.Scalar, line: Int, column: Int) throws(Failure) -> ExpressionValue {
    let text = disguise.removed(from: scalar.string)
    let kind: CoreSchema.Kind
    switch Tag.Name(rawValue: scalar.tag.rawValue) {
    case .implicit: return scalar.style == .plain ? CoreSchema.value(ofPlain: text) : .string(text)
    case .str, .nonSpecific: return .string(text)
    case .null: kind = .null
    case .bool: kind = .boolean
    case .int: kind = .integer
    case .float: kind = .float
    default: throw Failure(message: "Unexpected tag '\(disguise.removed(from: scalar.tag.rawValue))'", line: line, column: column)
    }
    guard scalar.style == .plain else {
      let style = "\(scalar.style)"
      throw Failure(
        message: "The scalar style '\(style.prefix(1).uppercased())\(style.dropFirst())' on line \(line) and column \(column) "
          + "is not valid with the tag '\(scalar.tag.rawValue)'", line: line, column: column)
    }
    guard let value = CoreSchema.value(of: text, as: kind) else {
      throw Failure(
        message: "The value '\(text)' on line \(line) and column \(column) is invalid for the type '\(scalar.tag.rawValue)'", line: line,
        column: column)
    }
    return value
  }

  private func checkTag(_ tag: Tag, is expected: Tag.Name, line: Int, column: Int) throws(Failure) {
    let name = tag.rawValue
    if name != Tag.Name.implicit.rawValue, name != expected.rawValue {
      throw Failure(message: "Unexpected tag '\(disguise.removed(from: tag.rawValue))'", line: line, column: column)
    }
  }

  // MARK: Text

  private func failure(_ error: any Error, in text: String) -> Failure {
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      let detail = context.map { "\(problem) \($0.text)" } ?? problem
      return Failure(message: "YAML: \(detail)", line: mark.line, column: mark.column)
    case YamlError.duplicatedKeysInMapping(let duplicates, let context):
      let key = disguise.removed(from: duplicates.first ?? "")
      let mark = RepeatedKey.secondPlace(of: duplicates.first ?? "", after: context.mark, in: text)
      return Failure(message: "'\(key)' is already defined", line: mark.line, column: mark.column, rule: .duplicateKey)
    case YamlError.reader(let problem, let offset, _, _):
      let line = text.utf8.prefix(offset ?? 0).count { $0 == 0x0A } + 1
      return Failure(message: "YAML: \(problem)", line: line, column: 1)
    default: return Failure(message: "YAML: \(error)", line: 1, column: 1)
    }
  }

  private static func isAnchorByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}

/// The keys of one mapping without case: most have few, which are compared faster than hashed.
private struct FoldedNames {
  private static let maximumListed = 12
  private var listed: [String] = []
  private var hashed: Set<String> = []

  /// False where the name was there.
  mutating func insert(_ name: String) -> Bool {
    let folded = name.expressionFolded
    if listed.contains(folded) { return false }
    guard listed.count >= Self.maximumListed else {
      listed.append(folded)
      return true
    }
    return hashed.insert(folded).inserted
  }
}

extension Node {
  fileprivate var isScalar: Bool {
    if case .scalar = self { return true }
    return false
  }
}
