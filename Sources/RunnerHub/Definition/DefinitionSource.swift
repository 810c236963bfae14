import Domain
package import Workflow

/// Finds runs and workflow files at the forge and remembers them: a file at a commit never changes, a run attempt's context neither.
package actor DefinitionSource {
  private struct RunKey: Hashable {
    var repository: String
    var id: Int64
    var attempt: Int
  }
  /// A file and, of those that it calls by tag or branch, the commits that the run named.
  private struct FileKey: Hashable {
    var repository: String
    var ref: String
    var path: String
    var commits: [String: String] = [:]
    /// The run attempt to which a reading is bound that names a branch or a merge ref, or lacks a call: what an attempt runs does not change.
    /// nil: all of it is named by commits.
    var run: RunKey?
  }
  private struct Kept {
    var workflow: ReadWorkflow
    var bytes: Int
    /// nil: it does not change.
    var until: ContinuousClock.Instant?
  }
  /// A workflow file and the commit or ref at which it was read.
  struct Found: Sendable {
    var workflow: ReadWorkflow
    var ref: String
    /// Whether it is certainly the version that runs.
    var isCertain: Bool
  }

  /// How long a reading counts whose calls did not all come in time.
  private static let lifetimeOfGaps: Duration = .seconds(30)

  private let forge: any Forge
  private let texts: FileTexts
  private let rules: RuleSettings
  private let capacity: Int
  private let byteCapacity: Int
  private var runs: [RunKey: RunReport] = [:]
  private var files: [FileKey: Kept] = [:]
  private var bytes = 0

  /// - Parameters:
  ///   - rules: how files are judged.
  ///   - capacity: entries kept of each kind before the memory is emptied; 1 or more.
  ///   - byteCapacity: the texts of all files that are kept, in bytes; their models take some ten times as much.
  package init(forge: any Forge, rules: RuleSettings = RuleSettings(), capacity: Int = 4096, byteCapacity: Int = 32 << 20) {
    self.forge = forge
    texts = FileTexts(forge: forge, capacity: capacity)
    self.rules = rules
    self.capacity = capacity
    self.byteCapacity = byteCapacity
  }

  /// What a `workflow_run` event told: spares the call.
  package func learn(_ run: RunReport) {
    if runs.count >= capacity { runs.removeAll(keepingCapacity: true) }
    runs[RunKey(repository: run.repository, id: run.id, attempt: run.attempt)] = run
  }

  /// The run of a job. One call serves all jobs of the run.
  func run(of job: Job) async throws(ForgeError) -> RunReport {
    let key = RunKey(repository: job.repository.fullName, id: job.runID, attempt: job.runAttempt)
    if let run = runs[key] { return run }
    let run = try await forge.run(id: job.runID, repository: job.repository.fullName, installationID: job.installationID)
    if runs.count >= capacity { runs.removeAll(keepingCapacity: true) }
    runs[key] = run
    return run
  }

  /// The workflow file of a run, at the first of its refs that has one, with those that it calls.
  /// - Parameter deadline: called files that have not come by then are left out.
  /// - Throws: `unavailable` when the run's own file has not come by the deadline.
  func workflow(
    of run: RunReport, installationID: Int64?, until deadline: ContinuousClock.Instant
  ) async throws(ForgeError) -> Found {
    guard let path = run.context.path else { throw .notFound("the run does not name its workflow file") }
    let attempt = RunKey(repository: run.repository, id: run.id, attempt: run.attempt)
    for (index, ref) in run.definitionRefs.enumerated() {
      do {
        let key = FileKey(repository: run.repository, ref: ref, path: path, commits: run.calledCommits ?? [:])
        let workflow = try await workflow(key, attempt, installationID: installationID, until: deadline)
        return Found(workflow: workflow, ref: ref, isCertain: index == 0)
      } catch .notFound {
        continue
      }
    }
    throw .notFound("\(path) at \(run.definitionRefs.joined(separator: " or "))")
  }

  private func workflow(
    _ key: FileKey, _ attempt: RunKey, installationID: Int64?, until deadline: ContinuousClock.Instant
  ) async throws(ForgeError) -> ReadWorkflow {
    var ownKey = key
    ownKey.run = attempt
    if let workflow = kept(key) ?? kept(ownKey) { return workflow }
    let own = FileTexts.Key(repository: key.repository, ref: key.ref, path: key.path, installationID: installationID)
    guard let answer = await texts.text(of: own, until: deadline) else { throw .unavailable("\(key.path) did not come in time") }
    let text = try answer.get()
    let calls = await CalledFiles(
      files: texts, repository: key.repository, ref: key.ref, commits: key.commits, installationID: installationID, deadline: deadline
    ).texts(calledBy: text, path: key.path)
    if Task.isCancelled { throw .unavailable("\(key.path) was not read in time") }
    let workflow = await Self.read(text, path: key.path, calls, rules)
    let bytes = calls.texts.values.reduce(text.utf8.count) { $0 + $1.utf8.count }
    if key.ref.isCommit, calls.isPinned, calls.unread.isEmpty {
      keep(Kept(workflow: workflow, bytes: bytes), key)
    } else {
      let until = calls.isWorthAnotherTry ? ContinuousClock.now + Self.lifetimeOfGaps : nil
      keep(Kept(workflow: workflow, bytes: bytes, until: until), ownKey)
    }
    return workflow
  }

  /// Not on the actor: files may be long, and others ask meanwhile for what is at hand.
  private static func read(_ text: String, path: String, _ calls: CalledFiles.Outcome, _ rules: RuleSettings) async -> ReadWorkflow {
    ReadWorkflow(text, path: path, texts: calls.texts, unread: calls.unread, isPinned: calls.isPinned, rules: rules)
  }

  private func kept(_ key: FileKey) -> ReadWorkflow? {
    guard let kept = files[key], kept.until.map({ $0 > ContinuousClock.now }) ?? true else { return nil }
    return kept.workflow
  }

  private func keep(_ reading: Kept, _ key: FileKey) {
    if files.count >= capacity || bytes + reading.bytes > byteCapacity {
      files.removeAll(keepingCapacity: true)
      bytes = 0
    }
    bytes += reading.bytes - (files[key]?.bytes ?? 0)
    files[key] = reading
  }
}
