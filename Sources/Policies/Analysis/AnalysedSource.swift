internal import Domain

/// A file that could be read as Lua, and what its place in the bundle tells of it.
struct AnalysedSource {
  let path: String
  let chunk: LuaChunk
  let bindings: LuaBindings
  let lines: SourceLines
  /// What `require` reaches from here.
  let modules: Set<String>
  let data: AnalysedData
  private let annotations: [Int: String]

  init(path: String, text: [UInt8], chunk: LuaChunk, modules: Set<String>, data: AnalysedData) {
    self.path = path
    self.chunk = chunk
    self.modules = modules
    self.data = data
    bindings = LuaBindings(chunk)
    lines = SourceLines(text)
    let lines = lines
    annotations = Dictionary(
      chunk.annotations.map { (lines.line(of: $0.range.lowerBound), $0.text) }, uniquingKeysWith: { first, _ in first })
  }

  var module: String { PolicyBundle.module(of: path) }
  var isTest: Bool { path.hasSuffix("_test.lua") }
  var policyFile: PolicyFile? { PolicyFile(rawValue: module) }

  /// Parameter → type, of the comments that stand directly above a statement: `---@param job Job`.
  func annotatedParameters(above offset: Int) -> [String: String] {
    var found: [String: String] = [:]
    var line = lines.line(of: offset) - 1
    while let text = annotations[line] {
      let words = text.split(separator: " ", omittingEmptySubsequences: true)
      if words.count >= 3, words[0] == "@param" { found[String(words[1])] = String(words[2]) }
      line -= 1
    }
    return found
  }

  /// What the host calls a function as, if it does.
  func entry(of function: SourceSite, in bundle: AnalysedBundle) -> PolicyEntry? {
    guard let file = policyFile, function.file == path, case .table(let table)? = bundle.modules[module],
      let fields = bundle.tables[table]
    else { return nil }
    for (name, inputs) in PolicyLanguage.parameters[file] ?? [:] where fields.value(of: name) == .function(function) {
      return PolicyEntry(file: file, function: name, inputs: inputs)
    }
    return nil
  }
}

/// Kinds of inputs and their fields.
struct PolicySchemaIndex {
  let fields: [String: [String: PolicyType]]
  private let byAnnotation: [String: String]

  init(_ kinds: [PolicyKindDescription]) {
    fields = Dictionary(
      kinds.map { ($0.name, Dictionary($0.fields.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })) },
      uniquingKeysWith: { first, _ in first })
    byAnnotation = Dictionary(kinds.map { (PolicyType.object($0.name).annotation, $0.name) }, uniquingKeysWith: { first, _ in first })
  }

  /// The input that an annotation names: `Job`, `Fleet?`.
  func input(named annotation: String) -> AnalysedValue? {
    let name = annotation.hasSuffix("?") ? String(annotation.dropLast()) : annotation
    return byAnnotation[name].map { .input(.object($0), name: $0) }
  }
}

/// The tables of `data/`, by their names.
struct AnalysedData {
  var tables: [String: LuaValue] = [:]

  func value(at path: [String]) -> LuaValue? {
    var value = LuaValue.map(tables)
    for name in path {
      guard case .map(let values) = value, let next = values[name] else { return nil }
      value = next
    }
    return value
  }
}
