package import Domain
package import Foundation

/// An answer and its reason.
package struct Verdict<Value: Sendable>: Sendable {
  package var value: Value
  package var reason: String
  /// Digest of the bundle that answered, or `built-in`.
  package var bundle: String
  /// Why the built-in rule answered in a policy's place.
  package var fallbackCause: String?
  /// Whether that was a limit of time, work or memory.
  package var brokeBudget = false
  package var microseconds: Double
  /// Of a priority: minutes of waiting by which the job goes ahead of others of its level, −30 to 30. Nothing elsewhere.
  package var weight: Double = 0
  /// Lua instructions used, to the granularity of the count hook; nil for the built-in rule.
  package var instructions: Int?
  /// What another bundle said of the same inputs, where one was asked: the shadow, or of the canary's jobs the live one. Nothing acts on it.
  package var shadow: ShadowVerdict?
  /// Whether the canary answered.
  package var isCanary = false

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

/// What a shadow bundle would have decided.
package struct ShadowVerdict: Hashable, Sendable, Codable {
  /// Digest of the shadow bundle.
  package var bundle: String
  /// Its answer in one word or number, as `DecisionRecord.output` has it; for affinity the name of the container it would have preferred.
  package var output: String
  package var reason: String
  /// Why its answer is the built-in rule's.
  package var fallbackCause: String?
  /// Whether it differs from what was done.
  package var differs: Bool

  package init(bundle: String, output: String, reason: String, fallbackCause: String? = nil, differs: Bool) {
    self.bundle = bundle
    self.output = output
    self.reason = reason
    self.fallbackCause = fallbackCause
    self.differs = differs
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
  /// - Parameter now: the time of the turn, for the ages of containers.
  func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement>
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

/// The policies of this process.
package struct PolicyStatus: Hashable, Sendable, Codable {
  package var bundle: String
  package var loadedAt: Date?
  /// Why the newest revision of the folder is not the active one, if it is not.
  package var refusal: String?
  /// Bundles that this process has put into place.
  package var reloads: Int
  /// What put the bundle into place, and who asked for it; nil for the built-in rule.
  package var event: PolicyEvent?

  package init(bundle: String, loadedAt: Date? = nil, refusal: String? = nil, reloads: Int = 0, event: PolicyEvent? = nil) {
    self.bundle = bundle
    self.loadedAt = loadedAt
    self.refusal = refusal
    self.reloads = reloads
    self.event = event
  }
}
