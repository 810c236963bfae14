/// The end of each test of a run, by which the next run tells what changed.
package struct TestOutcome: Hashable, Sendable {
  /// What a test failed with, in lines to print; empty: it passed.
  private var ends: [String: [String]] = [:]
  private var problems: [String] = []
  private var percent: Int?

  init(problems: [String]) { self.problems = problems }

  init(_ check: BundleCheck, folder: String, bundle: PolicyBundle) {
    problems = check.problems.flatMap { PolicyCommands.describe($0, folder: folder, bundle: bundle) }
    for test in check.tests {
      ends["\(test.file): \(test.name)"] = test.failure.map { PolicyCommands.describe($0, folder: folder, bundle: bundle) } ?? []
    }
    if check.problems.isEmpty { percent = Int(check.coverage.percent()) }
  }

  /// What a watcher wants to see after a change: what fails now, what no longer fails, what came and went.
  package func changes(since last: TestOutcome) -> [String] {
    if !problems.isEmpty { return problems == last.problems ? [] : problems }
    var lines = last.problems.isEmpty ? [] : ["✓ the files are sound again"]
    for (name, end) in ends.sorted(by: { $0.key < $1.key }) {
      let before = last.ends[name]
      if !end.isEmpty, before != end { lines += ["✗ \(name)"] + end }
      if end.isEmpty, before?.isEmpty == false { lines.append("✓ \(name)") }
      if end.isEmpty, before == nil, last.problems.isEmpty { lines.append("✓ \(name) (new)") }
    }
    if last.problems.isEmpty { lines += last.ends.keys.filter { ends[$0] == nil }.sorted().map { "– \($0) (gone)" } }
    if let percent, let before = last.percent, percent != before { lines.append("lines covered \(before) % → \(percent) %") }
    return lines
  }

  package var summary: String {
    if !problems.isEmpty { return "the files are not sound: no test ran" }
    let failed = ends.values.count { !$0.isEmpty }
    return "\(ends.count - failed) passed" + (failed == 0 ? "" : ", \(failed) failed")
  }
}
