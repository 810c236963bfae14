package import Domain
package import Foundation

/// Bounds over all pools.
package struct PlanningLimits: Hashable, Sendable {
  /// Jobs that may hold a container at once.
  package var maxConcurrentJobs: Int
  /// Containers that may exist at once, all pools together.
  package var containerPoolSize: Int
  /// What each engine's host gives to containers in all, overcommitment included; an engine that does not answer is missing here.
  package var hosts: [String: Resources]
  /// What is closed to new jobs.
  package var cordons: Cordons

  package init(maxConcurrentJobs: Int, containerPoolSize: Int, hosts: [String: Resources], cordons: Cordons = Cordons()) {
    self.maxConcurrentJobs = maxConcurrentJobs
    self.containerPoolSize = containerPoolSize
    self.hosts = hosts
    self.cordons = cordons
  }
}

/// A place where a job could go: an idle container, or a new one of a pool.
package struct Candidate: Hashable, Sendable {
  package enum Identity: Hashable, Sendable {
    case warm(ContainerID)
    /// A container that is still to be made, on one of the engine hosts of its pool.
    case new(pool: String, host: String)
  }
  package var id: Identity
  /// For people: the container's short name, or `new in POOL`, with ` on HOST` where the pool has several.
  package var name: String
  package var pool: String
  /// The engine host.
  package var engine: String
  package var image: String
  package var labels: Labels
  package var resources: Resources
  /// Jobs that it served so far.
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
  /// How soon it can begin. Smaller is sooner.
  package var readiness: Readiness

  package enum Readiness: Int, Hashable, Sendable, Comparable {
    case ready, creating, new
    package static func < (a: Readiness, b: Readiness) -> Bool { a.rawValue < b.rawValue }
  }
  package var isNew: Bool { readiness == .new }
}

/// What affinity says of a job's candidates, in their order.
package struct Affinity: Hashable, Sendable {
  package struct Score: Hashable, Sendable {
    /// 0…100; nil: filtered out.
    package var points: Double?
    package var reason: String
    package init(points: Double?, reason: String) {
      self.points = points
      self.reason = reason
    }
  }
  package var scores: [Score]
  /// nil: the configured one.
  package var strategy: LoadBalancingStrategy?
  package init(scores: [Score], strategy: LoadBalancingStrategy? = nil) {
    self.scores = scores
    self.strategy = strategy
  }
}

/// Everything that one turn of the planner looks at. A value but for `affinity`, which must be pure: the same input gives the same plan.
package struct PlanningInput {
  package var now: Date
  /// In configured order.
  package var pools: [Pool]
  /// All that are not gone.
  package var containers: [Container]
  package var queues: [ClassQueue]
  /// Refused jobs that a runner's started hook is to fail, and that have no assignment yet; oldest first.
  package var refusals: [Job]
  /// All that are not released.
  package var assignments: [Assignment]
  /// The jobs that are assigned or starting: they hold a registration, and have not begun.
  package var bound: [Job]
  package var limits: PlanningLimits
  package var strategy: LoadBalancingStrategy
  /// Where round-robin goes on; `Plan.cursor` of the turn before.
  package var cursor: Int
  /// Called once for each job that has a candidate, with all its candidates.
  package var affinity: (Job, [Candidate]) -> Affinity

  package init(
    now: Date, pools: [Pool], containers: [Container], queues: [ClassQueue], refusals: [Job] = [], assignments: [Assignment], bound: [Job],
    limits: PlanningLimits, strategy: LoadBalancingStrategy, cursor: Int = 0, affinity: @escaping (Job, [Candidate]) -> Affinity
  ) {
    self.now = now
    self.pools = pools
    self.containers = containers
    self.queues = queues
    self.refusals = refusals
    self.assignments = assignments
    self.bound = bound
    self.limits = limits
    self.strategy = strategy
    self.cursor = cursor
    self.affinity = affinity
  }
}
