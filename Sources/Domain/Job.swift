package import Foundation

/// Where a job's source lives.
package struct Repository: Hashable, Sendable, Codable {
  package var id: Int64
  /// `owner/name`.
  package var fullName: String
  package var isPrivate: Bool
  package var defaultBranch: String?
  /// The CI platform that it belongs to, by the name of its plugin; nil: GitHub. Optional, so that rows of earlier versions decode.
  package var source: String?

  package init(id: Int64, fullName: String, isPrivate: Bool, defaultBranch: String?, source: String? = nil) {
    self.id = id
    self.fullName = fullName
    self.isPrivate = isPrivate
    self.defaultBranch = defaultBranch
    self.source = source
  }

  /// Its name among those of all sources: `acme/storefront`, `gitlab:acme/storefront`. What is kept apart by repository is kept apart by this.
  package var qualifiedName: String { source.map { "\($0):\(fullName)" } ?? fullName }

  // Bytes, not characters: asked for with every decision.
  package var owner: String { String(fullName.utf8.prefix { $0 != UInt8(ascii: "/") }) ?? fullName }
  package var name: String { String(fullName.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst()) ?? fullName }
}

/// One step of a job as the forge reports it.
package struct JobStep: Hashable, Sendable, Codable {
  package var number: Int
  package var name: String
  package var status: String
  package var conclusion: String?

  package init(number: Int, name: String, status: String, conclusion: String?) {
    self.number = number
    self.name = name
    self.status = status
    self.conclusion = conclusion
  }
}

/// What is known of a job's text in its workflow file.
package enum DefinitionFinding: Hashable, Sendable, Codable {
  case unknown(reason: String)
  case found(Definition)

  /// A job's definition, as far as decisions need it.
  package struct Definition: Hashable, Sendable, Codable {
    /// `.github/workflows/ci.yml`
    package var path: String
    package var commit: String
    /// The job's key in the file.
    package var key: String
    /// Whether name and labels decided, or a pattern did.
    package var isExact: Bool
    /// Images of the job's container, its services and its `docker://` steps, as written.
    package var images: [String]
    package var environment: String?
    package var timeoutMinutes: Double?
    // Optional, all that follow: rows that an earlier version wrote do not have them.
    /// Image of the job's own container, as `images` has it; nil where its steps run on the runner itself.
    package var container: String?
    /// Names of its services, in the author's order.
    package var services: [String]?
    /// Keys of the jobs that had to end first.
    package var needs: [String]?
    /// The values of its matrix, where the file decides them and the name tells the combination.
    package var matrix: [String: String]?
    /// Runner group of `runs-on`, as written.
    package var runnerGroup: String?
    /// Concurrency group of the job, or else of the workflow, as written.
    package var concurrencyGroup: String?
    /// What its token may do, by scope, of the job or else of the workflow; `*` for all scopes. nil: the repository's standard.
    package var permissions: [String: String]?
    /// The called workflow that it stands in, as `uses` names it from the run's own file; nil: that file itself.
    package var calledWorkflow: String?
    /// What of it the host's rules forbid, and what they advise against: each a sentence with its place. nil: nothing.
    package var objections: [String]?
    package var advice: [String]?

    package init(
      path: String, commit: String, key: String, isExact: Bool, images: [String], environment: String?, timeoutMinutes: Double?,
      container: String? = nil, services: [String]? = nil, needs: [String]? = nil, matrix: [String: String]? = nil,
      runnerGroup: String? = nil, concurrencyGroup: String? = nil, permissions: [String: String]? = nil,
      calledWorkflow: String? = nil, objections: [String]? = nil, advice: [String]? = nil
    ) {
      self.path = path
      self.commit = commit
      self.key = key
      self.isExact = isExact
      self.images = images
      self.environment = environment
      self.timeoutMinutes = timeoutMinutes
      self.container = container
      self.services = services
      self.needs = needs
      self.matrix = matrix
      self.runnerGroup = runnerGroup
      self.concurrencyGroup = concurrencyGroup
      self.permissions = permissions
      self.calledWorkflow = calledWorkflow
      self.objections = objections
      self.advice = advice
    }
  }

  package var definition: Definition? {
    if case .found(let definition) = self { definition } else { nil }
  }
}

/// What is known of the run that a job belongs to (`GET /repos/{owner}/{repo}/actions/runs/{run_id}`).
package struct RunContext: Hashable, Sendable, Codable {
  /// The event that triggered the run: `push`, `schedule`, `pull_request`, …
  package var event: String
  /// Path of the workflow file, without a `@ref`.
  package var path: String?
  package var headRepositoryID: Int64?
  package var actor: String?

  package init(event: String, path: String?, headRepositoryID: Int64?, actor: String?) {
    self.event = event
    self.path = path
    self.headRepositoryID = headRepositoryID
    self.actor = actor
  }
}

/// The unit in which GitHub hands out jobs, and so the unit of scheduling: any runner of this scope and group with these labels may get the job.
package struct JobClass: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  /// Where runners are registered: an organisation (`acme`) or a repository (`acme/storefront`). That of another source begins with its name
  /// (`gitlab:acme/storefront`), which no name of GitHub's can: so no class holds jobs of two sources.
  package var scope: String
  /// Name of the runner group; empty for the default one.
  package var group: String
  package var labels: Labels

  package init(scope: String, group: String = "", labels: Labels) {
    self.scope = scope
    self.group = group
    self.labels = labels
  }

  /// The source of its jobs; nil: GitHub.
  package var source: String? { scope.firstIndex(of: ":").map { String(scope[..<$0]) } }
  /// The scope in the words of its own source: `acme/storefront`.
  package var localScope: String { source.map { String(scope.dropFirst($0.count + 1)) } ?? scope }

  /// One line, unique: the form in which stores keep it.
  package var key: String { "\(scope)|\(group)|\(labels.values.joined(separator: ","))" }
  package var description: String { "\(scope) · \(group.isEmpty ? "default" : group) · \(labels)" }
  package static func < (a: JobClass, b: JobClass) -> Bool { a.key < b.key }
}

/// One job of a forge.
package struct Job: Hashable, Sendable, Codable, Identifiable {
  package let id: JobID
  /// `workflow_job.id`.
  package var forgeID: Int64
  package var runID: Int64
  package var runAttempt: Int
  package var repository: Repository
  package var organization: String?
  /// Where another source than GitHub registers runners for it, in that source's words; nil: for its repository.
  package var scope: String?
  /// The App installation that the delivery named, if any.
  package var installationID: Int64?
  package var workflow: String?
  package var name: String
  /// As the delivery has them; `Labels` is the form for comparing.
  package var labels: [String]
  package var headSHA: String
  package var headBranch: String?
  package var htmlURL: String?

  package var state: JobState
  package var conclusion: Conclusion?
  package var steps: [JobStep]
  /// Why the job was refused; stays when the forge has ended it.
  package var refusal: String?
  /// How the refusal is carried out where asking for the run's cancellation is not enough.
  package var refusalAction: RefusalAction?
  /// The cause of the last failed start, or of giving up.
  package var lastFailure: String?
  /// Failed starts so far.
  package var tries: Int

  package var run: RunContext?
  package var definition: DefinitionFinding?
  package var estimate: Estimate?
  package var route: Route?
  package var routeReason: String?
  /// nil: of a version that did not tell, or not decided yet.
  package var routeCause: RouteCause?
  package var priority: Priority
  package var priorityReason: String?
  package var jobClass: JobClass?
  /// Why this container, or why it still waits.
  package var placementReason: String?

  package var createdAt: Date
  package var receivedAt: Date
  /// When it entered our queue first; ordering and waits count from here.
  package var queuedAt: Date?
  /// When it was left to traditional runners.
  package var forwardedAt: Date?
  package var assignedAt: Date?
  package var startedAt: Date?
  package var completedAt: Date?
  /// Not to be planned before, after a failed start.
  package var notBefore: Date?
  /// Its place in the queue, smaller first: seconds since 1970 at which it was queued, less the boost of its priority. Constant while it
  /// waits, so the queue is an index and waiting is aging.
  package var orderKey: Double?

  package var assignment: AssignmentID?
  package var containerID: ContainerID?
  package var pool: String?
  package var runnerName: String?
  /// Whose runner took it, once the forge has named one; nil before, and in rows of earlier versions.
  package var ranOn: Route?

  /// Rises by one with each commit; a commit with another version is a conflict. 0 for a job that is not stored yet.
  package var version: Int

  package init(
    id: JobID, forgeID: Int64, runID: Int64, runAttempt: Int, repository: Repository, organization: String? = nil,
    installationID: Int64? = nil, workflow: String? = nil, name: String, labels: [String], headSHA: String, headBranch: String? = nil,
    htmlURL: String? = nil, state: JobState = .received, createdAt: Date, receivedAt: Date
  ) {
    self.id = id
    self.forgeID = forgeID
    self.runID = runID
    self.runAttempt = runAttempt
    self.repository = repository
    self.organization = organization
    self.installationID = installationID
    self.workflow = workflow
    self.name = name
    self.labels = labels
    self.headSHA = headSHA
    self.headBranch = headBranch
    self.htmlURL = htmlURL
    self.state = state
    self.createdAt = createdAt
    self.receivedAt = receivedAt
    steps = []
    tries = 0
    priority = .normal
    version = 0
  }

  /// The CI platform that it comes from, by the name of its plugin; nil: GitHub.
  package var source: String? { repository.source }

  /// Whether the job's code comes from another repository than the one it runs for, as far as is known. Another source than GitHub tells so
  /// with the job or never, so what a public repository's job keeps to itself counts against it.
  package var isFromFork: Bool {
    guard let head = run?.headRepositoryID else { return source != nil && !repository.isPrivate }
    return head != repository.id
  }

  /// Whether it is from a fork, or a public repository's job of whose run nothing is known.
  package var mayBeFromFork: Bool { isFromFork || (run == nil && !repository.isPrivate) }

  /// How a refusal is carried out where asking for the run's cancellation is not enough.
  package enum RefusalAction: String, Sendable, Codable {
    /// The run cannot be cancelled, or the job outlived that: a runner's started hook fails the job.
    case failByHook
  }
}
