import Domain
import Workflow

/// A job's place in its workflow file, and what an estimate reads there.
struct JobDefinitionFinding: Sendable {
  /// Sentences of each kind that are kept with a job.
  private static let sentences = 5

  var finding: DefinitionFinding
  /// Its text, where it was found.
  var definition: JobDefinition?
  var comment: RequestComment?
  /// The file that it stands in.
  var path: String?

  init(finding: DefinitionFinding) { self.finding = finding }

  /// Pure.
  /// - Parameter path: of the run's own workflow file.
  init(of job: Job, in found: DefinitionSource.Found, path: String) {
    let workflow = found.workflow
    guard let file = workflow.reading.file else {
      let errors = workflow.reading.errors
      let more = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
      self.init(
        finding: .unknown(reason: "GitHub would not run its workflow file: \(errors.first?.sentence ?? "\(path) has no jobs")\(more)"))
      return
    }
    let match = file.match(jobName: job.name, labels: job.labels)
    guard let definition = match.definition(in: file) else {
      self.init(finding: .unknown(reason: Self.explanation(match, job, file, workflow)))
      return
    }
    let reference = match.reference(in: file)
    let text = workflow.text(of: reference)
    // Its own place first, then the calls that lead to it, the outermost first.
    let places = [(file: reference, line: definition.line)] + match.calls(among: file.jobs, of: nil)
    func sentences(_ severity: Diagnostic.Severity) -> [String]? {
      let all = places.flatMap { place -> [String] in
        guard let text = workflow.text(of: place.file) else { return [] }
        // A file of another repository may be private: its words are not shown to all who see the job.
        let isShown = place.file?.repository == nil
        return text.findings(concerningJobAt: place.line).filter { $0.severity == severity }.prefix(Self.sentences)
          .map { isShown ? $0.sentenceWithRule : "\(text.name) [\($0.rule.rawValue)]" }
      }
      return all.isEmpty ? nil : Array(all.prefix(Self.sentences))
    }
    self.init(
      finding: .found(
        DefinitionFinding.Definition(
          path: path, commit: found.ref, key: definition.key,
          isExact: match.isExact && found.isCertain && (reference == nil || workflow.isPinned), images: match.images(of: definition),
          environment: definition.environment, timeoutMinutes: definition.timeoutMinutes.flatMap { Double($0) },
          container: definition.container.map { match.resolve($0.image) }, services: definition.services.map(\.name),
          needs: definition.needs, matrix: match.matrix, runnerGroup: definition.runsOn.group,
          concurrencyGroup: definition.concurrencyGroup ?? file.concurrencyGroup,
          permissions: definition.permissions ?? (reference == nil ? file.permissions : nil), calledWorkflow: reference?.description,
          objections: sentences(.error), advice: sentences(.warning))))
    self.definition = definition
    self.path = reference?.path ?? path
    comment = text?.comments.comment(of: definition)
  }

  private static func explanation(_ match: JobMatch, _ job: Job, _ file: WorkflowFile, _ workflow: ReadWorkflow) -> String {
    let reason = match.explanation(jobName: job.name)
    guard let call = match.unreadCall(in: file) else { return reason }
    return reason + "; \(call) is not known: \(workflow.unread[call] ?? "it was not asked for")"
  }
}

extension JobMatch {
  /// The calls on the way to the definition, each with the file that it stands in (nil: the run's own) and its job's line.
  fileprivate func calls(among jobs: [JobDefinition], of file: WorkflowReference?) -> [(file: WorkflowReference?, line: Int)] {
    guard case .called(let caller, let match) = self, let job = jobs.first(where: { $0.key == caller }) else { return [] }
    return [(file: file, line: job.line)]
      + match.calls(among: job.calledJobs, of: job.uses.flatMap { WorkflowReference($0, in: file) })
  }
}

extension ReadWorkflow.Text {
  /// What concerns a job: what stands in its own lines, and what stands above or below all jobs.
  fileprivate func findings(concerningJobAt line: Int) -> [Diagnostic] {
    let own = findings(ofJobAt: line)
    // The last job's lines reach to the end of the file.
    guard let last = jobLines.last, line < last, let below = comments.lineBelowJobs(after: last) else { return own }
    return own + findings.filter { finding in finding.line.map { $0 >= below } ?? false }
  }
}

extension Diagnostic {
  /// With the rule's code, by which an operator can grade it.
  var sentenceWithRule: String { "\(sentence) [\(rule.rawValue)]" }
}
