package import Domain
package import Foundation

/// A job as policies see it. What it holds does not change from its routing to its placing (but for failed starts), so one copy in the
/// decision log serves all its decisions.
package struct PolicyJob: Hashable, Sendable, Codable {
  package var id: JobID
  package var name: String
  package var workflow: String?
  /// `.github/workflows/ci.yml`, where the run is known.
  package var workflowPath: String?
  /// `owner/name`.
  package var repository: String
  package var isPrivate: Bool
  package var defaultBranch: String?
  /// As the delivery has them.
  package var labels: [String]
  package var branch: String?
  package var commit: String
  /// The triggering event, `unknown` where the run is not known.
  package var event: String
  package var actor: String?
  package var runID: Int64
  package var attempt: Int
  /// The job's text in its workflow file, where it was found.
  package var definition: DefinitionFinding.Definition?
  package var isFromFork: Bool
  package var estimate: Estimate?
  /// Starts that failed so far.
  package var tries: Int
  /// When GitHub made it.
  package var createdAt: Date

  package init(_ job: Job) {
    id = job.id
    name = job.name
    workflow = job.workflow
    workflowPath = job.run?.path
    repository = job.repository.fullName
    isPrivate = job.repository.isPrivate
    defaultBranch = job.repository.defaultBranch
    labels = job.labels
    branch = job.headBranch
    commit = job.headSHA
    event = job.run?.event ?? "unknown"
    actor = job.run?.actor
    runID = job.runID
    attempt = job.runAttempt
    definition = job.definition?.definition
    isFromFork = job.isFromFork
    estimate = job.estimate
    tries = job.tries
    createdAt = job.createdAt
  }

  package var environment: String? { definition?.environment }
  // Bytes, not characters: asked for with every decision.
  package var owner: String { String(repository.utf8.prefix { $0 != UInt8(ascii: "/") }) ?? repository }
}

/// One pool as policies see it.
package struct PolicyPool: Hashable, Sendable, Codable {
  package var name: String
  package var minimum: Int
  package var maximum: Int
  package var warm: Int
  /// Containers by what they do. `total` is all that serve a job or can; those that end or are isolated without a job are left out.
  package var total: Int
  package var idle: Int
  package var busy: Int
  /// Queued jobs that this pool could serve.
  package var pending: Int
  /// Jobs that hold one of its containers.
  package var active: Int

  package init(name: String, minimum: Int, maximum: Int, warm: Int, total: Int, idle: Int, busy: Int, pending: Int, active: Int) {
    self.name = name
    self.minimum = minimum
    self.maximum = maximum
    self.warm = warm
    self.total = total
    self.idle = idle
    self.busy = busy
    self.pending = pending
    self.active = active
  }
  /// Busy ÷ existing containers, 0…1; 0 where none exists.
  package var utilisation: Double { total == 0 ? 0 : Double(busy) / Double(total) }
}

/// The fleet as policies see it. A value: the same fleet gives the same answers.
package struct PolicyFleet: Hashable, Sendable, Codable {
  package var now: Date
  package var pools: [PolicyPool]
  package var pending: Int
  package var active: Int
  package var isDraining: Bool

  package init(now: Date, pools: [PolicyPool], pending: Int, active: Int, isDraining: Bool = false) {
    self.now = now
    self.pools = pools
    self.pending = pending
    self.active = active
    self.isDraining = isDraining
  }
  package var utilisation: Double {
    let total = pools.reduce(0) { $0 + $1.total }
    return total == 0 ? 0 : Double(pools.reduce(0) { $0 + $1.busy }) / Double(total)
  }
}

/// A candidate for a job: a warm container, or a new one of a pool. Holds moments, not spans: unchanged, it is the same in each turn.
package struct PolicyContainer: Hashable, Sendable, Codable {
  /// Empty for a new one.
  package var id: String
  package var name: String
  package var pool: String
  package var isNew: Bool
  package var labels: Labels
  package var resources: Resources
  package var uses: Int
  /// The repository whose jobs it served, if any.
  package var repository: String?
  /// nil for a new one.
  package var createdAt: Date?
  /// Since its last job, or since it was ready; nil for a new one.
  package var idleSince: Date?

  package init(
    id: String, name: String, pool: String, isNew: Bool, labels: Labels, resources: Resources, uses: Int, repository: String?,
    createdAt: Date?, idleSince: Date?
  ) {
    self.id = id
    self.name = name
    self.pool = pool
    self.isNew = isNew
    self.labels = labels
    self.resources = resources
    self.uses = uses
    self.repository = repository
    self.createdAt = createdAt
    self.idleSince = idleSince
  }
}
