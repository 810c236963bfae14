package import Domain
import Foundation
package import Logging
import Scheduling

/// Asks the forge where events may have been lost, and repairs. No decision depends on one event arriving.
package struct Reconciler: Sendable {
  private let transactor: Transactor
  private let inquiry: JobInquiry
  private let start: RunnerStart
  private let engines: EngineRoster
  private let settings: Settings
  private let logger: Logger
  private let asked = Shared([JobID: Date]())
  private let ours = Shared(Sweep(states: [.received, .queued, .refused, .failed]))
  private let others = Shared(Sweep(states: [.waiting, .forwarded, .running]))
  /// Questions for waiting jobs in one turn.
  private static let budget = 10
  /// Of these, those that are kept for jobs that are not ours to run.
  private static let othersShare = 3
  /// Seconds that events get to come after a runner has ended.
  private static let grace: TimeInterval = 5

  package init(
    transactor: Transactor, forge: any Forge, reducer: JobReducer, engines: EngineRoster, settings: Settings,
    memory: FleetMemory = FleetMemory(), logger: Logger
  ) {
    self.transactor = transactor
    inquiry = JobInquiry(transactor: transactor, forge: forge, reducer: reducer, logger: logger)
    self.engines = engines
    self.settings = settings
    self.logger = logger
    start = RunnerStart(
      transactor: transactor, engines: engines, forge: forge, settings: settings, retry: .starts, memory: memory, logger: logger)
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
      // A runner that has ended had its job, of which no news came, or will never get one.
      if try await hasEnded(assignment) { try await examine(assignment, cause: "its runner ended and got no job") }
    case .running where age > settings.reconcileAfter:
      if try await hasEnded(assignment) || isDue(assignment.jobID) { _ = try await inquiry.refresh(assignment.jobID) }
    case .bound, .registered, .started, .running, .releasing, .released: return
    }
  }

  /// A runner that was started and of which nothing is heard: the forge knows whether it has a job.
  private func examine(_ assignment: Assignment, cause: String, isOwnFault: Bool = false) async throws {
    // Without the forge's word it may be working: only its events are late.
    if try await inquiry.refresh(assignment.jobID) == .unanswered { return }
    guard let current = try await transactor.store.assignment(assignment.id), current.phase == .started || current.phase == .registered
    else { return }
    do {
      try await start.fail(current, cause: cause, container: .terminate, isOwnFault: isOwnFault)
    } catch let comeBack as ComeBack {
      logger.info("a silent runner stays for now", metadata: ["assignment": "\(assignment.id)", "reason": "\(comeBack)"])
    }
  }

  private func noteLoss(_ assignment: Assignment, cause: String) async throws {
    try await transactor.transact(.lossNoted) { (unit) throws(StoreError) in try await unit.note(cause, on: assignment.id) }
    _ = try await inquiry.refresh(assignment.jobID)
  }

  private func hasEnded(_ assignment: Assignment) async throws -> Bool {
    guard let container = try await transactor.store.container(assignment.containerID) else { return true }
    do {
      guard let observation = try await engines.engine(of: container).inspect(container.id) else { return true }
      return observation.status != .running || observation.endedUse == assignment.use
    } catch {
      return false
    }
  }

  /// A walk through the jobs of some states, oldest first, a few at a time, and again from the beginning.
  private struct Sweep {
    var states: Set<JobState>
    var last: Job?
  }

  /// Our own demand, and jobs that others run or that wait for approval, whose end or approval may have been lost too. However many wait, a turn
  /// looks at a few of them, each in its turn.
  private func lookAtWaitingJobs() async throws {
    let asked = try await look(along: ours, limit: Self.budget - Self.othersShare)
    _ = try await look(along: others, limit: Self.budget - asked)
  }

  /// - Returns: how many jobs were asked for.
  private func look(along sweep: Shared<Sweep>, limit: Int) async throws -> Int {
    let place = sweep.withLock { $0 }
    let before = transactor.currentTime.addingTimeInterval(-settings.askAgainAfter)
    let jobs = try await transactor.store.jobs(in: place.states, receivedBefore: before, after: place.last, limit: limit)
    sweep.withLock { $0.last = jobs.count < limit ? nil : jobs.last }
    var asked = 0
    for job in jobs where isDue(job.id) {
      asked += 1
      // Without that word its run may be cancelled, and only the event be late.
      if try await inquiry.refresh(job.id) == .standing(status: "queued") { try await failByHook(job.id) }
    }
    return asked
  }

  /// A refused job that the forge still has queued although its run was to be cancelled: a runner's hook ends it.
  private func failByHook(_ id: JobID) async throws(StoreError) {
    try await transactor.transact(.refusalOverdue) { (unit) throws(StoreError) in
      guard var job = try await unit.job(id), job.state == .refused, job.refusalAction == nil, job.source == nil else { return }
      job.refusalAction = .failByHook
      unit.put(job)
      unit.tell(id, "still queued after its refusal: a runner's hook is to fail it")
    }
  }

  private func isDue(_ id: JobID) -> Bool {
    let now = transactor.currentTime
    return asked.withLock { asked in
      if asked.count > 10_000 { asked = asked.filter { now.timeIntervalSince($0.value) < settings.askAgainAfter } }
      if let last = asked[id], now.timeIntervalSince(last) < settings.askAgainAfter { return false }
      asked[id] = now
      return true
    }
  }
}
