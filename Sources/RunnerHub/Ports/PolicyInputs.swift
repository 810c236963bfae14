package import Domain
package import Foundation
internal import Synchronization

/// A job as policies see it. What it holds does not change from its routing to its placing (but for failed starts), so one copy in the
/// decision log serves all its decisions.
package struct PolicyJob: Hashable, Sendable, Codable {
  /// Whose code it runs.
  package enum Trust: String, Sendable, Codable {
    case own, fork
    /// Its run could not be looked up.
    case unknown
  }

  package var id: JobID
  /// GitHub's id of the job.
  package var forgeID: Int64
  package var name: String
  package var workflow: String?
  /// `.github/workflows/ci.yml`, where the run is known.
  package var workflowPath: String?
  /// The CI platform that it comes from, by the name of its plugin; nil: GitHub.
  package var source: String?
  /// `owner/name`; of another source after its name: `gitlab:group/project`.
  package var repository: String
  package var isPrivate: Bool
  package var defaultBranch: String?
  package var organization: String?
  package var installationID: Int64?
  /// As the delivery has them.
  package var labels: [String]
  package var branch: String?
  package var commit: String
  /// The triggering event, `unknown` where the run is not known.
  package var event: String
  package var actor: String?
  package var runID: Int64
  package var attempt: Int
  package var htmlURL: String?
  /// The job's text in its workflow file, where it was found.
  package var definition: DefinitionFinding.Definition?
  package var isFromFork: Bool
  package var trust: Trust
  package var estimate: Estimate?
  /// Starts that failed so far.
  package var tries: Int
  /// When GitHub made it.
  package var createdAt: Date

  package init(_ job: Job) {
    id = job.id
    forgeID = job.forgeID
    name = job.name
    workflow = job.workflow
    workflowPath = job.run?.path
    source = job.source
    repository = job.repository.qualifiedName
    isPrivate = job.repository.isPrivate
    defaultBranch = job.repository.defaultBranch
    organization = job.organization
    installationID = job.installationID
    labels = job.labels
    branch = job.headBranch
    commit = job.headSHA
    event = job.run?.event ?? "unknown"
    actor = job.run?.actor
    runID = job.runID
    attempt = job.runAttempt
    htmlURL = job.htmlURL
    definition = job.definition?.definition
    isFromFork = job.isFromFork
    trust = job.isFromFork ? .fork : job.run?.headRepositoryID == nil ? .unknown : .own
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
  /// How it stood at a moment.
  package struct Sample: Hashable, Sendable, Codable {
    package var at: Date
    package var total: Int
    package var busy: Int
    package var pending: Int

    package init(at: Date, total: Int, busy: Int, pending: Int) {
      self.at = at
      self.total = total
      self.busy = busy
      self.pending = pending
    }
    /// Busy ÷ existing containers, 0…1; 0 where none exists.
    package var utilisation: Double { total == 0 ? 0 : Double(busy) / Double(total) }
  }

  /// What its containers are made of: the part of the configuration that policies choose by.
  package struct Template: Hashable, Sendable, Codable {
    package var engine: String
    package var image: String
    package var labels: Labels
    package var resources: Resources
    package var acceptsForks: Bool
    /// Jobs that one container may serve.
    package var maximumUses: Int

    package init(
      engine: String = "", image: String = "", labels: Labels = [],
      resources: Resources = Resources(milliCPUs: 0, memory: ByteCount(bytes: 0)),
      acceptsForks: Bool = false, maximumUses: Int = 1
    ) {
      self.engine = engine
      self.image = image
      self.labels = labels
      self.resources = resources
      self.acceptsForks = acceptsForks
      self.maximumUses = maximumUses
    }

    package init(_ pool: Pool) {
      self.init(
        engine: pool.engine, image: pool.image, labels: pool.labels, resources: pool.resources, acceptsForks: pool.acceptsForks,
        maximumUses: pool.reuse.maximumUses)
    }
  }

  package var name: String
  package var minimum: Int
  package var maximum: Int
  package var warm: Int
  package var template: Template
  /// Containers by what they do. `total` is all that serve a job or can; those that end or are isolated without a job are left out.
  package var total: Int
  package var idle: Int
  package var busy: Int
  package var creating: Int
  package var unhealthy: Int
  package var ending: Int
  /// Queued jobs that this pool could serve.
  package var pending: Int
  /// Jobs that hold one of its containers.
  package var active: Int
  /// What `FleetHistory` knows of it: starts that failed lately, when it last grew and shrank for load, and a sample a minute, oldest first.
  package var startFailures: Int
  package var grownAt: Date?
  package var shrunkAt: Date?
  package var history: [Sample]

  package init(
    name: String, minimum: Int, maximum: Int, warm: Int, template: Template = Template(), total: Int, idle: Int, busy: Int,
    creating: Int = 0, unhealthy: Int = 0, ending: Int = 0, pending: Int, active: Int, startFailures: Int = 0, grownAt: Date? = nil,
    shrunkAt: Date? = nil, history: [Sample] = []
  ) {
    self.name = name
    self.minimum = minimum
    self.maximum = maximum
    self.warm = warm
    self.template = template
    self.total = total
    self.idle = idle
    self.busy = busy
    self.creating = creating
    self.unhealthy = unhealthy
    self.ending = ending
    self.pending = pending
    self.active = active
    self.startFailures = startFailures
    self.grownAt = grownAt
    self.shrunkAt = shrunkAt
    self.history = history
  }
  /// Busy ÷ existing containers, 0…1; 0 where none exists.
  package var utilisation: Double { total == 0 ? 0 : Double(busy) / Double(total) }
}

/// The waiting jobs of one class as policies see them.
package struct PolicyQueue: Hashable, Sendable, Codable {
  package var scope: String
  /// Empty for the default one.
  package var group: String
  package var labels: Labels
  package var count: Int
  /// The first pool that offers the labels, which counts the jobs as pending.
  package var pool: String?
  /// Of the job that goes next.
  package var priority: Priority
  package var queuedAt: Date
  package var holdsForkJob: Bool

  package init(
    scope: String, group: String = "", labels: Labels, count: Int, pool: String? = nil, priority: Priority = .normal, queuedAt: Date,
    holdsForkJob: Bool = false
  ) {
    self.scope = scope
    self.group = group
    self.labels = labels
    self.count = count
    self.pool = pool
    self.priority = priority
    self.queuedAt = queuedAt
    self.holdsForkJob = holdsForkJob
  }
}

/// Seconds from queued to started, of the jobs that started lately.
package struct PolicyWaits: Hashable, Sendable, Codable {
  package var count: Int
  package var p50: Double?
  package var p95: Double?

  /// By the nearest rank: the smallest wait that at least that share of all does not exceed.
  package init(_ waits: [Double] = []) {
    let sorted = waits.filter(\.isFinite).sorted()
    func rank(_ share: Double) -> Double? {
      sorted.isEmpty ? nil : sorted[max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
    }
    count = sorted.count
    p50 = rank(0.5)
    p95 = rank(0.95)
  }
}

/// How many containers the jobs of one repository hold.
package struct PolicyUse: Hashable, Sendable, Codable {
  package var repository: String
  package var active: Int
  package init(repository: String, active: Int) {
    self.repository = repository
    self.active = active
  }
}

/// The fleet as policies see it. A value: the same fleet gives the same answers.
package struct PolicyFleet: Hashable, Sendable, Codable {
  /// Entries of `queue` and of `repositories` at most: so that many classes do not make every decision dear.
  package static let listLimit = 100

  package var now: Date
  package var pools: [PolicyPool]
  /// Classes with waiting jobs, the most urgent first, at most `listLimit`.
  package var queue: [PolicyQueue]
  /// All of them.
  package var classes: Int
  /// The repositories whose jobs hold containers, the largest first, at most `listLimit`.
  package var repositories: [PolicyUse]
  package var waits: PolicyWaits
  package var pending: Int
  package var active: Int
  package var isDraining: Bool

  package init(
    now: Date, pools: [PolicyPool], queue: [PolicyQueue] = [], classes: Int? = nil, repositories: [PolicyUse] = [],
    waits: PolicyWaits = PolicyWaits(), pending: Int, active: Int, isDraining: Bool = false
  ) {
    self.now = now
    self.pools = pools
    self.queue = queue
    self.classes = classes ?? queue.count
    self.repositories = repositories
    self.waits = waits
    self.pending = pending
    self.active = active
    self.isDraining = isDraining
  }
  package var total: Int { pools.reduce(0) { $0 + $1.total } }
  package var busy: Int { pools.reduce(0) { $0 + $1.busy } }
  package var idle: Int { pools.reduce(0) { $0 + $1.idle } }
  package var utilisation: Double { total == 0 ? 0 : Double(busy) / Double(total) }
}

/// A candidate for a job: a warm container, or a new one of a pool. Holds moments, not spans: unchanged, it is the same in each turn.
///
/// Copies share one snapshot of the fields and its number, so that a container that stayed as it was is known without a look at them.
@dynamicMemberLookup
package struct PolicyContainer: Hashable, Sendable, Codable {
  package struct Fields: Hashable, Sendable, Codable {
    /// Empty for a new one.
    package var id: String
    package var name: String
    package var pool: String
    package var engine: String
    package var image: String
    package var isNew: Bool
    /// It exists and is still being made.
    package var isStarting: Bool
    package var labels: Labels
    package var resources: Resources
    package var uses: Int
    /// The repository whose jobs it served, if any.
    package var repository: String?
    package var lastJob: LastJob?
    /// Health checks in a row that failed, short of what isolates it.
    package var failedChecks: Int
    /// nil for a new one.
    package var createdAt: Date?
    /// Since its last job, or since it was ready; nil for a new one.
    package var idleSince: Date?
  }

  private final class Snapshot: Sendable {
    let fields: Fields
    init(_ fields: Fields) { self.fields = fields }
  }
  private static let snapshots = Atomic<UInt64>(0)

  private var snapshot: Snapshot
  /// The number of the snapshot, unique within the process. Beside the reference to it, since to read through that costs a retain and a release,
  /// five hundred times a question.
  package private(set) var stamp: UInt64

  private init(_ fields: Fields) {
    snapshot = Snapshot(fields)
    stamp = Self.snapshots.wrappingAdd(1, ordering: .relaxed).newValue
  }

  package init(
    id: String, name: String, pool: String, engine: String = "", image: String = "", isNew: Bool, isStarting: Bool = false, labels: Labels,
    resources: Resources, uses: Int, repository: String?, lastJob: LastJob? = nil, failedChecks: Int = 0, createdAt: Date?,
    idleSince: Date?
  ) {
    self.init(
      Fields(
        id: id, name: name, pool: pool, engine: engine, image: image, isNew: isNew, isStarting: isStarting, labels: labels,
        resources: resources, uses: uses, repository: repository, lastJob: lastJob, failedChecks: failedChecks, createdAt: createdAt,
        idleSince: idleSince))
  }

  package subscript<Value>(dynamicMember field: WritableKeyPath<Fields, Value>) -> Value {
    get { snapshot.fields[keyPath: field] }
    set {
      var fields = snapshot.fields
      fields[keyPath: field] = newValue
      self = Self(fields)
    }
  }

  package init(from decoder: any Decoder) throws { self.init(try Fields(from: decoder)) }
  package func encode(to encoder: any Encoder) throws { try snapshot.fields.encode(to: encoder) }
  package static func == (left: PolicyContainer, right: PolicyContainer) -> Bool {
    left.stamp == right.stamp || left.snapshot.fields == right.snapshot.fields
  }
  package func hash(into hasher: inout Hasher) { hasher.combine(snapshot.fields) }
}
