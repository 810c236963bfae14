import Domain
import Foundation
import Logging

/// Carries an assignment from releasing to released: the runner's end, its log, and what becomes of its container.
struct RunnerRelease: Sendable {
  let transactor: Transactor
  let engines: EngineRoster
  let forge: any Forge
  let logs: LogCollector
  let settings: Settings
  let drain: DrainSwitch
  let logger: Logger
  /// Runners that their source was asked to take back: once is enough while their end is waited for.
  let takenBack = Shared(Set<AssignmentID>())
  /// Seconds for which a source that does not answer is asked to take back a runner.
  private static let patience: TimeInterval = 600

  /// - Throws: `ComeBack` to be called again later; `StoreError` when the store fails.
  func run(_ id: AssignmentID) async throws {
    guard let assignment = try await transactor.store.assignment(id), assignment.phase == .releasing else { return }
    let container = try await transactor.store.container(assignment.containerID)
    guard assignment.endedWithJob else { return try await releaseUnused(assignment, container) }
    guard let container, container.state.isLive else { return try await finish(assignment, .terminate, cause: "its container is gone") }
    try await releaseAfterJob(assignment, container)
  }

  /// Its job will not come: the registration goes first, for the forge may just have given it another job.
  private func releaseUnused(_ assignment: Assignment, _ container: Container?) async throws {
    if assignment.mayBeRegistered(in: container), let job = try await transactor.store.job(assignment.jobID) {
      do {
        if try await deregister(assignment, of: job) == .busy {
          throw ComeBack(at: later(5), reason: "runner \(assignment.id) has just got a job")
        }
      } catch let error as ForgeError {
        throw ComeBack(at: error.retryTime(default: later(5)), reason: error.description)
      }
    }
    // Without the forge's id nothing was ever put into the container.
    let isUntouched = assignment.runnerID == nil
    try await finish(assignment, isUntouched ? .unassigned : .terminate, cause: assignment.releaseCause ?? "released")
  }

  private func deregister(_ assignment: Assignment, of job: Job) async throws(ForgeError) -> RunnerRemoval {
    let repository = job.repository.fullName
    guard let runnerID = assignment.runnerID else {
      return try await forge.removeRunner(
        named: assignment.id.rawValue, scope: assignment.jobClass, repository: repository, installationID: job.installationID)
    }
    return try await forge.removeRunner(
      id: runnerID, scope: assignment.jobClass, repository: repository, installationID: job.installationID)
  }

  private func releaseAfterJob(_ assignment: Assignment, _ container: Container) async throws {
    let engine: any ContainerEngine
    let observation: ContainerObservation?
    do throws(EngineError) {
      engine = try engines.engine(of: container)
      observation = try await engine.inspect(container.id)
    } catch .invalid(let why) {
      // Its engine was taken out of the configuration: waiting would hold the assignment for ever.
      return try await finish(assignment, .terminate, cause: why)
    } catch {
      throw ComeBack(at: later(2), reason: error.description)
    }
    if observation?.isOutOfMemory == true {
      try await transactor.transact(.lossNoted) { (unit) throws(StoreError) in
        try await unit.note(container.wantOfMemory, on: assignment.id)
      }
    }
    // First: an agent that would take job after job ends when its registration is gone.
    if let source = assignment.jobClass.source, !takenBack.withLock({ $0.contains(assignment.id) }) {
      try await takeBack(assignment, from: source)
      takenBack.withLock { _ = $0.insert(assignment.id) }
    }
    if let observation, observation.status == .running, observation.endedUse != assignment.use {
      let limit = assignment.phaseSince.addingTimeInterval(settings.endTimeLimit)
      if transactor.currentTime < limit { throw ComeBack(at: later(0.1), reason: "the runner has not ended yet") }
      logger.warning("a runner did not end after its job and is ended", metadata: ["assignment": "\(assignment.id)"])
    }
    if await logs.collect(assignment, from: engine) == nil, observation != nil {
      // There is no later copy: the container goes.
      let limit = assignment.phaseSince.addingTimeInterval(settings.endTimeLimit)
      if transactor.currentTime < limit { throw ComeBack(at: later(1), reason: "its log cannot be read") }
    }
    guard let observation, observation.status == .running, observation.endedUse == assignment.use, isReusable(container) else {
      return try await finish(assignment, .terminate, cause: container.endReason ?? "used")
    }
    do {
      try await engine.recycle(container.id)
    } catch {
      // The end of this process is no fault of the container's.
      try Task.checkCancellation()
      logger.warning("a container could not be cleaned and is ended", metadata: ["container": "\(container.id)", "error": "\(error)"])
      return try await finish(assignment, .terminate, cause: "cleaning failed: \(error)")
    }
    try await finish(assignment, .recycled, cause: Assignment.jobEnded)
  }

  /// GitHub removes the registration of a runner that has had its job; whether another source does is its own affair, so it is asked to.
  private func takeBack(_ assignment: Assignment, from source: String) async throws {
    guard let job = try await transactor.store.job(assignment.jobID) else { return }
    do {
      if try await deregister(assignment, of: job) != .busy { return }
      logger.warning("a source keeps a runner that had its job", metadata: ["source": "\(source)", "runner": "\(assignment.id)"])
    } catch {
      let limit = assignment.phaseSince.addingTimeInterval(Self.patience)
      switch error {
      case .unavailable, .throttled:
        // Not for ever: the source may never come back.
        if transactor.currentTime < limit { throw ComeBack(at: error.retryTime(default: later(5)), reason: error.description) }
      case .notFound, .forbidden, .alreadyExists, .invalid: break
      }
      logger.warning(
        "a registration stays at its source", metadata: ["source": "\(source)", "runner": "\(assignment.id)", "error": "\(error)"])
    }
  }

  private func isReusable(_ container: Container) -> Bool {
    guard let pool = engines.pool(of: container), !drain.isOn else { return false }
    return container.isReusable(under: pool.reuse, at: transactor.currentTime)
  }

  private func finish(_ assignment: Assignment, _ event: ContainerEvent, cause: String) async throws {
    defer { takenBack.withLock { _ = $0.remove(assignment.id) } }
    try await transactor.transact(.assignmentReleased) { (unit) throws(StoreError) in
      guard var row = try await unit.assignment(assignment.id), row.phase == .releasing else { return }
      row.phase = .released
      row.releasedAt = unit.now
      unit.put(row)
      unit.count { HubMetrics.assignment(.released) }
      guard var container = try await unit.container(row.containerID), container.state.isLive else { return }
      container.release(event, cause: cause, at: unit.now)
      unit.put(container)
      let fate = container.state == .ready ? "kept for \(container.trustScope ?? "the next job")" : "ended"
      unit.tell(row.jobID, "container \(container.name) \(fate) after use \(row.use)")
    }
  }

  private func later(_ seconds: TimeInterval) -> Date { transactor.currentTime.addingTimeInterval(seconds) }
}
