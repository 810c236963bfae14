import Domain
package import Foundation

/// Answers how far the move from traditional runners is, from the store, and from what the policies say now.
package struct MigrationDesk: Sendable {
  private let transactor: Transactor
  private let policies: any PolicySource
  private let fleet: FleetObserver
  private let settings: Settings
  /// Rows of workflows and of runners that are looked at; what is beyond is told as a blocker.
  private let limit: Int

  /// - Parameter policies: the live ones; an engine that rehearses another bundle would count each look as a rehearsal.
  package init(
    transactor: Transactor, policies: any PolicySource, fleet: FleetObserver, settings: Settings, limit: Int = 10_000
  ) {
    self.transactor = transactor
    self.policies = policies
    self.fleet = fleet
    self.settings = settings
    self.limit = limit
  }

  package func report(since: Date, by grouping: MigrationGrouping) async throws(StoreError) -> MigrationReport {
    let store = transactor.store
    let total = try await store.migrationRows(by: .all, since: since, limit: 1).first ?? MigrationRow(key: "all")
    let rows = grouping == .all ? [] : try await store.migrationRows(by: grouping, since: since, limit: MigrationReport.rowLimit)
    return MigrationReport(
      since: since, at: transactor.currentTime, by: grouping, total: total, rows: rows, warnings: try await warnings(since))
  }

  package func status(since: Date) async throws(StoreError) -> MigrationStatus {
    let demands = try await transactor.store.workflowDemands(since: since, limit: limit + 1)
    let work = try await transactor.store.traditionalWork(since: since, limit: limit + 1)
    let engine = policies.makeEngine()
    let fleet = try await fleet.fleet()
    var cases: [MigrationJudgement.Case] = []
    var unseen: [String] = []
    for demand in demands.prefix(limit) {
      if let job = try await transactor.store.job(demand.newest) {
        cases.append(Self.judge(demand, job, engine, fleet, settings))
      } else {
        let place = "\(demand.repository) · \(demand.workflow) \(demand.labels)"
        unseen.append("the newest job of \(place), \(demand.newest), is not in the store")
      }
    }
    if demands.count > limit {
      unseen.append("more than \(limit) workflows and label sets had jobs: the others were not looked at; choose a shorter period")
    }
    if work.count > limit {
      unseen.append("traditional runners did work for more than \(limit) label sets: the rest was not looked at; choose a shorter period")
    }
    return MigrationJudgement.status(
      cases, work: Array(work.prefix(limit)), unseen: unseen, since: since, at: transactor.currentTime)
  }

  /// Says whether traditional runners of a scope are needed no more, and writes down that it was asked, by whom, and what was answered.
  package func complete(scope: String?, since: Date, actor: String) async throws(StoreError) -> MigrationCompletion {
    let completion = MigrationJudgement.completion(of: try await status(since: since), scope: scope)
    let place = scope ?? "everything"
    let detail =
      completion.isComplete
      ? "\(place): may be decommissioned: \(completion.decommission.isEmpty ? "none was seen" : completion.decommission.joined(separator: ", "))"
      : "\(place): \(completion.blockers.count) workflows still need traditional runners"
    try await transactor.transact(.migrationJudged) { (unit) throws(StoreError) in
      unit.additions.audit.append(
        AuditEvent(
          at: unit.now, actor: actor, action: completion.isComplete ? "migration-completed" : "migration-refused", detail: detail))
    }
    return completion
  }

  /// What would become of the newest job of a workflow now, were RunnerHub not draining.
  static func judge(
    _ demand: WorkflowDemand, _ job: Job, _ engine: any PolicyEngine, _ fleet: PolicyFleet, _ settings: Settings
  ) -> MigrationJudgement.Case {
    // A pool that may have no container offers nothing.
    let rule = RouteRule(pools: settings.pools.filter { $0.maximum > 0 }, migration: settings.migration)
    var fleet = fleet
    fleet.isDraining = false
    let ruling = rule.ruling(on: job, wish: engine.route(PolicyJob(job), fleet: fleet), isDraining: false)
    return MigrationJudgement.Case(demand: demand, ruling: ruling, misfit: rule.labelMisfit(of: job) ?? rule.sizeMisfit(of: job))
  }

  /// Jobs that are left to others though none is known for them.
  private func warnings(_ since: Date) async throws(StoreError) -> [String] {
    let stranded = try await transactor.store.workflowDemands(since: since, limit: limit)
      .filter { $0.openTraditional > 0 && !settings.migration.offers($0.labels) }
    if stranded.isEmpty { return [] }
    let sets = Set(stranded.map(\.labels.description)).sorted()
    let jobs = stranded.reduce(0) { $0 + $1.openTraditional }
    return [
      """
      \(jobs) job\(jobs == 1 ? " is" : "s are") left to traditional runners and not ended, with labels for which migration.traditional-labels \
      names none: \(sets.prefix(10).joined(separator: " "))\(sets.count > 10 ? " and \(sets.count - 10) more" : ""). Without such a runner \
      \(jobs == 1 ? "it waits" : "they wait") until GitHub cancels \(jobs == 1 ? "it" : "them").
      """
    ]
  }
}
