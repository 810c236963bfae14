internal import Foundation

/// Whether a bundle may act: syntax, version, functions, and its own tests.
package struct BundleCheck: Sendable {
  /// Something that keeps a bundle from acting.
  package struct Problem: Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// From 1, where it is known.
    package var line: Int?
    /// From 1, where it is known.
    package var column: Int?
    package var message: String
    package var description: String {
      ([file] + [line, column].compactMap { $0.map(String.init) }).joined(separator: ":") + ": " + message
    }
  }

  /// One test of a `_test.lua`.
  package struct TestResult: Hashable, Sendable {
    /// The file's path.
    package var file: String
    package var name: String
    /// nil: passed.
    package var failure: Problem?
    /// What it printed.
    package var printed: String
    package var milliseconds = 0.0
  }

  package private(set) var problems: [Problem] = []
  package private(set) var tests: [TestResult] = []
  /// Policy files that the bundle does not have: the built-in rule answers for them.
  package private(set) var missing: [PolicyFile] = []
  /// Lines that the tests executed, where that was asked for.
  package private(set) var coverage = LineCoverage()
  package var failures: [Problem] { tests.compactMap(\.failure) }
  package var isFit: Bool { problems.isEmpty && failures.isEmpty }

  /// In one line, for a status: the first thing that is wrong, and how many there are.
  package var summary: String? {
    let all = problems + failures
    guard let first = all.first else { return nil }
    return all.count == 1 ? first.description : "\(first) (and \(all.count - 1) more)"
  }

  /// Checks a bundle, and runs its tests where the files themselves are sound. Costs what the tests cost: milliseconds as a rule.
  /// - Parameters:
  ///   - foresees: what is certainly wrong in a file is a problem also where no test comes by it: names, fields, answers (`BundleAnalysis`).
  ///   - filter: only tests whose name holds this, in any case.
  ///   - measuresCoverage: notes which lines the tests execute, which makes them several times slower.
  package init(
    _ bundle: PolicyBundle, runsTests: Bool = true, foresees: Bool = false, filter: String? = nil, measuresCoverage: Bool = false
  ) {
    missing = PolicyFile.allCases.filter { !bundle.has($0) }
    for problem in bundle.data.problems {
      problems.append(Problem(file: problem.file, line: problem.line, column: problem.column, message: problem.message))
    }
    for path in bundle.files.keys.sorted() where path.hasSuffix(".lua") { checkSyntax(path, of: bundle) }
    if !problems.isEmpty { return }
    for file in PolicyFile.allCases where bundle.has(file) { checkShape(file, of: bundle) }
    if foresees { foresee(bundle) }
    if !problems.isEmpty || !runsTests { return }
    for path in bundle.files.keys.sorted() where path.hasSuffix("_test.lua") {
      runTests(path, of: bundle, filter: filter, measuresCoverage: measuresCoverage)
    }
    if measuresCoverage { addUntested(of: bundle) }
  }

  /// A module serves a policy file where it names the version and has the functions.
  static func expect(_ module: LuaRuntime.Module, toServe file: PolicyFile) throws(LuaFailure) {
    guard module.api == .integer(PolicyInput.version) else {
      let found = module.api == .none ? "no 'api'" : "api = \(module.api)"
      throw LuaFailure(
        kind: .runtime, message: "\(file.fileName): \(found): this version of RunnerHub serves 'api = \(PolicyInput.version)'")
    }
    for function in file.functions where !module.functions.contains(function) {
      throw LuaFailure(kind: .runtime, message: "\(file.fileName): no function '\(file.rawValue).\(function)'")
    }
  }

  private mutating func checkSyntax(_ path: String, of bundle: PolicyBundle) {
    do {
      let runtime = try LuaRuntime(limits: .test)
      try runtime.addSource(module: "checked", file: path, text: bundle.files[path] ?? [])
      try runtime.compile("checked")
    } catch {
      problems.append(Self.problem(error, in: path))
    }
  }

  private mutating func checkShape(_ file: PolicyFile, of bundle: PolicyBundle) {
    do {
      try Self.expect(try bundle.makeRuntime(for: file, limits: .loading).load(file.rawValue), toServe: file)
    } catch {
      problems.append(Self.problem(error, in: file.fileName))
    }
  }

  private mutating func foresee(_ bundle: PolicyBundle) {
    for diagnostic in BundleAnalysis(bundle).diagnostics where diagnostic.severity == .error {
      problems.append(
        Problem(
          file: diagnostic.file, line: diagnostic.place?.line, column: diagnostic.place?.column, message: diagnostic.message))
    }
  }

  private mutating func runTests(_ path: String, of bundle: PolicyBundle, filter: String?, measuresCoverage: Bool) {
    let runtime: LuaRuntime
    let names: [LuaValue]
    do throws(LuaFailure) {
      runtime = try Self.testRuntime(for: path, of: bundle, measuresCoverage: measuresCoverage)
      guard case .list(let found)? = try runtime.call("tests", []).first else {
        throw LuaFailure(kind: .host, message: "the tests could not be listed")
      }
      names = found
    } catch {
      problems.append(Self.problem(error, in: path))
      return
    }
    if names.isEmpty { problems.append(Problem(file: path, message: "no tests: write test(name, function() … end)")) }
    for (index, name) in names.enumerated() {
      guard case .text(let name) = name, filter.map({ name.localizedCaseInsensitiveContains($0) }) ?? true else { continue }
      let start = ContinuousClock.now
      var result = TestResult(file: path, name: name, failure: nil, printed: "")
      do {
        _ = try runtime.call("run", [.integer(index + 1)])
      } catch {
        var failure = Self.problem(error, in: path)
        failure.message = "\(name): \(failure.message)"
        result.failure = failure
      }
      result.printed = runtime.printed
      result.milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
      tests.append(result)
    }
    // The harness is noted too, and is no file of the bundle.
    if measuresCoverage { coverage.add(covered: runtime.coveredLines, active: runtime.activeLines.filter { bundle.files[$0.key] != nil }) }
  }

  /// Files that no test reaches count with all their lines.
  private mutating func addUntested(of bundle: PolicyBundle) {
    for path in bundle.files.keys.sorted() where path.hasSuffix(".lua") && !path.hasSuffix("_test.lua") && !coverage.has(path) {
      do {
        let runtime = try Self.testRuntime(for: path, of: bundle, measuresCoverage: true)
        coverage.add(covered: [:], active: runtime.activeLines.filter { $0.key == path })
      } catch {
        problems.append(Self.problem(error, in: path))
      }
    }
  }

  /// A state with the harness and one file loaded. Tests may require the policy files themselves.
  private static func testRuntime(for path: String, of bundle: PolicyBundle, measuresCoverage: Bool) throws(LuaFailure) -> LuaRuntime {
    let runtime = try LuaRuntime(limits: .test, kinds: PolicyInput.fieldTypes)
    if measuresCoverage { runtime.setTracing(.coverage) }
    try runtime.setData(bundle.data.tables)
    for (path, text) in bundle.files where path.hasSuffix(".lua") {
      try runtime.addSource(module: PolicyBundle.module(of: path), file: path, text: text)
    }
    try runtime.addSource(module: TestHarness.module, file: "test harness", text: Array(TestHarness.source.utf8))
    try runtime.loadHarness(TestHarness.module)
    let kinds = LuaValue.map(PolicyInput.fieldTypes.mapValues { .map($0.mapValues(LuaValue.text)) })
    _ = try runtime.call("prepare", [kinds, PolicySamples.plain])
    try runtime.run(PolicyBundle.module(of: path))
    return runtime
  }

  /// Lua puts the place before the message: `routing.lua:12: …`.
  static func problem(_ failure: LuaFailure, in file: String) -> Problem {
    let message = failure.message
    if let match = message.firstMatch(of: #/^([^:\n]+\.lua):(\d+): /#) {
      return Problem(file: String(match.1), line: Int(match.2), message: String(message[match.range.upperBound...]))
    }
    if message.hasPrefix(file + ": ") { return Problem(file: file, message: String(message.dropFirst(file.count + 2))) }
    return Problem(file: file, message: message)
  }
}
