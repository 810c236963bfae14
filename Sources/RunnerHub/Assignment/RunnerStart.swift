import Domain
import Foundation
import Logging
import Scheduling

/// A step that cannot go on now and is no failure: come back at this time.
struct ComeBack: Error, CustomStringConvertible {
  var at: Date
  var reason: String
  var description: String { "\(reason); again at \(at)" }
}

/// Carries an assignment from bound to started: container → registration → files. Each step is committed before the next, and a new
/// process goes on from the phase it finds.
struct RunnerStart: Sendable {
  let transactor: Transactor
  let engines: EngineRoster
  let forge: any Forge
  let settings: Settings
  let retry: Retry
  let memory: FleetMemory
  let logger: Logger
  /// Seconds after which a job is tried again that must not start beside a refused one.
  private static let refusedPause: TimeInterval = 30

  /// - Throws: `ComeBack` to be called again later; `StoreError` when the store fails.
  func run(_ id: AssignmentID) async throws {
    guard let assignment = try await transactor.store.assignment(id), assignment.phase == .bound || assignment.phase == .registered else {
      return
    }
    guard let container = try await transactor.store.container(assignment.containerID),
      let job = try await transactor.store.job(assignment.jobID)
    else { return try await fail(assignment, cause: "the row of its job or container is missing", container: .terminate) }
    switch assignment.phase {
    case .bound: try await begin(assignment, container, job)
    case .registered: try await recover(assignment)
    case .started, .running, .releasing, .released: return
    }
  }

  private func begin(_ assignment: Assignment, _ container: Container, _ job: Job) async throws {
    let engine: any ContainerEngine
    do {
      engine = try engines.engine(of: container)
      if container.state == .creating { try await create(container, on: engine) }
    } catch EngineError.unavailable(let reason) {
      // The end of this process is no fault of the engine's: the next one goes on.
      try Task.checkCancellation()
      // The engine's fault is not the job's: it keeps its place and its tries, and may go elsewhere.
      let cause = "container: \(EngineError.unavailable(reason))"
      return try await fail(assignment, cause: cause, container: .terminate, isOwnFault: true, pause: 5)
    } catch let error as EngineError {
      return try await fail(assignment, cause: "container: \(error)", container: .terminate)
    }
    // Making a container takes a while: a job that was cancelled meanwhile needs no runner, and its container is unused.
    guard try await transactor.store.assignment(assignment.id)?.phase == .bound else { return }
    if let objection = try await refusedObjection(to: assignment.jobClass) {
      return try await fail(assignment, cause: objection, container: .giveBack, isOwnFault: true, pause: Self.refusedPause)
    }
    let registration: RunnerRegistration
    do {
      registration = try await forge.register(
        RunnerRequest(
          name: assignment.id.rawValue, jobClass: assignment.jobClass, repository: job.repository.fullName,
          installationID: job.installationID, job: job))
    } catch .throttled(let until, let reason) {
      throw ComeBack(at: until, reason: "registration: \(reason)")
    } catch .unavailable(let reason) {
      // The forge's fault is not the job's: it keeps its place and its tries.
      throw ComeBack(at: later(5), reason: "registration: \(reason)")
    } catch {
      return try await fail(assignment, cause: "registration: \(error)", container: .giveBack)
    }
    guard try await commitRegistration(assignment, registration, of: job) else { return }
    do {
      let files = RunnerFiles(
        job: job, assignment: assignment, container: container, home: try await engine.home(of: engines.spec(of: container)),
        refused: try await refused(in: assignment.jobClass),
        baseURL: settings.baseURL)
      // Hook, environment and introduction are read by GitHub's runner only.
      try await engine.put(registration.files + (job.source == nil ? files.files : []), into: container.id)
      try await engine.put([files.marker], into: container.id)
    } catch let error as EngineError {
      return try await fail(assignment, cause: "handing over the runner's files: \(error)", container: .terminate)
    }
    try await commitStart(assignment.id)
  }

  /// Makes and starts the container, then commits that it is there.
  private func create(_ container: Container, on engine: any ContainerEngine) async throws {
    try await engine.create(engines.spec(of: container))
    try await engine.start(container.id)
    try await transactor.transact(.containerMade) { (unit) throws(StoreError) in
      guard var row = try await unit.container(container.id) else { return }
      row.becomeReady(at: unit.now)
      unit.put(row)
    }
  }

  /// - Returns: whether the assignment is still wanted; a registration that came too late is removed again by the release.
  private func commitRegistration(_ assignment: Assignment, _ registration: RunnerRegistration, of job: Job) async throws -> Bool {
    let phase = try await transactor.transact(.runnerRegistered) { (unit) throws(StoreError) -> AssignmentPhase in
      guard var row = try await unit.assignment(assignment.id), row.phase.isActive else { return .released }
      row.runnerID = registration.runnerID
      if row.phase == .bound {
        row.phase = .registered
        row.phaseSince = unit.now
      }
      unit.put(row)
      return row.phase
    }
    if phase == .released {
      _ = try await forge.removeRunner(
        id: registration.runnerID, scope: assignment.jobClass, repository: job.repository.fullName, installationID: job.installationID)
    }
    return phase == .registered
  }

  private func commitStart(_ id: AssignmentID) async throws {
    try await transactor.transact(.runnerStarted) { (unit) throws(StoreError) in
      // GitHub may have been faster: then the assignment runs already, and its job too.
      guard var row = try await unit.assignment(id), row.phase == .registered else { return }
      row.phase = .started
      row.phaseSince = unit.now
      unit.put(row)
      guard var job = try await unit.job(row.jobID), unit.apply(.start, to: &job) else { return }
      unit.put(job)
      unit.count { HubMetrics.assignment(.started) }
      unit.tell(job.id, "runner \(row.id) registered for class \(row.jobClass), started in \(row.containerID)")
    }
  }

  /// The process before this one ended between registration and the hand-over, or just after it. Only the forge knows.
  private func recover(_ assignment: Assignment) async throws {
    guard let runnerID = assignment.runnerID, let job = try await transactor.store.job(assignment.jobID) else {
      return try await fail(assignment, cause: "RunnerHub restarted during the start", container: .terminate, isOwnFault: true)
    }
    let removal: RunnerRemoval
    do {
      removal = try await forge.removeRunner(
        id: runnerID, scope: assignment.jobClass, repository: job.repository.fullName, installationID: job.installationID)
    } catch {
      throw ComeBack(at: error.retryTime(default: later(5)), reason: error.description)
    }
    switch removal {
    case .busy: return try await commitStart(assignment.id)
    case .removed, .absent: break
    }
    // A runner that has done its job is gone as well: then the job must not wait for another one.
    if try await inquiry.refresh(assignment.jobID) == .unanswered {
      throw ComeBack(at: later(5), reason: "the forge does not say how job \(assignment.jobID) stands")
    }
    guard let current = try await transactor.store.assignment(assignment.id), current.phase == .registered else { return }
    try await fail(current, cause: "RunnerHub restarted during the start", container: .terminate, isOwnFault: true)
  }

  private var inquiry: JobInquiry {
    JobInquiry(transactor: transactor, forge: forge, reducer: JobReducer(settings: settings), logger: logger)
  }

  /// Refused jobs that this runner may get, whatever job it was made for and however far their cancellation is: the forge gives it any job whose labels are among its own.
  private func refused(in jobClass: JobClass) async throws -> [RunnerFiles.RefusedJob] {
    try await transactor.store.jobs(in: [.refused], limit: 10_000).filter { job in
      guard let wanted = job.jobClass else { return false }
      return wanted.scope == jobClass.scope && wanted.group == jobClass.group && wanted.labels.isSatisfied(by: jobClass.labels)
    }.map {
      // A key that was only guessed would miss the job: then every job of its run is failed.
      let key = $0.definition?.definition.flatMap { $0.isExact ? $0.key : nil }
      return RunnerFiles.RefusedJob(runID: $0.runID, key: key, reason: $0.refusal ?? "refused")
    }
  }

  /// At another source than GitHub no hook fails a refused job: while one waits there, whoever has its labels could get it, so nobody is made.
  private func refusedObjection(to jobClass: JobClass) async throws -> String? {
    guard let source = jobClass.source, let refused = try await refused(in: jobClass).first else { return nil }
    return "a refused job of its class still waits at \(source) (run \(refused.runID)): no runner before it is cancelled there"
  }

  /// What becomes of the container of a failed start.
  enum ContainerFate { case terminate, giveBack }

  /// A failed start: the registration goes first, then job, assignment and container in one commit. A registration that the forge has removed
  /// by itself, as it does with idle ones, is not the job's failure.
  /// - Parameters:
  ///   - isOwnFault: it does not count as a try of the job's.
  ///   - pause: seconds in which the job is not planned again after a fault that is not its own.
  func fail(
    _ assignment: Assignment, cause: String, container fate: ContainerFate, isOwnFault: Bool = false, pause: TimeInterval = 0
  ) async throws {
    var (cause, isOwnFault, pause) = (cause, isOwnFault, pause)
    if let current = try await transactor.store.assignment(assignment.id), let runnerID = current.runnerID,
      let job = try await transactor.store.job(current.jobID)
    {
      do {
        let removal = try await forge.removeRunner(
          id: runnerID, scope: current.jobClass, repository: job.repository.fullName, installationID: job.installationID)
        // It has just got a job: not ours to end.
        if removal == .busy { throw ComeBack(at: later(5), reason: "runner \(current.id) is busy") }
        if removal == .absent, current.phase == .started, !isOwnFault {
          (cause, isOwnFault, pause) = ("the forge removed its runner's registration: \(cause)", true, 1)
        }
      } catch let error as ForgeError {
        throw ComeBack(at: error.retryTime(default: later(5)), reason: error.description)
      }
    }
    logger.warning("a start failed", metadata: ["assignment": "\(assignment.id)", "job": "\(assignment.jobID)", "cause": "\(cause)"])
    if let pool = try await transactor.store.container(assignment.containerID)?.pool {
      memory.noteStartFailure(in: pool, at: transactor.currentTime)
    }
    let random = Double.random(in: 0..<1)
    try await transactor.transact(.startFailed) { (unit) throws(StoreError) in
      guard var row = try await unit.assignment(assignment.id), row.phase.isActive, row.phase != .running, row.phase != .releasing else {
        return
      }
      row.phase = .released
      row.releasedAt = unit.now
      row.releaseCause = cause
      unit.put(row)
      unit.count { HubMetrics.assignment(.failed) }
      if var job = try await unit.job(row.jobID), job.assignment == row.id {
        let wait = isOwnFault ? pause : retry.delay(afterFailures: job.tries + 1, random: random)
        job.detach(afterFailure: cause, isOwnFault: isOwnFault, maximumTries: settings.maximumTries, wait: wait, at: unit.now)
        unit.put(job)
        unit.tell(job.id, "start failed: \(cause)\(job.state == .failed ? "; given up after \(job.tries) tries" : "; it waits again")")
        try await unit.report(job, settings: settings)
      }
      if var container = try await unit.container(row.containerID) {
        container.release(fate == .giveBack ? .unassigned : .terminate, cause: cause, at: unit.now)
        unit.put(container)
      }
    }
  }

  private func later(_ seconds: TimeInterval) -> Date { transactor.currentTime.addingTimeInterval(seconds) }
}

extension ForgeError {
  /// When to ask again.
  func retryTime(default time: Date) -> Date {
    if case .throttled(let until, _) = self { until } else { time }
  }
}
