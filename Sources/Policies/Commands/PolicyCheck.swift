extension PolicyCommands {
  /// `policy check`: what keeps a bundle from acting, and what is probably not meant, each with its place and line.
  /// - Parameter isStrict: warnings are a failure too.
  package static func check(_ folder: String, isStrict: Bool = false) -> Report {
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let bundle):
      let diagnostics = PolicyDiagnostic.all(of: bundle)
      let check = BundleCheck(bundle, runsTests: false)
      let errors = diagnostics.count { $0.severity == .error }
      let warnings = diagnostics.count - errors
      var lines = diagnostics.flatMap { $0.lines(folder: folder, source: bundle.files[$0.file]) }
      lines += check.missing.map { "\(folder)/\($0.fileName): missing; the built-in rule answers" }
      let files = count(bundle.files.count, "file")
      let warned = warnings == 0 ? "" : ", \(count(warnings, "warning"))"
      lines.append(errors == 0 ? "\(files), bundle \(bundle.digest): fit\(warned)" : "\(count(errors, "error"))\(warned) in \(files)")
      return Report(
        text: lines.joined(separator: "\n"), isSuccess: errors == 0 && !(isStrict && warnings > 0),
        values: [
          "bundle": .text(bundle.digest), "errors": .integer(errors), "warnings": .integer(warnings),
          "missing": .list(check.missing.map { .text($0.fileName) }), "diagnostics": .list(diagnostics.map(\.value)),
        ])
    }
  }
}

extension PolicyDiagnostic {
  /// What running the files and looking at them finds, sorted. Of both on one line, the one that knows its column is kept.
  static func all(of bundle: PolicyBundle) -> [PolicyDiagnostic] {
    let analysis = BundleAnalysis(bundle)
    let problems = BundleCheck(bundle, runsTests: false).problems.compactMap { problem -> PolicyDiagnostic? in
      var place = problem.line.map { SourcePlace(line: $0, column: problem.column) }
      if let read = analysis.unread[problem.file], read.place.line == problem.line { place = read.place }
      let isKnown = analysis.diagnostics.contains { $0.severity == .error && $0.file == problem.file && $0.place?.line == problem.line }
      return isKnown && problem.line != nil ? nil : PolicyDiagnostic(file: problem.file, place: place, message: problem.message)
    }
    return (analysis.diagnostics + problems).sorted()
  }

  var value: ReportValue {
    .object([
      "file": .text(file), "line": .optional(place?.line), "column": .optional(place?.column), "length": .optional(place?.length),
      "severity": .text(severity.rawValue), "message": .text(message),
    ])
  }
}
