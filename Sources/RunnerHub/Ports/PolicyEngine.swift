package import Domain
package import Foundation

/// A job as policies see it.
package struct PolicyJob: Hashable, Sendable {
  package var job: Job
  /// The triggering event, `unknown` where the run is not known.
  package var event: String { job.run?.event ?? "unknown" }
  package init(_ job: Job) { self.job = job }
}

/// One pool as policies see it.
package struct PolicyPool: Hashable, Sendable {
  package var name: String
  package var minimum: Int
  package var maximum: Int
  package var warm: Int
  /// Containers by what they do. `total` is all that are live.
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
package struct PolicyFleet: Hashable, Sendable {
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

/// A candidate for a job: a warm container, or a new one of a pool.
package struct PolicyContainer: Hashable, Sendable {
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
  package var ageSeconds: Double
  package var idleSeconds: Double

  package init(
    id: String, name: String, pool: String, isNew: Bool, labels: Labels, resources: Resources, uses: Int, repository: String?,
    ageSeconds: Double, idleSeconds: Double
  ) {
    self.id = id
    self.name = name
    self.pool = pool
    self.isNew = isNew
    self.labels = labels
    self.resources = resources
    self.uses = uses
    self.repository = repository
    self.ageSeconds = ageSeconds
    self.idleSeconds = idleSeconds
  }
}

/// An answer and its reason.
package struct Verdict<Value: Sendable>: Sendable {
  package var value: Value
  package var reason: String
  /// Digest of the bundle that answered, or `built-in`.
  package var bundle: String
  /// Why the built-in rule answered in a policy's place.
  package var fallbackCause: String?
  package var microseconds: Double
  /// Lua instructions used, to the granularity of the count hook; nil for the built-in rule.
  package var instructions: Int?

  package init(
    _ value: Value, reason: String, bundle: String = "built-in", fallbackCause: String? = nil, microseconds: Double = 0,
    instructions: Int? = nil
  ) {
    self.value = value
    self.reason = reason
    self.bundle = bundle
    self.fallbackCause = fallbackCause
    self.microseconds = microseconds
    self.instructions = instructions
  }
}

/// What affinity says of one candidate.
package struct CandidateVerdict: Hashable, Sendable {
  /// 0…100; nil: filtered out.
  package var score: Double?
  package var reason: String
  package init(score: Double?, reason: String) {
    self.score = score
    self.reason = reason
  }
}

/// What affinity says of all candidates, in their order.
package struct Placement: Sendable {
  package var candidates: [CandidateVerdict]
  /// nil: the configured one.
  package var strategy: LoadBalancingStrategy?
  package init(candidates: [CandidateVerdict], strategy: LoadBalancingStrategy?) {
    self.candidates = candidates
    self.strategy = strategy
  }
}

/// Decides what an organisation wants to decide for itself. Synchronous, pure, and never failing: where a policy breaks, the built-in rule
/// answers and the verdict says so. Not shared: each consumer owns its own engine.
package protocol PolicyEngine: AnyObject {
  func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route>
  func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority>
  func place(_ job: PolicyJob, candidates: [PolicyContainer]) -> Verdict<Placement>
  func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int>
}

/// Gives out policy engines for the bundle that is active now.
package protocol PolicySource: Sendable {
  /// Digest of the active bundle (12 hexadecimal digits), or `built-in`.
  var activeBundle: String { get }
  /// A fresh engine for the active bundle. Cheap enough to be asked for after each change of `activeBundle`.
  func makeEngine() -> any PolicyEngine
  /// What happened to bundles: loads, refusals. For pages and logs.
  var status: PolicyStatus { get }
}

/// The state of the policies folder.
package struct PolicyStatus: Hashable, Sendable, Codable {
  package var bundle: String
  package var loadedAt: Date?
  /// Why the newest revision of the folder is not the active one, if it is not.
  package var refusal: String?
  package var reloads: Int

  package init(bundle: String, loadedAt: Date? = nil, refusal: String? = nil, reloads: Int = 0) {
    self.bundle = bundle
    self.loadedAt = loadedAt
    self.refusal = refusal
    self.reloads = reloads
  }
}
