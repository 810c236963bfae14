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

  /// Whether a traditional runner could take the job. Those that are known are GitHub's.
  package func offers(_ job: Job) -> Bool { job.source == nil && offers(Labels(job.labels)) }
  /// Whether one could take a job of GitHub's with these labels.
  package func offers(_ labels: Labels) -> Bool { !traditionalLabels.isEmpty && labels.isSatisfied(by: traditionalLabels) }
}
