package import Domain
package import Foundation

/// What the operator says of the runners beside RunnerHub.
package struct MigrationSettings: Hashable, Sendable {
  /// Labels that traditional runners offer; empty: there are none that RunnerHub knows of.
  package var traditionalLabels: Labels
  /// Seconds after which a job without a container is left to them; nil: it is not.
  package var fallbackAfter: TimeInterval?

  package init(traditionalLabels: Labels = [], fallbackAfter: TimeInterval? = nil) {
    self.traditionalLabels = traditionalLabels
    self.fallbackAfter = fallbackAfter
  }

  /// Whether a traditional runner could take a job with these labels.
  package func offers(_ labels: Labels) -> Bool { !traditionalLabels.isEmpty && labels.isSatisfied(by: traditionalLabels) }
}
