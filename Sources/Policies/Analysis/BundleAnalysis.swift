internal import Domain

/// What can be said of a bundle's files without running them: names and fields that do not exist, answers that the host refuses,
/// functions and data that nothing uses. What is not certain is not said.
package struct BundleAnalysis: Sendable {
  /// Sorted by file and place.
  package private(set) var diagnostics: [PolicyDiagnostic] = []
  /// Files that are not Lua, or nest deeper than is looked at: Lua's own compiler has the word on them.
  package private(set) var unread: [String: LuaSyntaxProblem] = [:]

  /// Where our own reading of a file stopped.
  package struct LuaSyntaxProblem: Hashable, Sendable {
    package var message: String
    package var place: SourcePlace
  }

  /// Findings that are told of one file, the first ones: nobody reads more, and each costs a look at its line.
  private static let findingsPerFile = 200
  /// Rounds after which calls are no longer followed. Each carries inputs one call further, so real policies settle within a few.
  private static let rounds = 24

  package init(_ bundle: PolicyBundle) {
    let data = AnalysedData(tables: bundle.data.tables)
    let sources = read(bundle, data: data)
    let schema = PolicySchemaIndex(PolicyInput.kinds)
    var known = AnalysedBundle()
    var hasSettled = false
    for _ in 0..<Self.rounds {
      let next = Self.walk(sources, known: known, schema: schema).found
      hasSettled = next == known
      known = next
      if hasSettled { break }
    }
    if !hasSettled { known.parameters = known.parameters.mapValues { $0.map { _ in .unknown } } }
    let last = Self.walk(sources, known: known, schema: schema, tellsFindings: true)
    var findings = last.findings
    // A file that could not be read may hold the use of anything.
    if unread.isEmpty {
      for source in sources where !source.isTest { findings.formUnion(UnusedParts.functions(of: source, in: known)) }
      findings.formUnion(UnusedParts.data(data, read: known.readData, bundle: bundle))
    }
    diagnostics = findings.sorted()
  }

  private mutating func read(_ bundle: PolicyBundle, data: AnalysedData) -> [AnalysedSource] {
    let paths = bundle.files.keys.filter { $0.hasSuffix(".lua") }.sorted()
    let libraries = Set(bundle.libraries.map(\.module))
    let all = Set(paths.filter { !$0.hasSuffix("_test.lua") }.map(PolicyBundle.module(of:)))
    return paths.compactMap { path in
      let text = bundle.files[path] ?? []
      do throws(LuaSyntaxError) {
        let chunk = try LuaParser.parse(text)
        return AnalysedSource(path: path, text: text, chunk: chunk, modules: path.hasSuffix("_test.lua") ? all : libraries, data: data)
      } catch {
        unread[path] = LuaSyntaxProblem(message: error.description, place: SourceLines(text).place(of: error.range))
        return nil
      }
    }
  }

  private static func walk(
    _ sources: [AnalysedSource], known: AnalysedBundle, schema: PolicySchemaIndex, tellsFindings: Bool = false
  ) -> (found: AnalysedBundle, findings: Set<PolicyDiagnostic>) {
    var found = AnalysedBundle()
    var findings: Set<PolicyDiagnostic> = []
    for source in sources {
      var walk = FileWalk(source, known: known, found: found, schema: schema)
      walk.run()
      found = walk.found
      guard tellsFindings else { continue }
      let first = walk.findings.sorted { ($0.range.lowerBound, $0.message) < ($1.range.lowerBound, $1.message) }.prefix(findingsPerFile)
      for finding in first {
        findings.insert(
          PolicyDiagnostic(
            file: source.path, place: source.lines.place(of: finding.range), severity: finding.severity, message: finding.message))
      }
    }
    found.settle()
    return (found, findings)
  }
}
