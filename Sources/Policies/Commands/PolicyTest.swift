extension PolicyCommands {
  /// `policy test`: runs every `_test.lua`.
  package static func test(_ folder: String) -> Report {
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let bundle):
      let clock = ContinuousClock()
      let start = clock.now
      let check = BundleCheck(bundle)
      let (seconds, attoseconds) = (clock.now - start).components
      let milliseconds = Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
      var lines = (check.problems + check.failures).flatMap { describe($0, folder: folder, bundle: bundle) }
      let byFile = Dictionary(grouping: check.tests, by: \.file)
      let counts = byFile.keys.sorted().map { file -> String in
        let results = byFile[file] ?? []
        let failed = results.count { $0.failure != nil }
        let name = file.replacing("_test.lua", with: "").replacing("lib/", with: "")
        return "\(name) ✓ \(results.count - failed)" + (failed == 0 ? "" : " ✗ \(failed)")
      }
      let failed = check.failures.count
      let passed = check.tests.count - failed
      lines.append(counts.joined(separator: "   "))
      lines.append("\(passed) passed" + (failed == 0 ? "" : ", \(failed) failed") + " in \(milliseconds) ms")
      return Report(
        text: lines.joined(separator: "\n"), isSuccess: check.isFit,
        values: [
          "bundle": .text(bundle.digest), "passed": .integer(passed), "failed": .integer(failed), "errors": .integer(check.problems.count),
        ])
    }
  }
}
