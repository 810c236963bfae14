import Domain
import Foundation
import RunnerHub

/// GitHub's shapes, as far as RunnerHub reads them. Unknown members are passed over, and null is the same as absent, but a member that is
/// there has the type that GitHub documents, or decoding fails with its name.

/// A time as GitHub writes it (ISO 8601, with or without fractions of a second).
struct WireTime: Decodable, Sendable {
  let date: Date

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let date = Self.parse(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an ISO 8601 time")
    }
    self.date = date
  }

  static func parse(_ text: String) -> Date? {
    let whole = try? Date(text, strategy: .iso8601)
    return whole ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
  }
}

/// A whole number of up to 64 bits. `JSONDecoder` reports one beyond its range, or with a fraction, as a fault of the whole body; here the
/// fault is the member's.
struct WireInteger: Decodable, Sendable {
  let value: Int64

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      value = try container.decode(Int64.self)
    } catch DecodingError.typeMismatch(let type, let context) {
      throw DecodingError.typeMismatch(type, context)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a whole number of 64 bits")
    }
  }
}

/// A member that is either a thing with an id or null (a deleted fork, an absent installation).
struct WireReference: Decodable, Sendable {
  private let number: WireInteger?
  let login: String?

  var id: Int64? { number?.value }

  enum CodingKeys: String, CodingKey {
    case login
    case number = "id"
  }
}

struct WireRepository: Decodable, Sendable {
  let id: WireInteger
  let fullName: String
  let isPrivate: Bool?
  let defaultBranch: String?

  enum CodingKeys: String, CodingKey {
    case id
    case fullName = "full_name"
    case isPrivate = "private"
    case defaultBranch = "default_branch"
  }

  /// Absent `private` counts as public: the stricter rules apply.
  var repository: Repository {
    Repository(id: id.value, fullName: fullName, isPrivate: isPrivate ?? false, defaultBranch: defaultBranch)
  }
}

struct WireStep: Decodable, Sendable {
  let number: WireInteger
  let name: String
  let status: String?
  let conclusion: String?

  var step: JobStep { JobStep(number: Int(clamping: number.value), name: name, status: status ?? "queued", conclusion: conclusion) }
}

/// `workflow_job` of an event, and the answer of `GET /repos/{owner}/{repo}/actions/jobs/{job_id}`.
struct WireJob: Decodable, Sendable {
  let id: WireInteger
  let runID: WireInteger
  let runAttempt: WireInteger?
  let name: String
  let workflowName: String?
  let labels: [String?]?
  let status: String?
  let conclusion: String?
  let headSHA: String
  let headBranch: String?
  let htmlURL: String?
  let runnerID: WireInteger?
  let runnerName: String?
  let runnerGroupName: String?
  let createdAt: WireTime?
  let startedAt: WireTime?
  let completedAt: WireTime?
  let steps: [WireStep]?

  enum CodingKeys: String, CodingKey {
    case id, name, labels, status, conclusion, steps
    case runID = "run_id"
    case runAttempt = "run_attempt"
    case workflowName = "workflow_name"
    case headSHA = "head_sha"
    case headBranch = "head_branch"
    case htmlURL = "html_url"
    case runnerID = "runner_id"
    case runnerName = "runner_name"
    case runnerGroupName = "runner_group_name"
    case createdAt = "created_at"
    case startedAt = "started_at"
    case completedAt = "completed_at"
  }

  func report(action: String?, repository: Repository, organization: String?, installationID: Int64?) -> JobReport {
    JobReport(
      action: action, status: status ?? action ?? "unknown", conclusion: conclusion, forgeID: id.value, runID: runID.value,
      runAttempt: runAttempt.map { Int(clamping: $0.value) } ?? 1,
      name: name, workflow: workflowName, labels: (labels ?? []).compactMap(\.self), headSHA: headSHA, headBranch: headBranch,
      htmlURL: htmlURL, runnerID: runnerID?.value, runnerName: runnerName, runnerGroupName: runnerGroupName, createdAt: createdAt?.date,
      startedAt: startedAt?.date, completedAt: completedAt?.date, steps: (steps ?? []).map(\.step), repository: repository,
      organization: organization, installationID: installationID)
  }
}

/// A pull request as a run names it; the list is empty for those of forks.
struct WirePullRequest: Decodable, Sendable {
  struct Side: Decodable, Sendable { let ref: String? }
  let number: WireInteger
  let base: Side?
}

/// `workflow_run` of an event, and the answer of `GET /repos/{owner}/{repo}/actions/runs/{run_id}`.
struct WireRun: Decodable, Sendable {
  let id: Int64
  let runAttempt: Int
  let event: String
  let status: String?
  let conclusion: String?
  let path: String?
  let headSHA: String
  let headRepositoryID: Int64?
  let actor: String?
  let pullRequests: [WirePullRequest]
  let referencedWorkflows: [WireReferencedWorkflow]
  let repository: WireRepository?

  enum CodingKeys: String, CodingKey {
    case id, event, status, conclusion, path, actor, repository
    case referencedWorkflows = "referenced_workflows"
    case runAttempt = "run_attempt"
    case headSHA = "head_sha"
    case headRepository = "head_repository"
    case pullRequests = "pull_requests"
  }

  /// Stands for a head repository that does not exist any more: no repository has it, so the run counts as a fork's.
  static let deletedRepository: Int64 = 0

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    id = try members.decode(WireInteger.self, forKey: .id).value
    runAttempt = try members.decodeIfPresent(WireInteger.self, forKey: .runAttempt).map { Int(clamping: $0.value) } ?? 1
    event = try members.decode(String.self, forKey: .event)
    status = try members.decodeIfPresent(String.self, forKey: .status)
    conclusion = try members.decodeIfPresent(String.self, forKey: .conclusion)
    path = try members.decodeIfPresent(String.self, forKey: .path)
    headSHA = try members.decode(String.self, forKey: .headSHA)
    let head = try members.decodeIfPresent(WireReference.self, forKey: .headRepository)
    headRepositoryID = head?.id ?? (members.contains(.headRepository) ? Self.deletedRepository : nil)
    actor = try members.decodeIfPresent(WireReference.self, forKey: .actor)?.login
    pullRequests = try members.decodeIfPresent([WirePullRequest].self, forKey: .pullRequests) ?? []
    referencedWorkflows = try members.decodeIfPresent([WireReferencedWorkflow].self, forKey: .referencedWorkflows) ?? []
    repository = try members.decodeIfPresent(WireRepository.self, forKey: .repository)
  }

  /// - Parameter repository: the event's, or the one that was asked about; a run's own `repository` is often cut short.
  func report(action: String?, repository fullName: String, defaultBranch: String?) -> RunReport {
    RunReport(
      action: action, id: id, attempt: runAttempt, repository: fullName, headSHA: headSHA, status: status ?? action ?? "unknown",
      conclusion: conclusion,
      context: RunContext(
        event: event, path: path.map { String($0.prefix { $0 != "@" }) }, headRepositoryID: headRepositoryID, actor: actor),
      definitionRefs: DefinitionRefs.candidates(
        event: event, headSHA: headSHA, pullRequests: pullRequests, defaultBranch: defaultBranch ?? repository?.defaultBranch),
      calledCommits: referencedWorkflows.isEmpty
        ? nil : Dictionary(referencedWorkflows.map { ($0.path, $0.sha) }, uniquingKeysWith: { first, _ in first }))
  }
}

/// A reusable workflow that a run calls: `path` is `OWNER/REPOSITORY/.github/workflows/x.yml@REF`.
struct WireReferencedWorkflow: Decodable, Sendable {
  let path: String
  let sha: String
}
