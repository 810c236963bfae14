package import Domain
package import Foundation

/// Why the forge could not do it.
package enum ForgeError: Error, Sendable, CustomStringConvertible {
  /// No such thing, or no right to know of it.
  case notFound(String)
  /// The credentials do not allow it.
  case forbidden(String)
  /// The name is taken.
  case alreadyExists(String)
  /// The request can never succeed as it is.
  case invalid(String)
  /// Not before this time.
  case throttled(until: Date, String)
  /// No answer, or a fault of the forge's own. Try again; the effect may have happened.
  case unavailable(String)

  package var description: String {
    switch self {
    case .notFound(let what): "not found: \(what)"
    case .forbidden(let why): "not allowed: \(why)"
    case .alreadyExists(let what): "exists already: \(what)"
    case .invalid(let why): "refused as invalid: \(why)"
    case .throttled(let until, let why): "throttled until \(until): \(why)"
    case .unavailable(let why): "no answer: \(why)"
    }
  }
}

/// The meaning of a delivery.
package enum ForgeEvent: Hashable, Sendable {
  /// Where a job stands now.
  case job(JobReport)
  /// A run was requested, started or completed; carries what a job's event lacks.
  case run(RunReport)
  /// A greeting or an event without use here; the reason is kept with the delivery.
  case ignored(reason: String)
}

/// A job as an event or an API answer shows it.
package struct JobReport: Hashable, Sendable, Codable {
  /// `queued`, `waiting`, `in_progress`, `completed`, or a word nobody knows yet; nil in an API answer.
  package var action: String?
  /// `workflow_job.status`: may be `waiting` in a `queued` event.
  package var status: String
  package var conclusion: String?
  package var forgeID: Int64
  package var runID: Int64
  package var runAttempt: Int
  package var name: String
  package var workflow: String?
  package var labels: [String]
  package var headSHA: String
  package var headBranch: String?
  package var htmlURL: String?
  package var runnerID: Int64?
  package var runnerName: String?
  package var runnerGroupName: String?
  package var createdAt: Date?
  package var startedAt: Date?
  package var completedAt: Date?
  package var steps: [JobStep]
  package var repository: Repository
  package var organization: String?
  package var installationID: Int64?
  // What only another source than GitHub tells, whose jobs have no workflow file that could be asked for.
  /// Where its source registers runners for it, in that source's words; nil: for its repository.
  package var scope: String?
  package var run: RunContext?
  package var definition: DefinitionFinding?

  package init(
    action: String?, status: String, conclusion: String?, forgeID: Int64, runID: Int64, runAttempt: Int, name: String, workflow: String?,
    labels: [String], headSHA: String, headBranch: String?, htmlURL: String?, runnerID: Int64?, runnerName: String?,
    runnerGroupName: String?,
    createdAt: Date?, startedAt: Date?, completedAt: Date?, steps: [JobStep], repository: Repository, organization: String?,
    installationID: Int64?, scope: String? = nil, run: RunContext? = nil, definition: DefinitionFinding? = nil
  ) {
    self.action = action
    self.status = status
    self.conclusion = conclusion
    self.forgeID = forgeID
    self.runID = runID
    self.runAttempt = runAttempt
    self.name = name
    self.workflow = workflow
    self.labels = labels
    self.headSHA = headSHA
    self.headBranch = headBranch
    self.htmlURL = htmlURL
    self.runnerID = runnerID
    self.runnerName = runnerName
    self.runnerGroupName = runnerGroupName
    self.createdAt = createdAt
    self.startedAt = startedAt
    self.completedAt = completedAt
    self.steps = steps
    self.repository = repository
    self.organization = organization
    self.installationID = installationID
    self.scope = scope
    self.run = run
    self.definition = definition
  }

  /// The CI platform that tells it, by the name of its plugin; nil: GitHub.
  package var source: String? { repository.source }
  package var jobID: JobID { JobID(source: source, forgeID: forgeID, attempt: runAttempt) }
}

/// A run as an event or an API answer shows it.
package struct RunReport: Hashable, Sendable, Codable {
  package var action: String?
  package var id: Int64
  package var attempt: Int
  package var repository: String
  package var headSHA: String
  package var status: String
  package var conclusion: String?
  package var context: RunContext
  /// Commits whose version of the workflow file may be the one that runs, best first (`refs/pull/7/merge`, the head SHA).
  package var definitionRefs: [String]
  /// The commits of called workflows, by `OWNER/REPOSITORY/PATH@REF`. Optional, so that rows of earlier versions decode.
  package var calledCommits: [String: String]?

  package init(
    action: String?, id: Int64, attempt: Int, repository: String, headSHA: String, status: String, conclusion: String?, context: RunContext,
    definitionRefs: [String], calledCommits: [String: String]? = nil
  ) {
    self.calledCommits = calledCommits
    self.action = action
    self.id = id
    self.attempt = attempt
    self.repository = repository
    self.headSHA = headSHA
    self.status = status
    self.conclusion = conclusion
    self.context = context
    self.definitionRefs = definitionRefs
  }
}

/// Turns deliveries into meaning. Pure.
package protocol DeliveryDecoder: Sendable {
  /// - Throws: `MalformedDelivery` when the body is not what its event name promises.
  func decode(_ delivery: Delivery) throws(MalformedDelivery) -> ForgeEvent
}

/// A delivery whose body cannot be understood.
package struct MalformedDelivery: Error, Sendable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}

/// A runner to register.
package struct RunnerRequest: Hashable, Sendable {
  package var name: String
  package var jobClass: JobClass
  /// `owner/name` of the job, for which installation's token is asked.
  package var repository: String
  package var installationID: Int64?
  /// The job that it is made for. A hint: the forge may give the runner another one of the class.
  package var job: Job?

  package init(name: String, jobClass: JobClass, repository: String, installationID: Int64?, job: Job? = nil) {
    self.job = job
    self.name = name
    self.jobClass = jobClass
    self.repository = repository
    self.installationID = installationID
  }
}

/// A registered runner.
package struct RunnerRegistration: Sendable {
  package var runnerID: Int64
  /// `.runner`, `.credentials`, `.credentials_rsaparams`: secrets, for the runner's home only.
  package var files: [RunnerFile]

  package init(runnerID: Int64, files: [RunnerFile]) {
    self.runnerID = runnerID
    self.files = files
  }
}

/// The answer to removing a runner.
package enum RunnerRemoval: Hashable, Sendable {
  /// It is gone and never got a job: safe to end its container.
  case removed
  /// It was gone already: the forge removed it, or it had its job.
  case absent
  /// The forge has just given it a job, or believes so: leave it.
  case busy
}

/// Where jobs come from and results go to: GitHub, or another CI platform. A class, a repository and a status say of which source they are, so
/// that `ForgeRoster` can be asked in place of any of them; a run and a file are asked for at GitHub only.
package protocol Forge: Sendable {
  /// Registers a just-in-time runner with exactly the labels of the class. A runner of the same name is removed first when it is not busy.
  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration
  /// Removes a registration.
  func removeRunner(id: Int64, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError) -> RunnerRemoval
  /// Removes the registration of a name whose id was never learned: the forge may have made it without living to tell, or told a process that had
  /// ended.
  func removeRunner(named name: String, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError)
    -> RunnerRemoval
  /// `GET /repos/{owner}/{repo}/actions/runs/{run_id}`.
  func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport
  /// The text of a file at a commit or ref.
  func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String
  /// One job as it stands now.
  func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport
  /// - Throws: `forbidden` when the permission is not granted.
  func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError)
  /// Creates or updates the check run (commit status with a token) of a job.
  /// - Parameter handle: what an earlier call returned for the same job, or nil.
  /// - Returns: the handle for later updates.
  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String
}

/// Runs that have not ended, in the forge's words.
package enum OpenRunStatus: String, Sendable, CaseIterable {
  case queued
  case inProgress = "in_progress"
}

/// Where jobs can be looked for that no event told of. Low in priority: an implementation refuses as `throttled` what others need.
package protocol JobSearch: Sendable {
  /// The newest runs of a repository with a status, at most a hundred.
  func runs(_ status: OpenRunStatus, of repository: String, installationID: Int64?) async throws(ForgeError) -> [RunReport]
  /// All jobs of a run's latest attempt.
  func jobs(ofRun id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> [JobReport]
  /// Repositories of an organisation, the latest push first, at most a hundred.
  func repositories(of organization: String) async throws(ForgeError) -> [Repository]
}
