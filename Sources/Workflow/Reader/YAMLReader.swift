import Yams

/// Turns text into ``YAMLNode``s with places, through libYAML, within bounds that hostile text cannot break.
///
/// Yams hashes every mapping key, whole collections included, and expands aliases before we see them; both let a small file take hours.
/// So `*` and `?` reach libYAML as private-use characters of the same width: an alias arrives as a plain scalar that begins with the first,
/// which we resolve ourselves and count, and explicit keys (`? key`) as one that begins with the second, which we refuse.
struct YAMLReader {
  /// Nodes that aliases may add to a file.
  private static let maximumAliasedNodes = 100_000
  /// Bounds the time that nested collections as keys take: Yams hashes them at every level.
  private static let maximumKeyWork = 120_000_000

  private struct Failure: Error {
    let message: String
    let line: Int
    let column: Int
  }

  private let aliasMark: Unicode.Scalar
  private let keyMark: Unicode.Scalar
  private let collector: DiagnosticCollector
  private var anchors: [String: YAMLNode] = [:]
  private var aliasedNodes = 0

  /// The root node; nil, and a diagnostic, where the text cannot be read.
  static func read(_ text: String, _ collector: DiagnosticCollector) -> YAMLNode? {
    if text.utf16.count > WorkflowFile.maximumLength {
      collector.error("The file is longer than \(WorkflowFile.maximumLength) characters", line: 1, column: 1)
      return nil
    }
    let body = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    guard let marks = unusedMarks(in: body) else {
      collector.error("The file uses every private-use character of Unicode", line: 1, column: 1)
      return nil
    }
    if let line = lineOfKeyWork(in: body) {
      collector.error(
        "Too many collections are nested like mapping keys ('{ {' or ', {'); write them in block style", line: line, column: 1)
      return nil
    }
    var reader = YAMLReader(aliasMark: marks.0, keyMark: marks.1, collector: collector)
    do {
      return try reader.compose(body)
    } catch {
      collector.error(error.message, line: error.line, column: error.column)
      return nil
    }
  }

  private init(aliasMark: Unicode.Scalar, keyMark: Unicode.Scalar, collector: DiagnosticCollector) {
    self.aliasMark = aliasMark
    self.keyMark = keyMark
    self.collector = collector
  }

  private mutating func compose(_ text: String) throws(Failure) -> YAMLNode {
    let disguised = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar {
          case "*": aliasMark
          case "?": keyMark
          default: scalar
          }
        }))
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
    let line = node.mark?.line ?? 1
    let column = node.mark?.column ?? 1
    if depth > WorkflowFile.maximumDepth { throw Failure(message: "Maximum object depth exceeded", line: line, column: column) }
    let converted: YAMLNode
    switch node {
    case .scalar(let scalar):
      if scalar.style == .plain, let first = scalar.string.unicodeScalars.first, first == aliasMark || first == keyMark {
        return try convertIndicator(scalar, first, depth: depth, line: line, column: column)
      }
      converted = YAMLNode(.scalar(try value(of: scalar, line: line, column: column)), line: line, column: column)
    case .sequence(let sequence):
      try checkTag(sequence.tag, is: .seq, line: line, column: column)
      var items: [YAMLNode] = []
      for item in sequence { items.append(try convert(item, depth: depth + 1)) }
      converted = YAMLNode(.sequence(items), line: line, column: column)
    case .mapping(let mapping):
      try checkTag(mapping.tag, is: .map, line: line, column: column)
      converted = YAMLNode(.mapping(try entries(of: mapping, depth: depth)), line: line, column: column)
    case .alias:
      throw Failure(message: "Unexpected alias", line: line, column: column)
    }
    if let anchor = node.anchor { anchors[restored(anchor.rawValue)] = converted }
    return converted
  }

  private mutating func entries(of mapping: Node.Mapping, depth: Int) throws(Failure) -> [YAMLEntry] {
    var entries: [YAMLEntry] = []
    var seen: Set<String> = []
    for (keyNode, valueNode) in mapping {
      let key = try convert(keyNode, depth: depth + 1)
      guard let text = keyText(keyNode, key) else {
        let kind = if case .sequence = key.content { "sequence" } else { "mapping" }
        throw Failure(message: "A \(kind) was not expected", line: key.line, column: key.column)
      }
      if text == "<<", case .scalar(let scalar) = keyNode, scalar.style == .plain {
        throw Failure(message: "Unexpected value '<<': GitHub does not read YAML merge keys", line: key.line, column: key.column)
      }
      let value = try convert(valueNode, depth: depth + 1)
      // Not fatal: the later one is left out, and the reading goes on to find more.
      if seen.insert(text.expressionFolded).inserted {
        entries.append(YAMLEntry(key: text, line: key.line, column: key.column, value: value))
      } else {
        collector.error("'\(text)' is already defined", at: key)
      }
    }
    return entries
  }

  /// A key's text; nil for a collection. Hashing it made Yams mark every plain key as a string, so its type is looked at again.
  private func keyText(_ node: Node, _ key: YAMLNode) -> String? {
    if case .scalar(let scalar) = node, scalar.style == .plain, let text = key.text, text == restored(scalar.string) {
      return CoreSchema.value(ofPlain: text).text
    }
    return key.text
  }

  /// A plain scalar that begins with `*` or `?` in the author's text.
  private mutating func convertIndicator(
    _ scalar: Node.Scalar, _ first: Unicode.Scalar, depth: Int, line: Int, column: Int
  ) throws(Failure) -> YAMLNode {
    let rest = String(scalar.string.unicodeScalars.dropFirst())
    if first == keyMark {
      guard let next = rest.unicodeScalars.first, !next.properties.isWhitespace else {
        throw Failure(message: "Explicit keys ('? key') are not supported; write 'key: value'", line: line, column: column)
      }
      return YAMLNode(.scalar(.string(restored(scalar.string))), line: line, column: column)
    }
    let name = restored(rest)
    guard !name.isEmpty, name.utf8.allSatisfy(Self.isAnchorByte), scalar.anchor == nil else {
      throw Failure(
        message: "'*\(name)' is not an alias: a plain text cannot begin with '*', put it in quotes", line: line, column: column)
    }
    guard let target = anchors[name] else { throw Failure(message: "Unknown alias '*\(name)'", line: line, column: column) }
    aliasedNodes += target.size
    if aliasedNodes > Self.maximumAliasedNodes {
      throw Failure(message: "Aliases expand to more than \(Self.maximumAliasedNodes) nodes", line: line, column: column)
    }
    if depth + target.height > WorkflowFile.maximumDepth + 1 {
      throw Failure(message: "Maximum object depth exceeded", line: line, column: column)
    }
    return target
  }

  private func value(of scalar: Node.Scalar, line: Int, column: Int) throws(Failure) -> ExpressionValue {
    let text = restored(scalar.string)
    let kind: CoreSchema.Kind
    switch Tag.Name(rawValue: scalar.tag.rawValue) {
    case .implicit: return scalar.style == .plain ? CoreSchema.value(ofPlain: text) : .string(text)
    case .str, .nonSpecific: return .string(text)
    case .null: kind = .null
    case .bool: kind = .boolean
    case .int: kind = .integer
    case .float: kind = .float
    default: throw Failure(message: "Unexpected tag '\(restored(scalar.tag.rawValue))'", line: line, column: column)
    }
    guard scalar.style == .plain else {
      throw Failure(message: "A quoted or block scalar is not valid with the tag '\(scalar.tag.rawValue)'", line: line, column: column)
    }
    guard let value = CoreSchema.value(of: text, as: kind) else {
      throw Failure(
        message: "The value '\(text)' does not fit the tag '\(scalar.tag.rawValue)'", line: line, column: column)
    }
    return value
  }

  private func checkTag(_ tag: Tag, is expected: Tag.Name, line: Int, column: Int) throws(Failure) {
    if ![Tag.Name.implicit.rawValue, expected.rawValue].contains(tag.rawValue) {
      throw Failure(message: "Unexpected tag '\(restored(tag.rawValue))'", line: line, column: column)
    }
  }

  // MARK: Text

  private func restored(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0 == aliasMark || $0 == keyMark }) else { return text }
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar {
          case aliasMark: "*"
          case keyMark: "?"
          default: scalar
          }
        }))
  }

  private func failure(_ error: any Error, in text: String) -> Failure {
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      let detail = context.map { "\(problem) \($0.text)" } ?? problem
      return Failure(message: "YAML: \(detail)", line: mark.line, column: mark.column)
    case YamlError.duplicatedKeysInMapping(let duplicates, let context):
      let key = restored(duplicates.first ?? "")
      let mark = Self.secondPlace(of: duplicates.first ?? "", after: context.mark, in: text)
      return Failure(message: "'\(key)' is already defined", line: mark.line, column: mark.column)
    case YamlError.reader(let problem, let offset, _, _):
      let line = text.utf8.prefix(offset ?? 0).count { $0 == 0x0A } + 1
      return Failure(message: "YAML: \(problem)", line: line, column: 1)
    default: return Failure(message: "YAML: \(error)", line: 1, column: 1)
    }
  }

  /// Yams says where a key stands first; GitHub's place is the second, which in block style is below it in the same column.
  private static func secondPlace(of key: String, after mark: Mark, in text: String) -> (line: Int, column: Int) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated().dropFirst(mark.line) {
      let rest = line.unicodeScalars.dropFirst(mark.column - 1)
      let indent = line.unicodeScalars.prefix(mark.column - 1)
      let unquoted = rest.first.map { $0 == "'" || $0 == "\"" } == true ? rest.dropFirst() : rest
      if indent.allSatisfy({ $0 == " " || $0 == "-" }), unquoted.starts(with: key.unicodeScalars) { return (index + 1, mark.column) }
    }
    return (mark.line, mark.column)
  }

  private static func unusedMarks(in text: String) -> (Unicode.Scalar, Unicode.Scalar)? {
    let used = Set(text.unicodeScalars.lazy.filter { (0xE000...0xF8FF).contains($0.value) })
    let free = (UInt32(0xE000)...0xF8FF).lazy.compactMap(Unicode.Scalar.init).filter { !used.contains($0) }.prefix(2)
    let marks = Array(free)
    return marks.count == 2 ? (marks[0], marks[1]) : nil
  }

  /// The line in which collections nested as bare keys could cost more than the bound: openers after `{` or `,`, times the text's length.
  ///
  /// Knows no quotes and no block texts, so it may count too many, never too few: a comment, anchor or tag between the two does not hide them.
  private static func lineOfKeyWork(in text: String) -> Int? {
    enum Hidden { case nothing, untilSpace, untilLineEnd }
    let expressionBrace: UInt8 = 1
    let length = text.utf8.count
    var suspects = 0
    var line = 1
    var previous: UInt8 = 0
    var hidden = Hidden.nothing
    for byte in text.utf8 {
      let mayNest = previous == UInt8(ascii: "{") || previous == UInt8(ascii: ",")
      switch byte {
      case 0x0A, 0x0D, 0x20, 0x09:
        if byte == 0x0A { line += 1 }
        if hidden == .untilSpace || (hidden == .untilLineEnd && byte == 0x0A) {
          previous = UInt8(ascii: ",")
          hidden = .nothing
        }
      case UInt8(ascii: "#") where mayNest:
        hidden = .untilLineEnd
        previous = byte
      case UInt8(ascii: "&") where mayNest, UInt8(ascii: "!") where mayNest:
        if hidden == .nothing { hidden = .untilSpace }
        previous = byte
      case UInt8(ascii: "{") where previous == UInt8(ascii: "$"):
        previous = expressionBrace
      case UInt8(ascii: "{") where previous == expressionBrace:
        previous = 0
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        suspects += mayNest ? 1 : 0
        if min(suspects, 1_000) * length > maximumKeyWork { return line }
        previous = byte
      default:
        previous = byte
      }
    }
    return nil
  }

  private static func isAnchorByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
