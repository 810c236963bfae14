package import Domain
package import Foundation
import Scheduling

/// What a report of the forge means for the job and for the runner that it names. Used for deliveries and for answers of the API alike.
package struct JobReducer: Sendable {
  /// What a report did.
  package enum Effect: Hashable, Sendable {
    case applied
    /// Late or repeated: nothing changed.
    case nothing
    case unknownAction(String)
  }

  private let settings: Settings

  package init(settings: Settings) {
    self.settings = settings
  }

  /// Applies a report to the rows it touches.
  package func reduce(_ report: JobReport, in unit: inout UnitOfWork) async throws(StoreError) -> Effect {
    guard let event = Self.event(of: report) else { return .unknownAction(report.action ?? report.status) }
    // A batch may hold several events of one new job: only the first of them makes its row.
    let known = try await unit.job(report.jobID)
    let isNew = known == nil
    var job = known ?? Job(report, at: unit.now)
    let before = job
    absorb(report, into: &job)

    if let runner = report.runnerName, !runner.isEmpty, event.namesRunner {
      try await meet(runner: runner, job: &job, in: &unit)
    }
    let assignment = try await ownAssignment(of: job, in: &unit)
    let isOurs = assignment != nil && assignment?.id.rawValue == report.runnerName
    let jobEvent: JobEvent
    switch event {
    case .queued: jobEvent = .queuedAtForge
    case .waiting: jobEvent = .waitingAtForge
    case .inProgress: jobEvent = .inProgress(ours: isOurs)
    case .completed:
      jobEvent = .completedAtForge(Conclusion(word: report.conclusion ?? "unknown"))
      // A runner's name proves that it had begun, though the news of that was lost: cancelled means cancelled while running.
      if report.runnerName?.isEmpty == false { unit.apply(.inProgress(ours: isOurs), to: &job) }
    }
    unit.apply(jobEvent, to: &job)
    if job.route == nil, event.namesRunner, let runner = report.runnerName, !runner.isEmpty {
      // A runner was faster than our decision, which is made by that: somebody else's, or one of ours that was made for another job.
      let wasOurs = try await ourRunner(runner, of: job.source, in: &unit) != nil
      job.route = wasOurs ? .orchestrator : .traditional
      job.routeCause = .takenFirst
      job.routeReason = "runner \(runner)\(wasOurs ? ", one of ours," : "") took it before it was routed"
    }
    if before.state == .forwarded, isOurs, let runner = report.runnerName {
      job.route = .orchestrator
      job.routeCause = .takenFirst
      job.routeReason = "runner \(runner), one of ours, took it, though it was left to others: \(before.routeReason ?? "")"
    }
    if job.state == .running, before.state != .running { try await begin(&job, report, assignment, isOurs: isOurs, in: &unit) }
    if job.state.isFinal, !before.state.isFinal { try await end(&job, report, in: &unit) }
    if event.namesRunner, !before.state.isFinal, let runner = job.runnerName, !runner.isEmpty {
      // By the name, not by the job's assignment: that is gone where the runner was released before the news came.
      job.ranOn = try await ourRunner(runner, of: job.source, in: &unit) != nil ? .orchestrator : .traditional
    }

    if job == before, !isNew { return .nothing }
    if job.state != before.state || isNew { unit.additions.transitions.append(AppliedTransition(jobID: job.id, action: event.word)) }
    unit.put(job)
    // Of jobs that never were ours, such as skipped ones, the forge needs no word of ours.
    if job.state != before.state, job.route == .orchestrator || assignment != nil { try await unit.report(job, settings: settings) }
    return .applied
  }

  // MARK: - Meaning

  private enum Meaning {
    case queued, waiting, inProgress, completed
    var namesRunner: Bool { self == .inProgress || self == .completed }
    var word: String {
      switch self {
      case .queued: "queued"
      case .waiting: "waiting"
      case .inProgress: "in_progress"
      case .completed: "completed"
      }
    }
  }

  /// `queued` does not imply the status `queued`: with a deployment protection rule it is `waiting`.
  private static func event(of report: JobReport) -> Meaning? {
    switch (report.action ?? report.status, report.status) {
    case ("queued", "waiting"), ("waiting", _), ("pending", _), ("requested", _): .waiting
    case ("queued", _): .queued
    case ("in_progress", _): .inProgress
    case ("completed", _): .completed
    default: nil
    }
  }

  /// Takes over what the report knows better. The steps of a late report do not replace newer ones.
  private func absorb(_ report: JobReport, into job: inout Job) {
    if job.state.isFinal { return }
    if report.installationID != nil { job.installationID = report.installationID }
    if report.steps.count >= job.steps.count, !report.steps.isEmpty { job.steps = report.steps }
  }

  // MARK: - Runner

  /// The forge names a runner. Where it is one of ours that was made for another job, the two assignments are exchanged.
  private func meet(runner: String, job: inout Job, in unit: inout UnitOfWork) async throws(StoreError) {
    guard !job.state.isFinal, job.assignment?.rawValue != runner,
      let assignment = try await ourRunner(runner, of: job.source, in: &unit), assignment.phase.isActive
    else { return }
    let own = try await ownAssignment(of: job, in: &unit)
    let exchange = Exchange.runner(
      of: try await side(of: assignment, in: &unit), madeFor: try await unit.job(assignment.jobID), wentTo: job,
      whichHad: own == nil ? nil : try await side(of: own ?? assignment, in: &unit), now: unit.now)
    guard let exchange else { return }
    for changed in exchange.jobs {
      if changed.id == job.id {
        job = changed
        job.placementReason = exchange.story[job.id] ?? job.placementReason
      } else {
        unit.put(changed)
        try await unit.report(changed, settings: settings)
      }
    }
    for changed in exchange.assignments { unit.put(changed) }
    unit.count { HubMetrics.assignment(.exchanged) }
    for changed in exchange.containers { unit.put(changed) }
    for (id, text) in exchange.story { unit.tell(id, text) }
  }

  /// The assignment whose runner has the name. A runner of one source never works for another, whatever a platform calls its own.
  private func ourRunner(_ name: String, of source: String?, in unit: inout UnitOfWork) async throws(StoreError) -> Assignment? {
    guard let assignment = try await unit.assignment(AssignmentID(rawValue: name)), assignment.jobClass.source == source else { return nil }
    return assignment
  }

  private func side(of assignment: Assignment, in unit: inout UnitOfWork) async throws(StoreError) -> Exchange.Side {
    Exchange.Side(assignment: assignment, container: try await unit.container(assignment.containerID))
  }

  private func ownAssignment(of job: Job, in unit: inout UnitOfWork) async throws(StoreError) -> Assignment? {
    guard let id = job.assignment, let assignment = try await unit.assignment(id), assignment.phase.isActive else { return nil }
    return assignment
  }

  private func begin(
    _ job: inout Job, _ report: JobReport, _ assignment: Assignment?, isOurs: Bool, in unit: inout UnitOfWork
  ) async throws(StoreError) {
    // Our own clock: the forge counts in whole seconds, and waits are shown in milliseconds.
    job.startedAt = unit.now
    job.runnerName = report.runnerName
    if let queuedAt = job.queuedAt {
      let wait = max(0, unit.now.timeIntervalSince(queuedAt))
      unit.count { HubMetrics.jobWait(seconds: wait) }
    }
    unit.tell(job.id, "in progress on \(report.runnerName ?? "a runner without a name")\(isOurs ? "" : ", which is not ours")")
    guard var assignment else { return }
    if isOurs {
      assignment.phase = .running
      assignment.phaseSince = unit.now
      unit.put(assignment)
      if var container = try await unit.container(assignment.containerID) {
        container.begin(job)
        unit.put(container)
      }
    } else if let runner = report.runnerName, !runner.isEmpty {
      // Without a name it may be ours still.
      try await orphan(assignment, cause: "runner \(runner) took the job", job: &job, in: &unit)
    }
  }

  private func end(_ job: inout Job, _ report: JobReport, in unit: inout UnitOfWork) async throws(StoreError) {
    let hadBegun = job.startedAt != nil
    job.conclusion = Conclusion(word: report.conclusion ?? "unknown")
    job.completedAt = unit.now
    if let conclusion = job.conclusion { unit.count { HubMetrics.jobEnded(conclusion) } }
    if let start = job.startedAt {
      let duration = max(0, unit.now.timeIntervalSince(start))
      unit.count { HubMetrics.jobDuration(seconds: duration) }
    }
    if job.startedAt == nil, report.runnerName?.isEmpty == false, job.state == .completed { job.startedAt = report.startedAt }
    // Until it begins it has the name of the runner that was made for it.
    if !hadBegun || job.runnerName == nil, let runner = report.runnerName, !runner.isEmpty { job.runnerName = runner }
    unit.tell(job.id, "\(job.state.rawValue): \(job.conclusion?.word ?? "unknown")")
    guard var assignment = try await ownAssignment(of: job, in: &unit) else { return }
    if assignment.id.rawValue == report.runnerName || assignment.phase == .running {
      assignment.release(because: Assignment.jobEnded, now: unit.now)
      unit.put(assignment)
    } else {
      try await orphan(assignment, cause: "the job ended without its runner", job: &job, in: &unit)
    }
  }

  /// An assignment whose job will never come to its runner.
  private func orphan(_ assignment: Assignment, cause: String, job: inout Job, in unit: inout UnitOfWork) async throws(StoreError) {
    var assignment = assignment
    assignment.release(because: cause, now: unit.now)
    unit.put(assignment)
    job.assignment = nil
    job.containerID = nil
    if job.startedAt == nil, job.runnerName == assignment.id.rawValue { job.runnerName = nil }
  }
}

extension Job {
  /// A job that was never heard of before.
  package init(_ report: JobReport, at now: Date) {
    self.init(
      id: report.jobID, forgeID: report.forgeID, runID: report.runID, runAttempt: report.runAttempt, repository: report.repository,
      organization: report.organization, installationID: report.installationID, workflow: report.workflow, name: report.name,
      labels: report.labels, headSHA: report.headSHA, headBranch: report.headBranch, htmlURL: report.htmlURL,
      createdAt: report.createdAt ?? now, receivedAt: now)
    scope = report.scope
    run = report.run
    definition = report.definition
  }
}

extension Assignment {
  /// The cause of an ordinary release.
  package static let jobEnded = "the job ended"
  /// Whether the runner worked on a job, so that it ends and deregisters by itself.
  package var endedWithJob: Bool { releaseCause == Self.jobEnded }
}
