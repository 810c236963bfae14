package import Domain
import Scheduling

/// What the host adds to a routing policy: no job is kept here that no pool could ever run, and a job that must wait long is left to
/// traditional runners where there are any. Pure.
package struct RouteRule: Sendable {
  package struct Ruling: Hashable, Sendable {
    package var route: Route
    package var cause: RouteCause
    package var reason: String
  }

  private let pools: [Pool]
  private let migration: MigrationSettings

  package init(pools: [Pool], migration: MigrationSettings) {
    self.pools = pools
    self.migration = migration
  }

  /// - Parameters:
  ///   - wish: what the policy said of the job.
  ///   - isDraining: whether no new work is taken.
  package func ruling(on job: Job, wish: Verdict<Route>, isDraining: Bool) -> Ruling {
    if wish.value == .traditional { return forwarded(job, .policy, wish.reason) }
    if let reason = labelMisfit(of: job) { return forwarded(job, .noPool, reason) }
    let hasRunner = migration.offers(job)
    if let misfit = sizeMisfit(of: job) {
      // A forwarded job never comes back, a queued one fits once a pool is made larger: without another runner it is better off here.
      return hasRunner
        ? Ruling(route: .traditional, cause: .tooLarge, reason: misfit)
        : Ruling(
          route: .orchestrator, cause: .policy,
          reason: "\(wish.reason); but \(misfit), and no traditional runner is known for it (migration.traditional-labels): it waits")
    }
    if isDraining, hasRunner { return Ruling(route: .traditional, cause: .draining, reason: "RunnerHub is draining") }
    return Ruling(route: .orchestrator, cause: .policy, reason: wish.reason)
  }

  /// Why no pool could ever run it, whatever its size; nil: one could.
  package func labelMisfit(of job: Job) -> String? {
    let labels = Labels(job.labels)
    // An event does not name the runner group: a job without labels asks for a group only, not for any runner.
    if labels.isEmpty { return "it names no label" }
    return pools.contains { $0.offers(labels, of: job.source) } ? nil : "no pool offers \(labels)\(job.source.map { " to \($0)" } ?? "")"
  }

  /// Why no container of the pools that offer its labels is large enough; nil: one is.
  package func sizeMisfit(of job: Job) -> String? {
    let labels = Labels(job.labels)
    guard let need = job.estimate?.resources else { return nil }
    let offering = pools.filter { $0.offers(labels, of: job.source) }
    if offering.contains(where: { $0.resources.covers(need) }) { return nil }
    return "its estimate, \(need.summary), fits no pool that offers \(labels)"
  }

  private func forwarded(_ job: Job, _ cause: RouteCause, _ reason: String) -> Ruling {
    let labels = Labels(job.labels)
    let isStranded = !migration.traditionalLabels.isEmpty && !labels.isEmpty && job.source == nil && !migration.offers(labels)
    let warning = isStranded ? "; migration.traditional-labels names no runner for \(labels): it waits until one comes" : ""
    return Ruling(route: .traditional, cause: cause, reason: reason + warning)
  }
}
