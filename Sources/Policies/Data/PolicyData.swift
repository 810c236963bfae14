internal import Workflow

/// The tables of a bundle's `data/*.yaml`, which policies read as `data.teams` and so on. A value: read with the bundle, checked against the
/// schemas that stand beside.
package struct PolicyData: Hashable, Sendable {
  /// What is wrong with a data file or its schema.
  package struct Problem: Hashable, Sendable, CustomStringConvertible {
    /// `data/teams.yaml`.
    package var file: String
    /// From 1.
    package var line: Int
    /// From 1, in Unicode scalars.
    package var column: Int
    package var message: String
    package var description: String { "\(file):\(line):\(column): \(message)" }
  }

  /// Most nodes of one file, aliases counted each time, and most levels of nesting: what a state can hold and a reader can follow.
  package static let limits = (nodes: 20_000, depth: 12)

  /// By name: `teams` of `data/teams.yaml`.
  package private(set) var tables: [String: LuaValue] = [:]
  package private(set) var problems: [Problem] = []

  /// - Parameter files: the files of a bundle by path; others than those of `data/` are left alone. Costs what its size costs.
  package init(files: [String: [UInt8]]) {
    for path in files.keys.sorted() where Self.isTable(path) {
      guard let root = read(path, files[path] ?? []) else { continue }
      let before = problems.count
      if let text = files[Self.schemaPath(of: path)] { check(root, of: path, against: text) }
      if problems.count == before, let table = table(root, of: path) { tables[Self.name(of: path)] = table }
    }
    for path in files.keys.sorted() where Self.isSchema(path) && files[Self.tablePath(of: path)] == nil {
      add("a schema without its file: there is no \(Self.tablePath(of: path))", path, line: 1, column: 1)
    }
  }

  // MARK: Names

  static let folder = "data/"
  static func isSchema(_ path: String) -> Bool { path.hasPrefix(folder) && path.hasSuffix(".schema.yaml") }
  static func isTable(_ path: String) -> Bool { path.hasPrefix(folder) && path.hasSuffix(".yaml") && !isSchema(path) }
  static func name(of path: String) -> String { String(path.dropFirst(folder.count).dropLast(".yaml".count)) }
  private static func schemaPath(of path: String) -> String { path.dropLast(".yaml".count) + ".schema.yaml" }
  private static func tablePath(of path: String) -> String { path.dropLast(".schema.yaml".count) + ".yaml" }

  // MARK: Reading

  private mutating func add(_ message: String, _ file: String, line: Int, column: Int) {
    problems.append(Problem(file: file, line: line, column: column, message: message))
  }

  private mutating func read(_ path: String, _ bytes: [UInt8]) -> YAMLNode? {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      add("the file is not UTF-8", path, line: 1, column: 1)
      return nil
    }
    let (root, findings) = YAMLText.read(text, path: path)
    for finding in findings { add(finding.message, path, line: finding.line ?? 1, column: finding.column ?? 1) }
    guard let root, findings.isEmpty else { return nil }
    guard root.size <= Self.limits.nodes else {
      add("\(root.size) values, aliases counted each time; \(Self.limits.nodes) are taken at most", path, line: 1, column: 1)
      return nil
    }
    guard root.height <= Self.limits.depth else {
      add("nested \(root.height) levels deep; \(Self.limits.depth) are taken at most", path, line: 1, column: 1)
      return nil
    }
    return root
  }

  private mutating func check(_ root: YAMLNode, of path: String, against schema: [UInt8]) {
    let schemaPath = Self.schemaPath(of: path)
    guard let schemaRoot = read(schemaPath, schema) else { return }
    do throws(DataSchema.Refusal) {
      for violation in try DataSchema(schemaRoot).violations(of: root) {
        add(violation.message, path, line: violation.line, column: violation.column)
      }
    } catch {
      add(error.message, schemaPath, line: error.line, column: error.column)
    }
  }

  /// The file as Lua sees it: nil where a value has no counterpart there, which is then among the problems.
  private mutating func table(_ root: YAMLNode, of path: String) -> LuaValue? {
    switch root.content {
    case .scalar:
      add("the file holds \(DataSchema.shown(root)); expected a mapping or a list", path, line: root.line, column: root.column)
      return nil
    default: break
    }
    let before = problems.count
    let value = value(of: root, path)
    return problems.count == before ? value : nil
  }

  private mutating func value(of node: YAMLNode, _ path: String) -> LuaValue {
    switch node.content {
    case .scalar(let scalar): return LuaValue(scalar)
    case .sequence(let items):
      var values: [LuaValue] = []
      for item in items {
        let value = value(of: item, path)
        if value == .none { add("a list cannot hold null: in Lua it would end there", path, line: item.line, column: item.column) }
        values.append(value)
      }
      return .list(values)
    case .mapping(let entries):
      var values: [String: LuaValue] = [:]
      for entry in entries {
        let value = value(of: entry.value, path)
        if value != .none { values[entry.key] = value }
      }
      return .map(values)
    }
  }
}

extension LuaValue {
  /// Whole numbers are integers, and null is nil, as Lua has them.
  init(_ scalar: ExpressionValue) {
    switch scalar {
    case .boolean(let value): self = .bool(value)
    case .number(let value):
      if value.rounded() == value, abs(value) <= 9_007_199_254_740_992 {
        self = .integer(Int64(value))
      } else {
        self = .number(value)
      }
    case .string(let text): self = .text(text)
    case .null, .array, .object: self = .none
    }
  }
}
