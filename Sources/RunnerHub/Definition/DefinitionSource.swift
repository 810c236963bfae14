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
  }
  private struct Kept {
    var workflow: ReadWorkflow
    var bytes: Int
  }
  /// A workflow file and the commit or ref at which it was read.
  struct Found: Sendable {
    var workflow: ReadWorkflow
    var ref: String
    /// Whether it is certainly the version that runs.
    var isCertain: Bool
  }

  private let forge: any Forge
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
  func workflow(of run: RunReport, installationID: Int64?) async throws(ForgeError) -> Found {
    guard let path = run.context.path else { throw .notFound("the run does not name its workflow file") }
    for (index, ref) in run.definitionRefs.enumerated() {
      do {
        let key = FileKey(repository: run.repository, ref: ref, path: path, commits: run.calledCommits ?? [:])
        let workflow = try await workflow(key, installationID: installationID)
        return Found(workflow: workflow, ref: ref, isCertain: index == 0)
      } catch .notFound {
        continue
      }
    }
    throw .notFound("\(path) at \(run.definitionRefs.joined(separator: " or "))")
  }

  private func workflow(_ key: FileKey, installationID: Int64?) async throws(ForgeError) -> ReadWorkflow {
    if let kept = files[key] { return kept.workflow }
    let text = try await forge.file(path: key.path, ref: key.ref, repository: key.repository, installationID: installationID)
    let calls = await CalledFiles(
      forge: forge, repository: key.repository, ref: key.ref, commits: key.commits, installationID: installationID
    ).texts(calledBy: text, path: key.path)
    let workflow = ReadWorkflow(
      text, path: key.path, texts: calls.texts, unread: calls.unread, isPinned: calls.isPinned, rules: rules)
    // Only what a commit names never changes; a branch or a merge ref moves on, and a file that could not be read may be there next time.
    if key.ref.isCommit, calls.isPinned, calls.unread.isEmpty {
      keep(workflow, key, bytes: calls.texts.values.reduce(text.utf8.count) { $0 + $1.utf8.count })
    }
    return workflow
  }

  private func keep(_ workflow: ReadWorkflow, _ key: FileKey, bytes added: Int) {
    if files.count >= capacity || bytes + added > byteCapacity {
      files.removeAll(keepingCapacity: true)
      bytes = 0
    }
    bytes += added - (files[key]?.bytes ?? 0)
    files[key] = Kept(workflow: workflow, bytes: added)
  }
}

extension String {
  /// Whether it is a commit's full hash.
  var isCommit: Bool { utf8.count == 40 && utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0) } }
}
