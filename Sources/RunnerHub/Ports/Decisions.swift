package import Domain
package import Foundation

/// What a policy, or the built-in rule in its place, said.
package struct DecisionRecord: Hashable, Sendable, Codable {
  /// `routing`, `priority`, `affinity`, `scaling`.
  package var kind: String
  package var jobID: JobID?
  package var pool: String?
  /// The answer in one word or number; for affinity the name of the container that was chosen, `none` where all were left out.
  package var output: String
  package var reason: String
  /// Digest of the bundle; `built-in` for the host's own rule.
  package var bundle: String
  /// Why the built-in rule answered instead of the policy, or of a canary's jobs the live bundle, if one did.
  package var fallbackCause: String?
  package var microseconds: Double
  package var at: Date
  /// Digest of the `DecisionInput` with the job (`PolicyJob`).
  package var input: String?
  /// Digest of the `DecisionInput` with the fleet (`FleetSnapshot`).
  package var snapshot: String?
  /// Affinity only: what was said of each candidate, the best first, at most `candidateLimit` of them.
  package var candidates: [Candidate]
  /// What the shadow bundle would have decided; of a canary's jobs the live one.
  package var shadow: ShadowVerdict?
  /// Whether the job was one of the canary's.
  package var isCanary: Bool

  /// Candidates that a record holds at most; the chosen one is always among them.
  package static let candidateLimit = 50

  /// One container that affinity was asked about.
  package struct Candidate: Hashable, Sendable, Codable {
    /// Empty for a new one.
    package var id: String
    package var name: String
    /// nil: filtered out.
    package var score: Double?
    package var reason: String
    package init(id: String, name: String, score: Double?, reason: String) {
      self.id = id
      self.name = name
      self.score = score
      self.reason = reason
    }
  }

  package init(
    kind: String, jobID: JobID?, pool: String?, output: String, reason: String, bundle: String, fallbackCause: String?,
    microseconds: Double, at: Date, input: String? = nil, snapshot: String? = nil, candidates: [Candidate] = [],
    shadow: ShadowVerdict? = nil, isCanary: Bool = false
  ) {
    self.kind = kind
    self.jobID = jobID
    self.pool = pool
    self.output = output
    self.reason = reason
    self.bundle = bundle
    self.fallbackCause = fallbackCause
    self.microseconds = microseconds
    self.at = at
    self.input = input
    self.snapshot = snapshot
    self.candidates = candidates
    self.shadow = shadow
    self.isCanary = isCanary
  }
}

/// The fleet of a turn in which a decision fell, and the containers that its affinity decisions hold as candidates.
package struct FleetSnapshot: Hashable, Sendable, Codable {
  package var fleet: PolicyFleet
  package var containers: [PolicyContainer]
  package init(fleet: PolicyFleet, containers: [PolicyContainer] = []) {
    self.fleet = fleet
    self.containers = containers
  }
}

/// What a decision was made from, stored once under its content's digest.
package struct DecisionInput: Hashable, Sendable {
  package enum Content: Hashable, Sendable {
    case job(PolicyJob)
    case fleet(FleetSnapshot)
  }
  /// Equal contents have equal digests, and no two others.
  package var digest: String
  package var content: Content
  /// When it was last decided from.
  package var at: Date
  /// The form in which the store keeps it, where `DecisionLog.input(of:at:)` has made it already: a commit then writes bytes only.
  package var encoded: Data?

  package init(digest: String, content: Content, at: Date, encoded: Data? = nil) {
    self.digest = digest
    self.content = content
    self.at = at
    self.encoded = encoded
  }
}
