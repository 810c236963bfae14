import Domain
import Foundation
package import Logging

/// Leaves jobs for which no container came within the limit to traditional runners, where there are some with their labels; while RunnerHub
/// drains, every job that waits.
///
/// It only ends our offer: the forge may still give such a job to a runner of ours that was made for another job of its class. Then it runs
/// here, so the planner keeps such runners fit for it (`LeftJobs`).
package struct FallbackTurn: Sendable {
  private let transactor: Transactor
  private let drain: DrainSwitch
  private let migration: MigrationSettings
  private let settings: Settings
  private let logger: Logger
  /// Where the walk along the waiting jobs stands. Those that nobody else could take are passed, and looked at again in the next walk.
  private let place = Shared(Job?.none)
  private static let batch = 256
  /// Seconds between two walks at most.
  private static let patience: TimeInterval = 10
  /// The same while RunnerHub drains, for what comes back after a failed start.
  private static let drainPatience: TimeInterval = 1

  /// Which jobs are left to others now, and why.
  private struct Rule {
    /// They were queued by then.
    var deadline: Date
    var cause: RouteCause
    var reason: String
  }

  package init(transactor: Transactor, drain: DrainSwitch, settings: Settings, logger: Logger) {
    self.transactor = transactor
    self.drain = drain
    self.settings = settings
    migration = settings.migration
    self.logger = logger
  }

  /// Works until cancelled.
  package func run() async throws {
    while !Task.isCancelled {
      do {
        if try await turn() == Self.batch { continue }
      } catch {
        logger.error("the fallback to traditional runners stopped for a moment", metadata: ["error": "\(error)"])
      }
      let patience = drain.isOn ? Self.drainPatience : min(max((migration.fallbackAfter ?? .infinity) / 4, 0.1), Self.patience)
      try await Task.sleep(for: .seconds(patience))
    }
  }

  /// One page of the jobs that wait longest.
  /// - Returns: how many were looked at.
  @discardableResult
  package func turn() async throws(StoreError) -> Int {
    guard let rule, try await hasCandidates() else { return 0 }
    let jobs = try await page(after: place.withLock { $0 }, rule)
    place.withLock { $0 = jobs.count < Self.batch ? nil : jobs.last }
    return jobs.count
  }

  /// All jobs that may be left to others now, whatever the walk of `turn` has passed already.
  package func leaveAll() async throws(StoreError) {
    guard let rule, try await hasCandidates() else { return }
    var last: Job?
    while true {
      let jobs = try await page(after: last, rule)
      if jobs.count < Self.batch { return }
      last = jobs.last
    }
  }

  private var rule: Rule? {
    if drain.isOn { return Rule(deadline: .distantFuture, cause: .draining, reason: "RunnerHub is draining") }
    return migration.fallbackAfter.map { limit in
      Rule(
        deadline: transactor.currentTime.addingTimeInterval(-limit), cause: .waitedTooLong, reason: "no container within \(Int(limit)) s")
    }
  }

  /// However many wait, a look at their classes says whether a walk along them is worth while.
  private func hasCandidates() async throws(StoreError) -> Bool {
    if migration.traditionalLabels.isEmpty { return false }
    return try await transactor.store.queue(heads: 1).contains { $0.jobClass.source == nil && migration.offers($0.jobClass.labels) }
  }

  private func page(after last: Job?, _ rule: Rule) async throws(StoreError) -> [Job] {
    let jobs = try await transactor.store.jobs(in: [.queued], receivedBefore: rule.deadline, after: last, limit: Self.batch)
    let due = jobs.filter { isDue($0, rule) }.map(\.id)
    if due.isEmpty { return jobs }
    try await transactor.transact(.jobsFellBack) { (unit) throws(StoreError) in
      for id in due {
        guard let job = try await unit.job(id), isDue(job, rule) else { continue }
        try await fallBack(job, rule, in: &unit)
      }
    }
    return jobs
  }

  private func isDue(_ job: Job, _ rule: Rule) -> Bool {
    guard job.state == .queued, let queuedAt = job.queuedAt, queuedAt <= rule.deadline else { return false }
    // A fork's job that was left to others keeps its class to places for forks until it is taken: it does not get there by waiting.
    if rule.cause == .waitedTooLong, job.mayBeFromFork { return false }
    return migration.offers(job)
  }

  private func fallBack(_ job: Job, _ rule: Rule, in unit: inout UnitOfWork) async throws(StoreError) {
    var job = job
    guard unit.apply(.fallBack, to: &job) else { return }
    let why = rule.cause == .waitedTooLong ? job.placementReason : nil
    job.route = .traditional
    job.routeCause = rule.cause
    job.routeReason = rule.reason + (why.map { ": \($0)" } ?? "")
    job.forwardedAt = unit.now
    unit.put(job)
    unit.tell(job.id, "routing → traditional: \(job.routeReason ?? "")")
    unit.count { HubMetrics.jobRouted(.traditional, rule.cause) }
    try await unit.report(job, settings: settings)
  }
}
