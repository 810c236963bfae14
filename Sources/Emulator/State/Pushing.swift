import Crypto
import Foundation
import Workflow

/// What makes runs: a push, or another event that a workflow's `on` names.
package struct Push: Sendable {
  /// `owner/name`. Made on the way where the organisation does not have it yet.
  package var repository: String
  /// Path to text. Merged into the tree of the branch; an empty event list commits only.
  package var files: [String: String]
  /// Fully named (`refs/heads/main`) or a branch's name.
  package var ref: String
  /// GitHub's name of the event: `push`, `pull_request`, `workflow_dispatch`, `release`, `schedule`…
  package var event: String
  /// Only this workflow's file is started (as `workflow_dispatch` does); nil means all that name the event.
  package var workflow: String?
  /// Further members of `github.event`.
  package var payload: JSON
  package var message: String
  /// `owner/name` of the fork that a pull request comes from.
  package var fork: String?

  package init(
    repository: String, files: [String: String], ref: String = "refs/heads/main", event: String = "push", workflow: String? = nil,
    payload: JSON = [:], message: String = "Change files", fork: String? = nil
  ) {
    self.repository = repository
    self.files = files
    self.ref = ref
    self.event = event
    self.workflow = workflow
    self.payload = payload
    self.message = message
    self.fork = fork
  }
}

/// What a push has led to.
package struct PushOutcome: Sendable {
  package let sha: String
  /// Identifiers of the runs that began.
  package let runs: [Int64]
  /// Workflow files that GitHub could not read, with the reasons.
  package let invalid: [String: [String]]
}

extension EmulatedGitHub {
  /// Commits the files, and starts each workflow whose `on` names the event. Filters under the event (branches, paths) are not looked at.
  ///
  /// - Throws: 422 for a repository's name that is none.
  package func push(_ push: Push) throws(Refusal) -> PushOutcome {
    let key = push.repository.lowercased()
    if repositories[key] == nil {
      let parts = push.repository.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { throw .invalid("Repository", "repository", "must be owner/name") }
      repositories[key] = RepositoryRecord(
        id: makeID(), owner: parts[0], name: parts[1], isPrivate: true, defaultBranch: "main", createdAt: now())
    }
    guard var repository = repositories[key] else { throw .notFound }
    let ref = push.ref.hasPrefix("refs/") ? push.ref : "refs/heads/\(push.ref)"
    let parent = repository.references[ref].flatMap { repository.commits[$0] } ?? repository.commit(at: nil)
    let commit = Self.commit(
      parents: parent.map { [$0.sha] } ?? [], files: (parent?.files ?? [:]).merging(push.files) { _, new in new }, message: push.message,
      at: now(), number: makeID())
    repository.commits[commit.sha] = commit
    repository.references[ref] = commit.sha
    repositories[key] = repository
    var named = push
    named.ref = ref
    let (started, invalid) = startWorkflows(for: named, commit: commit, parent: parent)
    return PushOutcome(sha: commit.sha, runs: started, invalid: invalid)
  }

  /// Starts each workflow of a commit whose `on` names the push's event; none where Actions are disabled.
  ///
  /// - Returns: the runs, and the workflow files that cannot be read.
  func startWorkflows(for push: Push, commit: Commit, parent: Commit?) -> (runs: [Int64], invalid: [String: [String]]) {
    let key = push.repository.lowercased()
    guard var repository = repositories[key], repository.runsActions else { return ([], [:]) }
    let ref = push.ref
    let event = eventPayload(push, commit: commit, parent: parent, ref: ref)
    var started: [RunRecord] = []
    var invalid: [String: [String]] = [:]
    for (path, text) in commit.files.sorted(by: { $0.key < $1.key }) where Self.isWorkflow(path) {
      if let only = push.workflow, path != only, !path.hasSuffix("/" + only) { continue }
      let reading = WorkflowFile.parse(text, path: path)
      guard let file = reading.file else {
        invalid[path] = reading.diagnostics.map { "\($0)" }
        continue
      }
      guard file.triggers.contains(push.event) else { continue }
      let workflowID = repository.workflowIDs[path] ?? makeID()
      repository.workflowIDs[path] = workflowID
      repository.runNumbers[path, default: 0] += 1
      let time = now()
      started.append(
        RunRecord(
          id: makeID(), number: repository.runNumbers[path] ?? 1, attempt: 1, repository: repository.fullName, workflowID: workflowID,
          checkSuiteID: makeID(), file: file, event: push.event, payload: event, commit: commit, ref: ref,
          headBranch: ref.hasPrefix("refs/heads/") ? String(ref.dropFirst("refs/heads/".count)) : nil, actor: "octocat",
          headRepository: push.fork ?? repository.fullName, createdAt: time, attemptStartedAt: time, updatedAt: time,
          pendingKeys: file.jobs.map(\.key)))
    }
    repositories[key] = repository
    for run in started {
      runs[run.id] = run
      announce(run.id, "requested")
      advance(run.id)
    }
    dispatch()
    return (started.map(\.id), invalid)
  }

  static func isWorkflow(_ path: String) -> Bool {
    path.hasPrefix(".github/workflows/") && (path.hasSuffix(".yml") || path.hasSuffix(".yaml"))
  }

  static func commit(parents: [String], files: [String: String], message: String, at date: Date, number: Int64) -> Commit {
    let treeSHA = treeSHA(of: files)
    let sha = Insecure.SHA1.hash(data: Data("\(treeSHA)\0\(parents.joined())\0\(message)\0\(number)".utf8)).hexadecimal
    return Commit(sha: sha, treeSHA: treeSHA, message: message, date: date, files: files)
  }

  static func treeSHA(of files: [String: String]) -> String {
    var hash = Insecure.SHA1()
    for (path, text) in files.sorted(by: { $0.key < $1.key }) { hash.update(data: Data("\(path)\0\(text)\0".utf8)) }
    return hash.finalize().hexadecimal
  }

  private func eventPayload(_ push: Push, commit: Commit, parent: Commit?, ref: String) -> JSON {
    let base: JSON = [
      "ref": .string(ref), "after": .string(commit.sha), "before": .string(parent?.sha ?? String(repeating: "0", count: 40)),
      "head_commit": ["id": .string(commit.sha), "message": .string(commit.message)],
      "repository": ["full_name": .string(push.repository)], "sender": ["login": "octocat"],
    ]
    return base.merging(push.payload)
  }
}

extension Sequence<UInt8> {
  /// Lower-case hexadecimal digits.
  var hexadecimal: String {
    map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}
