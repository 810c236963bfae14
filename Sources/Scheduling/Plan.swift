package import Domain
package import Foundation

/// What one turn decided.
package struct Plan: Hashable, Sendable {
  /// In the order of urgency.
  package var bindings: [Binding] = []
  /// Every job of the input's heads and refusals that got no container, with the reason.
  package var waiting: [Waiting] = []
  /// Idle containers to end, because a job waits that none of them fits and that could have their room.
  package var evictions: [Eviction] = []
  /// Room that comes free and is kept for a waiting job: no pool may grow into it before the next turn.
  package var claims: [Claim] = []
  /// For the next turn's `PlanningInput.cursor`.
  package var cursor: Int
  /// When a job that was put off may be planned again, if nothing happens before.
  package var nextTurn: Date?

  /// One job and the place it goes to.
  package struct Binding: Hashable, Sendable {
    package var jobID: JobID
    package var jobClass: JobClass
    package var candidate: Candidate.Identity
    package var pool: String
    /// The runner is only there to fail a refused job.
    package var isRefusal: Bool
    package var strategy: LoadBalancingStrategy
    /// `scored 88: has this repository's cache`
    package var reason: String
    /// Those that passed the host's rules, best first, with what affinity said.
    package var considered: [Considered]
    /// How many places were left out, by cause.
    package var filtered: [String: Int]
  }

  /// One place that was looked at.
  package struct Considered: Hashable, Sendable {
    package var name: String
    /// nil: filtered out by affinity.
    package var points: Double?
    package var outcome: String
  }

  package struct Waiting: Hashable, Sendable {
    package var jobID: JobID
    package var reason: String
    /// No change in load would help: pools or labels must change.
    package var isHopeless: Bool
  }

  package struct Eviction: Hashable, Sendable {
    package var containerID: ContainerID
    package var reason: String
  }

  /// One container that is to be made when there is room.
  package struct Claim: Hashable, Sendable {
    package var pool: String
    package var engine: String
    package var resources: Resources
    package init(pool: String, engine: String, resources: Resources) {
      self.pool = pool
      self.engine = engine
      self.resources = resources
    }
  }
}

extension Plan.Binding {
  /// The story of the choice for `job explain`, one line each.
  package var explanation: [String] {
    let left = filtered.values.reduce(0, +)
    var lines = ["placement: \(considered.count + left) places considered"]
    if left > 0 {
      let causes = filtered.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
      lines.append("\(left) filtered: \(causes.joined(separator: ", "))")
    }
    for (index, place) in considered.prefix(5).enumerated() {
      lines.append("\(place.name) \(place.outcome)\(index == 0 ? "  ← chosen (\(strategy.rawValue))" : "")")
    }
    return lines
  }
}
