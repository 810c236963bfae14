/// The bodies of `runnerhub policy …`: values in, a report out. Printing and exit codes are the caller's.
package enum PolicyCommands {
  /// What a command found, for people and for programs.
  package struct Report: Hashable, Sendable {
    /// Lines to print.
    package var text: String
    /// Whether everything was as it should be: the exit code.
    package var isSuccess: Bool
    /// For `--json`.
    package var values: [String: ReportValue]

    package init(text: String, isSuccess: Bool, values: [String: ReportValue] = [:]) {
      self.text = text
      self.isSuccess = isSuccess
      self.values = values
    }
  }

  static func read(_ folder: String) -> Result<PolicyBundle, BundleError> {
    Result { () throws(BundleError) in try PolicyBundle(folder: folder) }
  }

  static func refusal(_ error: BundleError) -> Report {
    Report(text: "error: \(error)", isSuccess: false, values: ["error": .text(error.description)])
  }

  /// A problem with the line of the file that it is about.
  static func describe(_ problem: BundleCheck.Problem, folder: String, bundle: PolicyBundle) -> [String] {
    let place = ([problem.file] + [problem.line, problem.column].compactMap { $0.map(String.init) }).joined(separator: ":")
    var lines = ["\(folder)/\(place): error: \(problem.message)"]
    if let line = problem.line, let text = bundle.files[problem.file] {
      let source = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      if source.indices.contains(line - 1) { lines.append("   \(line) | \(source[line - 1])") }
    }
    return lines
  }
}
