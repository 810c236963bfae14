import Domain

extension UnitOfWork {
  /// Owes the forge news of where a job stands, in the same commit as the change itself. Jobs of other runners are not ours to report.
  mutating func report(_ job: Job, settings: Settings) async throws(StoreError) {
    guard settings.reportsStatuses else { return }
    let details = settings.baseURL.map { "\($0)/jobs/\(job.id)" }
    var container: Container?
    if let id = job.containerID { container = try await self.container(id) }
    let decisions = try await recordedDecisions(of: job.id) + additions.decisions.filter { $0.jobID == job.id }
    guard let update = StatusUpdateBuilder.update(for: job, container: container, decisions: decisions, detailsURL: details) else { return }
    additions.effects.append(.status(update, dueAt: now))
  }
}
