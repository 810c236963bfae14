/// Whether a job may be run without knowing its definition.
package enum DefinitionRule: String, Sendable, Codable, CaseIterable {
  case required
  case preferred
}

/// The template of a set of containers, and how many of them there may be.
package struct Pool: Hashable, Sendable, Codable, Identifiable {
  package var name: String
  package var id: String { name }
  /// How its containers are run: `process`, `docker`, or the name of a plugin.
  package var engine: String
  /// The engine hosts on which its containers may be made, by the names under which containers and the roster of engines know them. Never empty.
  package var hosts: [String]
  package var image: String
  /// What its runners may offer. A job fits when its labels are among these.
  package var labels: Labels
  package var resources: Resources
  /// Containers that exist even when nothing is to do.
  package var minimum: Int
  package var maximum: Int
  /// Idle containers to keep ready beyond the busy ones, within the maximum.
  package var warm: Int
  package var definition: DefinitionRule
  /// Images that a job's own container, services and docker steps may use (`ghcr.io/acme/*`); nil allows all.
  package var allowedImages: [String]?
  /// Whether jobs of forks may run here.
  package var acceptsForks: Bool
  package var reuse: ReuseRule
  /// The CI platform whose runner its image holds, by the name of its plugin; nil: GitHub.
  package var source: String?

  package init(
    name: String, engine: String, image: String, labels: Labels, resources: Resources, minimum: Int, maximum: Int, warm: Int,
    definition: DefinitionRule? = nil, allowedImages: [String]? = nil, acceptsForks: Bool = false, reuse: ReuseRule = .never,
    source: String? = nil, hosts: [String]? = nil
  ) {
    self.name = name
    self.engine = engine
    self.hosts = hosts.flatMap { $0.isEmpty ? nil : $0 } ?? [engine]
    self.image = image
    self.labels = labels
    self.resources = resources
    self.minimum = minimum
    self.maximum = maximum
    self.warm = warm
    // An unknown definition is no way around an allow-list.
    self.definition = definition ?? (allowedImages == nil ? .preferred : .required)
    self.allowedImages = allowedImages
    self.acceptsForks = acceptsForks
    self.reuse = reuse
    self.source = source
  }

  /// Whether its runners are for jobs of that source with these labels.
  package func offers(_ wanted: Labels, of source: String?) -> Bool { source == self.source && wanted.isSatisfied(by: labels) }
}

/// Whether, and how often, a container of a pool may serve another job of the same repository.
package struct ReuseRule: Hashable, Sendable, Codable {
  /// Jobs that one container may serve; 1 is no reuse.
  package var maximumUses: Int
  /// Seconds after which an idle container is not used again.
  package var maximumAgeSeconds: Double

  package init(maximumUses: Int, maximumAgeSeconds: Double) {
    self.maximumUses = maximumUses
    self.maximumAgeSeconds = maximumAgeSeconds
  }
  package static let never = ReuseRule(maximumUses: 1, maximumAgeSeconds: .infinity)
  package var isAllowed: Bool { maximumUses > 1 }
}

/// How ties between candidates are broken.
package enum LoadBalancingStrategy: String, Sendable, Codable, CaseIterable {
  case roundRobin = "round-robin"
  case leastLoaded = "least-loaded"
  case resourceAware = "resource-aware"
  case affinity = "affinity"
}
