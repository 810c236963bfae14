package import Domain
import Foundation
package import Logging
import Scheduling

/// Asks the forge where events may have been lost, and repairs. No decision depends on one event arriving.
package struct Reconciler: Sendable {
  private let transactor: Transactor
  private let forge: any Forge
  private let reducer: JobReducer
  private let start: RunnerStart
  private let engines: EngineRoster
  private let settings: Settings
  private let logger: Logger
  private let asked = Shared([JobID: Date]())
  /// Questions for waiting jobs in one turn.
  private static let budget = 10
  /// Seconds that events get to come after a runner has ended.
  private static let grace: TimeInterval = 5

  package init(transactor: Transactor, forge: any Forge, reducer: JobReducer, engines: EngineRoster, settings: Settings, logger: Logger) {
    self.transactor = transactor
    self.forge = forge
    self.reducer = reducer
    self.engines = engines
    self.settings = settings
    self.logger = logger
    start = RunnerStart(transactor: transactor, engines: engines, forge: forge, settings: settings, retry: .starts, logger: logger)
  }

  /// Reconciles until cancelled, at once and then at each interval of the health checks.
  package func run() async throws {
    while !Task.isCancelled {
      await turn()
      try await Task.sleep(for: settings.healthCheckInterval)
    }
  }

  /// Looks at every active assignment, and at some of the jobs that wait long.
  package func turn() async {
    do {
      for assignment in try await transactor.store.activeAssignments() { try await look(at: assignment) }
      try await lookAtWaitingJobs()
    } catch {
      logger.warning("reconciliation stopped early", metadata: ["error": "\(error)"])
    }
  }

  /// An engine lost an assignment's container. A job that has begun is GitHub's to end; one that has not waits again.
  package func containerLost(_ id: AssignmentID, cause: String) async throws {
    guard let assignment = try await transactor.store.assignment(id) else { return }
    switch assignment.phase {
    case .registered, .started: try await examine(assignment, cause: cause)
    case .running: try await noteLoss(assignment, cause: cause)
    // A start or a release under way meets the loss itself.
    case .bound, .releasing, .released: return
    }
  }

  private func look(at assignment: Assignment) async throws {
    let age = transactor.currentTime.timeIntervalSince(assignment.phaseSince)
    switch assignment.phase {
    case .started where age > settings.startTimeLimit:
      // GitHub may hand out nothing for a while: that is not the job's failure.
      try await examine(assignment, cause: "its runner got no job within \(settings.startTimeLimit) s", isOwnFault: true)
    case .started where age > Self.grace:
      if try await hasEnded(assignment) { try await examine(assignment, cause: "its runner ended and got no job") }
    case .running where age > settings.reconcileAfter:
      if try await hasEnded(assignment) || isDue(assignment.jobID) { _ = try await refresh(assignment.jobID) }
    case .bound, .registered, .started, .running, .releasing, .released: return
    }
  }

  /// A runner that was started and of which nothing is heard: the forge knows whether it has a job.
  private func examine(_ assignment: Assignment, cause: String, isOwnFault: Bool = false) async throws {
    // Without the forge's word it may be working: only its events are late.
    guard try await refresh(assignment.jobID) else { return }
    guard let current = try await transactor.store.assignment(assignment.id), current.phase == .started || current.phase == .registered
    else { return }
    do {
      try await start.fail(current, cause: cause, container: .terminate, isOwnFault: isOwnFault)
    } catch let comeBack as ComeBack {
      logger.info("a silent runner stays for now", metadata: ["assignment": "\(assignment.id)", "reason": "\(comeBack)"])
    }
  }

  private func noteLoss(_ assignment: Assignment, cause: String) async throws {
    try await transactor.transact { (unit) throws(StoreError) in
      guard var job = try await unit.job(assignment.jobID), job.lastFailure != cause else { return }
      job.lastFailure = cause
      unit.put(job)
      unit.tell(job.id, cause)
    }
    _ = try await refresh(assignment.jobID)
  }

  private func hasEnded(_ assignment: Assignment) async throws -> Bool {
    guard let container = try await transactor.store.container(assignment.containerID) else { return true }
    do {
      guard let observation = try await engines.engine(of: container).inspect(container.id) else { return true }
      return observation.status != .running || (observation.endedUse ?? 0) >= assignment.use
    } catch {
      return false
    }
  }

  /// Our own demand first; then jobs that others run or that wait for approval, whose end or approval may have been lost too.
  private func lookAtWaitingJobs() async throws {
    let before = transactor.currentTime.addingTimeInterval(-settings.patience)
    let ours = try await transactor.store.jobs(in: [.received, .queued, .refused, .failed], limit: 10_000)
    let others = try await transactor.store.jobs(in: [.waiting, .forwarded, .running], limit: 10_000)
    var left = Self.budget
    for job in ours + others where left > 0 && job.receivedAt < before && isDue(job.id) {
      left -= 1
      _ = try await refresh(job.id)
      try await failByHook(job.id)
    }
  }

  /// A refused job that the forge still has queued although its run was to be cancelled: a runner's hook ends it.
  private func failByHook(_ id: JobID) async throws(StoreError) {
    try await transactor.transact { (unit) throws(StoreError) in
      guard var job = try await unit.job(id), job.state == .refused, job.refusalAction == nil else { return }
      job.refusalAction = .failByHook
      unit.put(job)
      unit.tell(id, "still queued after its refusal: a runner's hook is to fail it")
    }
  }

  private func isDue(_ id: JobID) -> Bool {
    let now = transactor.currentTime
    let patience = settings.patience
    return asked.withLock { asked in
      if asked.count > 10_000 { asked = asked.filter { now.timeIntervalSince($0.value) < patience } }
      if let last = asked[id], now.timeIntervalSince(last) < patience { return false }
      asked[id] = now
      return true
    }
  }

  /// Applies what the forge says of a job now.
  /// - Returns: whether the rows now say what the forge knows; false when it gave no answer.
  private func refresh(_ id: JobID) async throws -> Bool {
    guard let job = try await transactor.store.job(id), !job.state.isFinal else { return true }
    let report: JobReport
    do {
      report = try await forge.job(id: job.forgeID, repository: job.repository, installationID: job.installationID)
    } catch {
      logger.info("the forge could not be asked for a job", metadata: ["job": "\(id)", "error": "\(error)"])
      // A job that is not there any more is worked on by nobody.
      if case .notFound = error { return true }
      return false
    }
    guard report.jobID == id else { return true }
    let effect = try await transactor.transact { (unit) throws(StoreError) in try await reducer.reduce(report, in: &unit) }
    if effect == .applied {
      logger.notice("a job was brought up to date by asking the forge", metadata: ["job": "\(id)", "status": "\(report.status)"])
    }
    return true
  }
}
