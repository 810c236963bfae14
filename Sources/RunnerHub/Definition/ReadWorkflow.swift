import Workflow

/// A workflow file and those that it calls, read once for all jobs of its runs.
struct ReadWorkflow: Sendable {
  /// One of these files beside its model.
  struct Text: Sendable {
    /// As people name it: `.github/workflows/ci.yml`, `acme/ci/.github/workflows/build.yml@v1`.
    let name: String
    let comments: RequestComments
    /// What the host's rules find; what GitHub itself refuses is not among it.
    let findings: [Diagnostic]
    /// Lines of the file's jobs, in order.
    let jobLines: [Int]

    init(_ text: String, name: String, rules: RuleSettings) {
      self.name = name
      comments = RequestComments(text)
      // Labels and sizes are held against each pool when the job is routed, images against the pool's own list.
      findings = WorkflowFile.check(text, path: name, settings: rules).filter { !$0.rule.isGitHubs }
      jobLines = (WorkflowFile.parse(text, path: name).draft?.jobs ?? []).map(\.line).sorted()
    }

    /// What concerns a job: what stands in its own lines, and what stands above all jobs.
    func findings(ofJobAt line: Int) -> [Diagnostic] {
      let next = jobLines.first { $0 > line } ?? .max
      let first = jobLines.first ?? .max
      return findings.filter { finding in finding.line.map { $0 < first || (line..<next).contains($0) } ?? true }
    }
  }

  let reading: WorkflowReading
  let own: Text
  let called: [WorkflowReference: Text]
  /// Calls that could not be followed, and why.
  let unread: [WorkflowReference: String]
  /// Whether every called file is named by a commit, so that it is certainly the version that ran.
  let isPinned: Bool

  /// - Parameters:
  ///   - texts: of the called files that could be read.
  init(
    _ text: String, path: String, texts: [WorkflowReference: String], unread: [WorkflowReference: String], isPinned: Bool,
    rules: RuleSettings
  ) {
    own = Text(text, name: path, rules: rules)
    let alone = WorkflowFile.parse(text, path: path)
    if texts.isEmpty {
      (reading, called, self.unread) = (alone, [:], unread)
    } else {
      let options = WorkflowOptions(
        calledWorkflows: Dictionary(texts.map { ($0.key.description, $0.value) }, uniquingKeysWith: { $1 }), resolvesReferences: true)
      let joined = WorkflowFile.parse(text, path: path, options: options)
      if joined.file == nil, alone.file != nil {
        // The file's own jobs are known all the same.
        let why = Self.complaint(joined.errors.first, isOwn: texts.keys.allSatisfy { $0.repository == nil })
        (reading, called) = (alone, [:])
        self.unread = unread.merging(texts.mapValues { _ in why }) { first, _ in first }
      } else {
        reading = joined
        called = Dictionary(
          uniqueKeysWithValues: texts.map { reference, text in (reference, Text(text, name: "\(reference)", rules: rules)) })
        self.unread = unread
      }
    }
    self.isPinned = isPinned
  }

  /// What another repository's file says is not shown to everybody who sees the job.
  private static func complaint(_ error: Diagnostic?, isOwn: Bool) -> String {
    guard isOwn, let error else { return "the call and the called workflow do not fit" }
    return "the call and the called workflow do not fit: \(error.message)"
  }

  /// The file that a definition stands in; nil: the run's own.
  func text(of reference: WorkflowReference?) -> Text? {
    guard let reference else { return own }
    return called[reference]
  }
}
