import Foundation
import Workflow

/// A commit: a whole tree of text files.
struct Commit: Sendable {
  let sha: String
  let treeSHA: String
  let message: String
  let date: Date
  let files: [String: String]
}

struct RepositoryRecord: Sendable {
  let id: Int64
  let owner: String
  let name: String
  let isPrivate: Bool
  let defaultBranch: String
  let createdAt: Date
  var isArchived = false
  var runsActions = true
  var commits: [String: Commit] = [:]
  /// Trees that REST made, by SHA.
  var trees: [String: [String: String]] = [:]
  /// Fully named references (`refs/heads/main`) to commits.
  var references: [String: String] = [:]
  /// Workflow identifiers by path, and the last run number of each.
  var workflowIDs: [String: Int64] = [:]
  var runNumbers: [String: Int] = [:]

  var fullName: String { "\(owner)/\(name)" }
  var pushedAt: Date { commits.values.map(\.date).max() ?? createdAt }

  /// The commit that a branch, tag, reference or SHA names; the default branch where nothing is named.
  func commit(at reference: String?) -> Commit? {
    guard let reference, !reference.isEmpty else { return references["refs/heads/\(defaultBranch)"].flatMap { commits[$0] } }
    if let commit = commits[reference.lowercased()] { return commit }
    let names = [reference, "refs/heads/\(reference)", "refs/tags/\(reference)", "refs/\(reference)"]
    return names.lazy.compactMap { references[$0] }.first.flatMap { commits[$0] }
  }
}

/// GitHub's words for how far a run or a job is.
enum Progress: String, Sendable {
  case waiting, queued, completed
  case inProgress = "in_progress"
}

/// GitHub's words for how a run, a job or a step ended.
enum Conclusion: String, Sendable {
  case success, failure, cancelled, skipped
}

struct RunRecord: Sendable {
  let id: Int64
  let number: Int
  var attempt: Int
  let repository: String
  let workflowID: Int64
  let checkSuiteID: Int64
  let file: WorkflowFile
  let event: String
  let payload: JSON
  let commit: Commit
  let ref: String
  let headBranch: String?
  let actor: String
  /// `owner/name` of the fork that a pull request came from; else the repository itself.
  let headRepository: String
  let createdAt: Date
  var attemptStartedAt: Date
  var updatedAt: Date
  var progress: Progress = .queued
  var conclusion: Conclusion?
  var isCancelled = false
  /// Identifiers of the jobs of each attempt, first attempt first. A job that a re-run keeps stands in both.
  var attempts: [[Int64]] = [[]]
  /// Keys of jobs of this attempt that have not become job records yet, since they wait for others.
  var pendingKeys: [String] = []

  var path: String { file.path }
  var name: String { file.name ?? file.path }
}

struct StepRecord: Sendable {
  let number: Int
  let name: String
  var progress: Progress = .queued
  var conclusion: Conclusion?
  var startedAt: Date?
  var completedAt: Date?
}

/// The runner that a job went to.
struct RunnerIdentity: Sendable {
  let id: Int64
  let name: String
  let groupID: Int64
  let groupName: String
}

struct JobRecord: Sendable {
  let id: Int64
  let runID: Int64
  let attempt: Int
  let repository: String
  let definition: JobDefinition
  let matrix: ExpressionValue
  let name: String
  let labels: [String]
  let group: String?
  let createdAt: Date
  var progress: Progress
  var conclusion: Conclusion?
  var startedAt: Date
  var completedAt: Date?
  var runner: RunnerIdentity?
  var steps: [StepRecord] = []
  var execution: JobExecution?
  var outputs: [String: String] = [:]
  /// What the runner uploaded, a text a step.
  var logs: [(step: Int, text: String)] = []
  /// Registration to which the job was given and that has not begun it yet, and when.
  var offer: (registration: Int64, at: Date)?
  var isCancelRequested = false
  /// For the ledger: every state with its time, and how often the job began and ended.
  var transitions: [(state: String, at: Date)] = []
  var timesStarted = 0
  var timesEnded = 0
  /// Why the job ended without a runner, where the emulator knows.
  var note: String?
}

/// A just-in-time registration, from its making to its end. Kept for the ledger after it is gone.
struct RegistrationRecord: Sendable {
  enum State: String, Sendable { case offline, online, busy, gone }

  let id: Int64
  let name: String
  let scope: JobQueue.Scope
  let labels: [String]
  let group: EmulatorConfiguration.RunnerGroup
  let secret: String
  let createdAt: Date
  var state: State = .offline
  var operatingSystem = "unknown"
  var job: Int64?
  var lastContact: Date
  /// When a fault takes it away, though its runner is connected.
  var vanishesAt: Date?
  /// How it ended: `ran job 7`, `deleted`, `lost`, `vanished`; nil while it lives.
  var fate: String?
  /// How often somebody tried to connect with it after its end.
  var refusedUses = 0
}

/// A check run that an App made.
struct CheckRunRecord: Sendable {
  let id: Int64
  let repository: String
  let headSHA: String
  let suiteID: Int64
  var fields: JSON
  var annotations: [JSON]
}
