extension PolicyCommands {
  /// What `policy test` is asked for.
  package struct TestOptions: Hashable, Sendable {
    /// Only tests whose name holds this.
    package var filter: String?
    /// Lists the lines that no test executed.
    package var listsUncovered = false
    /// Percent of the lines that tests have to execute.
    package var minimumCoverage: Double?
    package init(filter: String? = nil, listsUncovered: Bool = false, minimumCoverage: Double? = nil) {
      self.filter = filter
      self.listsUncovered = listsUncovered
      self.minimumCoverage = minimumCoverage
    }
  }

  /// What a run of the tests found.
  package struct TestRun: Sendable {
    package var report: Report
    /// For programs that read JUnit's XML.
    package var junit: String
    /// What is to be told of the next run.
    package var outcome: TestOutcome
  }

  /// `policy test`: runs every `_test.lua`.
  package static func test(_ folder: String, _ options: TestOptions = TestOptions()) -> Report { runTests(folder, options).report }

  package static func runTests(_ folder: String, _ options: TestOptions = TestOptions()) -> TestRun {
    switch read(folder) {
    case .failure(let error):
      let problem = BundleCheck.Problem(file: folder, message: error.description)
      return TestRun(
        report: refusal(error), junit: JUnitReport.xml(tests: [], problems: [problem]), outcome: TestOutcome(problems: [error.description]))
    case .success(let bundle):
      let clock = ContinuousClock()
      let start = clock.now
      let check = BundleCheck(bundle, filter: options.filter, measuresCoverage: true)
      return TestRun(
        report: report(check, bundle, folder: folder, options, milliseconds: Int((clock.now - start) / .milliseconds(1))),
        junit: JUnitReport.xml(tests: check.tests, problems: check.problems), outcome: TestOutcome(check, folder: folder, bundle: bundle))
    }
  }

  private static func report(
    _ check: BundleCheck, _ bundle: PolicyBundle, folder: String, _ options: TestOptions, milliseconds: Int
  ) -> Report {
    var lines = check.problems.flatMap { describe($0, folder: folder, bundle: bundle) }
    for test in check.tests {
      guard let failure = test.failure else { continue }
      lines += describe(failure, folder: folder, bundle: bundle)
      lines += test.printed.split(separator: "\n").map { "      printed: \($0)" }
    }
    let failed = check.failures.count
    let passed = check.tests.count - failed
    let percent = check.coverage.percent()
    // Lines that tests reach are measured over all tests, or not at all.
    let isMeasured = options.filter == nil && check.problems.isEmpty
    if isMeasured, options.listsUncovered { lines += uncovered(check.coverage) }
    if let filter = options.filter, check.tests.isEmpty, check.problems.isEmpty {
      lines.append("error: no test's name contains '\(filter)'")
    }
    var isSuccess = check.isFit && !check.tests.isEmpty
    if check.tests.isEmpty, check.problems.isEmpty, options.filter == nil {
      lines.append("error: no tests: write routing_test.lua beside routing.lua")
    }
    if let minimum = options.minimumCoverage, isMeasured, percent < minimum {
      isSuccess = false
      lines.append("error: tests execute \(decimal(percent)) % of the lines, less than the \(decimal(minimum)) % of --minimum-coverage")
    }
    let total = "\(passed) passed" + (failed == 0 ? "" : ", \(failed) failed") + " in \(milliseconds) ms"
    let covered = isMeasured ? ", lines covered \(LineCoverage.text(percent))" : ""
    lines.append((counts(check.tests) + ["   " + total + covered]).joined(separator: "   "))
    return Report(
      text: lines.joined(separator: "\n"), isSuccess: isSuccess,
      values: [
        "bundle": .text(bundle.digest), "passed": .integer(passed), "failed": .integer(failed), "errors": .integer(check.problems.count),
        "milliseconds": .integer(milliseconds), "lines_covered_percent": isMeasured ? .number(percent) : .none,
        "tests": .list(check.tests.map(value)), "problems": .list(check.problems.map { .text($0.description) }),
        "coverage": .object(isMeasured ? coverage(check.coverage) : [:]),
      ])
  }

  /// `routing ✓ 9`, a file each.
  private static func counts(_ tests: [BundleCheck.TestResult]) -> [String] {
    let byFile = Dictionary(grouping: tests, by: \.file)
    return byFile.keys.sorted().map { file in
      let results = byFile[file] ?? []
      let failed = results.count { $0.failure != nil }
      let name = file.replacing("_test.lua", with: "").replacing("lib/", with: "")
      return "\(name) ✓ \(results.count - failed)" + (failed == 0 ? "" : " ✗ \(failed)")
    }
  }

  private static func uncovered(_ coverage: LineCoverage) -> [String] {
    rows(
      coverage.files.map { file in
        let lines = coverage.uncovered(of: file)
        let what =
          lines.isEmpty ? "all lines" : "\(LineCoverage.text(coverage.percent(of: file))), not executed: \(LineCoverage.ranges(lines))"
        return (file, what)
      })
  }

  private static func coverage(_ coverage: LineCoverage) -> [String: ReportValue] {
    Dictionary(
      coverage.files.map { file in
        let counts = coverage.counts(of: file)
        let values: [String: ReportValue] = [
          "covered": .integer(counts.covered), "lines": .integer(counts.active),
          "uncovered": .list(coverage.uncovered(of: file).map(ReportValue.integer)),
        ]
        return (file, .object(values))
      }, uniquingKeysWith: { first, _ in first })
  }

  private static func value(_ test: BundleCheck.TestResult) -> ReportValue {
    .object([
      "file": .text(test.file), "name": .text(test.name), "failure": .optional(test.failure?.description),
      "milliseconds": .number(test.milliseconds),
    ])
  }
}
