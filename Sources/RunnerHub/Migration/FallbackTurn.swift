import Domain
import Foundation
package import Logging

/// Leaves jobs for which no container came within the limit to traditional runners, where there are some with their labels.
///
/// It only ends our offer: the forge may still give such a job to a runner of ours that was made for another job of its class. Then it runs here.
package struct FallbackTurn: Sendable {
  private let transactor: Transactor
  private let migration: MigrationSettings
  private let settings: Settings
  private let logger: Logger
  /// Where the walk along the waiting jobs stands. Those that nobody else could take are passed, and looked at again in the next walk.
  private let place = Shared(Job?.none)
  private static let batch = 256
  /// Seconds between two walks at most.
  private static let patience: TimeInterval = 10

  package init(transactor: Transactor, settings: Settings, logger: Logger) {
    self.transactor = transactor
    self.settings = settings
    migration = settings.migration
    self.logger = logger
  }

  /// Works until cancelled.
  package func run() async throws {
    guard let limit = migration.fallbackAfter else { return }
    while !Task.isCancelled {
      do {
        if try await turn() == Self.batch { continue }
      } catch {
        logger.error("the fallback to traditional runners stopped for a moment", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: .seconds(min(max(limit / 4, 0.1), Self.patience)))
    }
  }

  /// One page of the jobs that wait longest.
  /// - Returns: how many were looked at.
  @discardableResult
  package func turn() async throws(StoreError) -> Int {
    guard let limit = migration.fallbackAfter, try await hasCandidates() else { return 0 }
    let deadline = transactor.currentTime.addingTimeInterval(-limit)
    let jobs = try await transactor.store.jobs(
      in: [.queued], receivedBefore: deadline, after: place.withLock { $0 }, limit: Self.batch)
    place.withLock { $0 = jobs.count < Self.batch ? nil : jobs.last }
    let due = jobs.filter { isDue($0, deadline) }.map(\.id)
    if due.isEmpty { return jobs.count }
    try await transactor.transact(.jobsFellBack) { (unit) throws(StoreError) in
      for id in due {
        guard let job = try await unit.job(id), isDue(job, deadline) else { continue }
        try await fallBack(job, after: limit, in: &unit)
      }
    }
    return jobs.count
  }

  /// However many wait, a look at their classes says whether a walk along them is worth while.
  private func hasCandidates() async throws(StoreError) -> Bool {
    try await transactor.store.queue(heads: 1).contains { migration.offers($0.jobClass.labels) }
  }

  private func isDue(_ job: Job, _ deadline: Date) -> Bool {
    guard job.state == .queued, let queuedAt = job.queuedAt else { return false }
    return queuedAt <= deadline && migration.offers(Labels(job.labels))
  }

  private func fallBack(_ job: Job, after limit: TimeInterval, in unit: inout UnitOfWork) async throws(StoreError) {
    var job = job
    guard unit.apply(.fallBack, to: &job) else { return }
    job.route = .traditional
    job.routeCause = .waitedTooLong
    job.routeReason = "no container within \(Int(limit)) s" + (job.placementReason.map { ": \($0)" } ?? "")
    job.forwardedAt = unit.now
    unit.put(job)
    unit.tell(job.id, "routing → traditional: \(job.routeReason ?? "")")
    unit.count { HubMetrics.jobRouted(.traditional, .waitedTooLong) }
    try await unit.report(job, settings: settings)
  }
}
