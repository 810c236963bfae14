internal import Domain

/// Functions, libraries and data that no policy reaches. Warnings: a bundle with them acts.
enum UnusedParts {
  static func functions(of source: AnalysedSource, in bundle: AnalysedBundle) -> [PolicyDiagnostic] {
    func warning(_ range: Range<Int>?, _ message: String) -> PolicyDiagnostic {
      PolicyDiagnostic(file: source.path, place: range.map(source.lines.place(of:)), severity: .warning, message: message)
    }
    var found: [PolicyDiagnostic] = []
    for binding in source.bindings.bindings where binding.kind == .function && binding.reads == 0 && binding.writes == 0 {
      if !binding.name.text.hasPrefix("_") { found.append(warning(binding.name.range, "function '\(binding.name.text)' is never called")) }
    }
    if source.policyFile == nil, !bundle.requiredModules.contains(source.module) {
      return found + [warning(nil, "required by nothing: require(\"\(source.module)\") reaches it")]
    }
    guard case .table(let table)? = bundle.modules[source.module], table.file == source.path, !bundle.openTables.contains(table),
      let fields = bundle.tables[table]?.fields
    else { return found }
    let asked = source.policyFile.flatMap { PolicyLanguage.parameters[$0] }.map { Array($0.keys) } ?? []
    for (name, places) in fields where !asked.contains(name) && !bundle.readFields.contains(.init(table: table, name: name)) {
      // What a library offers may be there for policies to come, as long as something tries it.
      if source.policyFile == nil, bundle.testedFields.contains(.init(table: table, name: name)) { continue }
      guard places.count == 1, let place = places.first, case .function = place.value, place.key.file == source.path else { continue }
      let range = place.key.offset..<place.key.offset + name.utf8.count
      guard let file = source.policyFile else {
        found.append(warning(range, "'\(name)' is called by nothing"))
        continue
      }
      let hint = Suggestion.nearest(to: name, among: asked).map { " – did you mean '\(file.rawValue).\($0)'?" } ?? ""
      found.append(warning(range, "nothing asks '\(file.rawValue).\(name)'\(hint)"))
    }
    return found
  }

  static func data(_ data: AnalysedData, read: Set<[String]>, bundle: PolicyBundle) -> [PolicyDiagnostic] {
    data.tables.sorted { $0.key < $1.key }.flatMap { name, table -> [PolicyDiagnostic] in
      let file = PolicyData.folder + name + ".yaml"
      if !isRead([name], read) { return [PolicyDiagnostic(file: file, severity: .warning, message: "is read by no policy")] }
      guard case .map(let keys) = table else { return [] }
      return keys.keys.sorted().filter { !isRead([name, $0], read) }.map { key in
        PolicyDiagnostic(
          file: file, place: place(of: key, in: bundle.files[file] ?? []), severity: .warning, message: "'\(key)' is read by no policy")
      }
    }
  }

  /// Whether a policy reads something at, above or below a place.
  private static func isRead(_ path: [String], _ read: Set<[String]>) -> Bool {
    read.contains { $0.starts(with: path) || path.starts(with: $0) }
  }

  /// Where a key of the outermost map of a YAML file most likely stands.
  private static func place(of key: String, in text: [UInt8]) -> SourcePlace? {
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    for spelling in [key, "\"\(key)\"", "'\(key)'"] {
      if let line = lines.firstIndex(where: { $0.hasPrefix(spelling + ":") }) {
        return SourcePlace(line: line + 1, column: 1, length: spelling.count)
      }
    }
    return nil
  }
}
