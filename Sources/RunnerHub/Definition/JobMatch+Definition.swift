import Workflow

extension JobMatch {
  /// The definition, where one was found.
  /// - Parameter file: the file that was searched.
  func definition(in file: WorkflowFile) -> JobDefinition? { definition(among: file.jobs) }

  private func definition(among jobs: [JobDefinition]) -> JobDefinition? {
    switch self {
    case .exact(let expanded): jobs.first { $0.key == expanded.key }
    case .pattern(let definition, _): definition
    case .called(let caller, let match): match.definition(among: jobs.first { $0.key == caller }?.calledJobs ?? [])
    case .reusable, .ambiguous, .none: nil
    }
  }

  /// The called workflow that the definition stands in; nil: the file that was searched, or no definition.
  func reference(in file: WorkflowFile) -> WorkflowReference? { reference(among: file.jobs, of: nil) }

  private func reference(among jobs: [JobDefinition], of file: WorkflowReference?) -> WorkflowReference? {
    guard case .called(let caller, let match) = self, let job = jobs.first(where: { $0.key == caller }) else { return file }
    return match.reference(among: job.calledJobs, of: job.uses.flatMap { WorkflowReference($0, in: file) })
  }

  /// The call behind which the job's definition is, and that was not followed.
  func unreadCall(in file: WorkflowFile) -> WorkflowReference? { unreadCall(among: file.jobs, of: nil) }

  private func unreadCall(among jobs: [JobDefinition], of file: WorkflowReference?) -> WorkflowReference? {
    switch self {
    case .reusable(let caller): jobs.first { $0.key == caller }?.uses.flatMap { WorkflowReference($0, in: file) }
    case .called(let caller, let match):
      jobs.first { $0.key == caller }.flatMap { job in
        match.unreadCall(among: job.calledJobs, of: job.uses.flatMap { WorkflowReference($0, in: file) })
      }
    case .exact, .pattern, .ambiguous, .none: nil
    }
  }

  /// The images of the definition, with what its matrix decides filled in: of the exact combination, or of all that fit. What the file alone
  /// does not decide stays as written.
  func images(of definition: JobDefinition) -> [String] {
    let combinations = fittingCombinations
    let written = definition.images.map(\.text)
    if combinations.isEmpty { return written }
    var seen: Set<String> = []
    return combinations.flatMap { combination in written.map { combination.resolve($0) ?? $0 } }.filter { seen.insert($0).inserted }
  }

  private var fittingCombinations: [ExpandedJob] {
    switch self {
    case .exact(let expanded): [expanded]
    case .pattern(_, let candidates): candidates
    case .called(_, let match): match.fittingCombinations
    case .reusable, .ambiguous, .none: []
    }
  }

  /// A text of the definition with its matrix filled in, where one combination is known.
  func resolve(_ text: String) -> String { exactCombination?.resolve(text) ?? text }

  private var exactCombination: ExpandedJob? {
    switch self {
    case .exact(let expanded): expanded
    case .called(_, let match): match.exactCombination
    case .pattern, .reusable, .ambiguous, .none: nil
    }
  }

  /// The plain values of the combination, where it is known and there is a matrix.
  var matrix: [String: String]? {
    guard let expanded = exactCombination, !expanded.matrix.entries.isEmpty else { return nil }
    return Dictionary(
      expanded.matrix.entries.compactMap { entry in
        switch entry.value {
        case .null, .array, .object: nil
        case .boolean, .number, .string: (entry.key, entry.value.text)
        }
      }, uniquingKeysWith: { $1 })
  }

  var isExact: Bool { exactCombination != nil }

  /// Why there is no definition, for an operator.
  func explanation(jobName: String) -> String {
    switch self {
    case .exact, .pattern: "found"
    case .called(let caller, let match): "in the workflow that job '\(caller)' calls: \(match.explanation(jobName: jobName))"
    case .reusable(let caller): "'\(jobName)' runs in a workflow that job '\(caller)' calls"
    case .ambiguous(let keys): "'\(jobName)' could be any of the jobs \(keys.joined(separator: ", "))"
    case .none: "no job of the file is named '\(jobName)'"
    }
  }
}
