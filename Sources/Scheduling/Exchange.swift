package import Domain
package import Foundation

/// What changes when the forge gives a runner to another job than the one that it was made for. To be committed as one.
///
/// The rows of `before` go in, changed rows come out; rows that do not change are not named.
package struct Exchange: Hashable, Sendable {
  package var jobs: [Job]
  package var assignments: [Assignment]
  package var containers: [Container]
  /// What happened, for the timelines of the jobs.
  package var story: [JobID: String]

  /// A runner, the job that it was made for and its container.
  package struct Side: Hashable, Sendable {
    package var assignment: Assignment
    /// The container of the assignment; nil when it is not known any more.
    package var container: Container?
    package init(assignment: Assignment, container: Container?) {
      self.assignment = assignment
      self.container = container
    }
  }

  /// The forge says that the runner of `taken` works, or worked, on `job`.
  ///
  /// - The job gets the runner. It is running unless it has ended already (a completed event that came first).
  /// - The job that the runner was made for gets the other job's runner, where that is fit for it and has not begun; else it goes back to the
  ///   queue, to the place it had.
  /// - A runner that is left without a job is to be released.
  ///
  /// - Parameters:
  ///   - taken: the runner that the forge named.
  ///   - planned: the job that it was made for; nil when that is not known any more.
  ///   - job: the job that got it.
  ///   - other: the runner made for `job`, when it has an active one.
  /// - Returns: nil when there is nothing to exchange: the runner already serves the job.
  package static func runner(of taken: Side, madeFor planned: Job?, wentTo job: Job, whichHad other: Side?, now: Date) -> Exchange? {
    guard taken.assignment.jobID != job.id || job.assignment != taken.assignment.id else { return nil }
    var result = Exchange(jobs: [], assignments: [], containers: [], story: [:])
    var runner = taken.assignment
    let other = other?.assignment.id == runner.id ? nil : other

    var swapped = false
    if var planned, planned.id != job.id, planned.assignment == runner.id {
      if planned.state == .assigned || planned.state == .starting {
        if let other, isFit(other, for: planned, insteadOf: runner) {
          swapped = true
          result.hand(other, to: &planned)
        } else {
          planned.goBackToQueue()
          result.story[planned.id] = "its runner \(runner.id) was given to \(job.name) (\(job.id)): waits again"
        }
        result.jobs.append(planned)
      } else if planned.state != .running {
        // It ended, or was never ours to run: it only lets go of the runner.
        planned.assignment = nil
        result.jobs.append(planned)
      } else {
        // A just-in-time runner runs one job. This one has begun another, so the news is of a runner that was mistaken for it.
        return nil
      }
    }
    if !swapped, let other, other.assignment.phase.isActive {
      var orphan = other.assignment
      orphan.release(because: "its job \(job.id) runs on \(runner.id)", now: now)
      result.assignments.append(orphan)
    }

    var job = job
    let hasEnded = job.state.isFinal
    // A runner that is released already was a quick one: its job has ended, and only the news of it is late.
    let isReleased = runner.phase == .released
    runner.jobID = job.id
    runner.priority = job.priority
    if hasEnded {
      runner.release(because: "its job \(job.id) has ended", now: now)
    } else {
      if case .to(let state) = job.state.transition(on: .inProgress(ours: true)) { job.state = state }
      if runner.phase != .running && !isReleased {
        runner.phase = .running
        runner.phaseSince = now
      }
    }
    job.assignment = isReleased ? nil : runner.id
    job.containerID = runner.containerID
    job.runnerName = runner.id.rawValue
    job.startedAt = job.startedAt ?? now
    job.assignedAt = job.assignedAt ?? runner.assignedAt
    job.notBefore = nil
    if var container = taken.container {
      job.pool = container.pool
      if !hasEnded, !isReleased, let state = container.state.next(on: .jobStarted) { container.state = state }
      // On its first use it runs this job's code and no other's, whomever it was promised to.
      if container.isUnused, taken.assignment.phase != .running { container.promise(to: job) } else { container.note(job) }
      if container != taken.container { result.containers.append(container) }
    }
    result.jobs.append(job)
    result.assignments.append(runner)
    result.story[job.id] = "the forge gave it runner \(runner.id)"
    return result
  }

  /// Whether `planned` may take over a runner: it must be able to get its job, and no job may get a place that was not fit for it.
  private static func isFit(_ other: Side, for planned: Job, insteadOf runner: Assignment) -> Bool {
    let assignment = other.assignment
    guard let container = other.container, !assignment.isRefusal, !runner.isRefusal else { return false }
    switch assignment.phase {
    case .bound, .registered, .started: break
    case .running, .releasing, .released: return false
    }
    // Only jobs of one class can be told apart by nobody but the forge: then either runner is as good as the other.
    guard assignment.jobClass == planned.jobClass else { return false }
    if let need = planned.estimate?.resources, !container.resources.covers(need) { return false }
    // A pool that takes no forks may have been chosen before this one came.
    if planned.isFromFork { return false }
    return container.isUnused || container.trustScope == planned.repository.qualifiedName
  }

  private mutating func hand(_ other: Side, to planned: inout Job) {
    var assignment = other.assignment
    if var container = other.container, container.isUnused {
      container.promise(to: planned)
      if container != other.container { containers.append(container) }
    }
    assignment.jobID = planned.id
    assignment.priority = planned.priority
    planned.assignment = assignment.id
    planned.containerID = assignment.containerID
    planned.pool = other.container?.pool ?? planned.pool
    planned.runnerName = assignment.id.rawValue
    planned.ranOn = nil
    planned.state = assignment.phase == .bound ? .assigned : .starting
    assignments.append(assignment)
    story[planned.id] = "exchanged its runner for \(assignment.id)"
  }
}

extension Job {
  /// Waits again at its old place: the order key stays.
  package mutating func goBackToQueue() {
    guard case .to(let state) = self.state.transition(on: .requeue) else { return }
    self.state = state
    assignment = nil
    containerID = nil
    pool = nil
    runnerName = nil
    ranOn = nil
    assignedAt = nil
    notBefore = nil
  }
}

extension Assignment {
  /// Begins the release, once.
  package mutating func release(because cause: String, now: Date) {
    guard phase != .releasing, phase != .released else { return }
    phase = .releasing
    phaseSince = now
    releaseCause = cause
  }
}

extension Container {
  /// It has its first use yet to come, or has it now: no other job's code has run in it.
  fileprivate var isUnused: Bool { uses <= 1 }

  /// Remembers whose code is the first that it runs.
  fileprivate mutating func promise(to job: Job) {
    trustScope = nil
    isTainted = false
    note(job)
  }

  /// Remembers whose code it has run.
  package mutating func note(_ job: Job) {
    if job.isFromFork { isTainted = true }
    lastJob = LastJob(workflow: job.workflow, name: job.name, branch: job.headBranch)
    if let scope = trustScope {
      // A job of another repository got in: it belongs to nobody any more.
      if scope != job.repository.qualifiedName { isTainted = true }
    } else {
      trustScope = job.repository.qualifiedName
    }
  }
}
