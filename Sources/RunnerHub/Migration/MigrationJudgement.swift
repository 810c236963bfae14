import Domain
package import Foundation

/// What stands between RunnerHub and the last traditional runner. Pure.
package struct MigrationJudgement: Sendable {
  /// One workflow's demand, and what would become of its newest job now.
  package struct Case: Sendable {
    package var demand: WorkflowDemand
    package var ruling: RouteRule.Ruling
    /// Why no pool could run it, whatever the policy says; nil: one could.
    package var misfit: String?

    package init(demand: WorkflowDemand, ruling: RouteRule.Ruling, misfit: String?) {
      self.demand = demand
      self.ruling = ruling
      self.misfit = misfit
    }

    /// Only GitHub's own machines ran it, as far as anybody did: it was never on a runner that could go.
    package var isHosted: Bool { demand.hosted > 0 && demand.selfHosted == 0 }

    package var blocker: MigrationBlocker? {
      if isHosted { return nil }
      if let misfit { return blocker(.noPool, misfit) }
      if ruling.route == .traditional { return blocker(ruling.cause == .policy ? .policy : .noPool, ruling.reason) }
      if demand.openTraditional == 0 { return nil }
      return blocker(.open, "\(demand.openTraditional) of its jobs wait for or run on traditional runners")
    }

    private func blocker(_ kind: MigrationBlocker.Kind, _ reason: String) -> MigrationBlocker {
      MigrationBlocker(
        kind: kind, repository: demand.repository, workflow: demand.workflow, labels: demand.labels, jobs: demand.jobs, reason: reason)
    }
  }

  /// - Parameter unseen: what was not looked at. While there is any, nothing is complete and no runner may go.
  package static func status(
    _ cases: [Case], work: [TraditionalWork], unseen: [String] = [], since: Date, at now: Date
  ) -> MigrationStatus {
    let blind = unseen.map { MigrationBlocker(kind: .unseen, repository: "", workflow: "", labels: [], jobs: 0, reason: $0) }
    let blockers = cases.compactMap(\.blocker) + blind
    return MigrationStatus(
      since: since, at: now, runners: runners(work, blockers), blockers: blockers, hosted: cases.count { $0.isHosted })
  }

  /// - Parameter scope: an owner or a repository; nil: everything.
  package static func completion(of status: MigrationStatus, scope: String?) -> MigrationCompletion {
    let blockers = status.blockers.filter { $0.kind == .unseen || isIn(scope, $0.repository) }
    return MigrationCompletion(
      scope: scope, isComplete: blockers.isEmpty, blockers: blockers, decommission: status.runners.filter(\.mayGo).map(\.name))
  }

  static func isIn(_ scope: String?, _ repository: String) -> Bool {
    guard let scope = scope?.lowercased() else { return true }
    let name = repository.lowercased()
    return name == scope || name.hasPrefix(scope + "/")
  }

  /// A runner is needed as long as a blocked workflow asks for labels that it served for that repository: which others it has, nobody told.
  private static func runners(_ work: [TraditionalWork], _ blockers: [MigrationBlocker]) -> [TraditionalRunner] {
    var names: [String] = []
    var byName: [String: [TraditionalWork]] = [:]
    for one in work where !one.runner.hasPrefix(hostedPrefix) {
      if byName[one.runner] == nil { names.append(one.runner) }
      byName[one.runner, default: []].append(one)
    }
    return names.compactMap { name in
      guard let works = byName[name], let last = works.max(by: { $0.lastAt < $1.lastAt }) else { return nil }
      let open = works.reduce(0) { $0 + $1.open }
      let unseen = blockers.filter { $0.kind == .unseen }.map(\.reason)
      let needed = blockers.filter { blocker in works.contains { $0.repository == blocker.repository && $0.labels == blocker.labels } }
      let running = open > 0 ? ["it runs \(open) job\(open == 1 ? "" : "s") now"] : []
      return TraditionalRunner(
        name: name, jobs: works.reduce(0) { $0 + $1.jobs }, lastJob: last.lastJob, lastAt: last.lastAt,
        repositories: Set(works.map(\.repository)).sorted(),
        labelSets: Set(works.map(\.labels)).sorted { $0.description < $1.description },
        reasons: running + unseen + needed.map { "\($0.repository) · \($0.workflow) \($0.labels): \($0.reason)" })
    }
  }

  /// How GitHub calls its own machines.
  package static let hostedPrefix = "GitHub Actions "
}
