extension PolicyCommands {
  /// `policy check`: syntax, version and functions, with place and excerpt.
  package static func check(_ folder: String) -> Report {
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let bundle):
      let check = BundleCheck(bundle, runsTests: false)
      var lines = check.problems.flatMap { describe($0, folder: folder, bundle: bundle) }
      lines += check.missing.map { "\(folder)/\($0.fileName): missing; the built-in rule answers" }
      let files = count(bundle.files.count, "file")
      lines.append(
        check.problems.isEmpty ? "\(files), bundle \(bundle.digest): fit" : "\(count(check.problems.count, "error")) in \(files)")
      return Report(
        text: lines.joined(separator: "\n"), isSuccess: check.problems.isEmpty,
        values: ["bundle": .text(bundle.digest), "errors": .integer(check.problems.count)])
    }
  }
}
