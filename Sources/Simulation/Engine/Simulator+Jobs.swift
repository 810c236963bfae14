import Domain
import Foundation
import RunnerHub
import Scheduling

/// From GitHub's choice of a job for a runner to the end of both.
extension Simulator {
  /// GitHub gives a listening runner the oldest job that its labels allow, whatever job it was made for.
  mutating func handOut(to id: AssignmentID) {
    guard let assignment = rows.assignment(id), assignment.phase == .started else { return }
    guard let place = forge.handOut(to: assignment.jobClass) else { return forge.wait(id, of: assignment.jobClass) }
    begin(place, on: assignment)
    let number = numberOfAssignment[id] ?? 0
    let duration = trace.jobs[place].duration
    if draws.happens(conditions.jobLoss, .jobLoss, place) {
      let lived = duration * draws.unit(.momentOfLoss, number)
      events.ask(.jobEnded(place, id, lost: true), at: now + lived + conditions.lockTime)
    } else {
      events.ask(.jobEnded(place, id, lost: false), at: now + duration)
    }
    wake()
  }

  /// As the product takes GitHub's `in_progress`: where the runner was made for another job, the two assignments are exchanged.
  private mutating func begin(_ place: Int, on assignment: Assignment) {
    var job = rows.jobs[place]
    let isReuse = assignment.use > 1
    let own = job.assignment.flatMap { $0 == assignment.id ? nil : rows.assignment($0) }
    let planned = rows.place(of: assignment.jobID)
    let exchange = Exchange.runner(
      of: side(of: assignment), madeFor: planned.map { rows.jobs[$0] }, wentTo: job, whichHad: own.map(side), now: date)
    if let exchange {
      ledger.exchanges += 1
      for changed in exchange.jobs { if let changedPlace = rows.place(of: changed.id) { rows.put(changed, at: changedPlace) } }
      for changed in exchange.assignments { rows.put(changed) }
      for changed in exchange.containers { rows.put(changed) }
      for changed in exchange.assignments where changed.phase == .releasing { releaseUnused(changed) }
    } else {
      var assignment = assignment
      assignment.phase = .running
      assignment.phaseSince = date
      move(&job, on: .inProgress(ours: true))
      job.startedAt = date
      rows.put(job, at: place)
      rows.put(assignment)
      if var container = rows.container(assignment.containerID) {
        container.begin(job)
        rows.put(container)
      }
    }
    ledger.began(place, at: now, isReuse: isReuse)
    if let queuedAt = rows.jobs[place].queuedAt { begun.append((at: now, wait: date.timeIntervalSince(queuedAt))) }
    ledger.assigned(place, at: now)
  }

  private func side(of assignment: Assignment) -> Exchange.Side {
    Exchange.Side(assignment: assignment, container: rows.container(assignment.containerID))
  }

  /// A runner whose job runs elsewhere: its registration goes first.
  private mutating func releaseUnused(_ assignment: Assignment) {
    forge.forget(assignment.id)
    let number = numberOfAssignment[assignment.id] ?? 0
    if assignment.runnerID == nil {
      finish(assignment.id, .unassigned, cause: assignment.releaseCause ?? "released")
    } else {
      events.ask(.unusedReleased(assignment.id), at: now + draws.sample(conditions.registration, .registration, number, 1))
    }
  }

  mutating func jobEnded(_ place: Int, _ id: AssignmentID, lost: Bool) {
    var job = rows.jobs[place]
    guard job.state == .running else { return }
    move(&job, on: .completedAtForge(lost ? .failure : trace.jobs[place].conclusion ?? .success))
    job.completedAt = date
    rows.put(job, at: place)
    ledger.stopped(place, at: now)
    if lost { ledger.jobLosses += 1 }
    resolve(place, lost ? .lost : .completed)
    guard var assignment = rows.assignment(id) else { return }
    assignment.release(because: Assignment.jobEnded, now: date)
    rows.put(assignment)
    let number = numberOfAssignment[id] ?? 0
    if lost {
      finish(id, .terminate, cause: "its runner was lost")
    } else {
      events.ask(.runnerEnded(id), at: now + draws.sample(conditions.runnerEnd, .runnerEnd, number))
    }
    wake()
  }

  mutating func runnerEnded(_ id: AssignmentID) {
    guard let assignment = rows.assignment(id), let container = rows.container(assignment.containerID),
      let pool = settings.pools.first(where: { $0.name == container.pool }), container.isReusable(under: pool.reuse, at: date)
    else { return finish(id, .terminate, cause: "used") }
    events.ask(.recycled(id), at: now + draws.sample(conditions.recycling, .recycling, numberOfAssignment[id] ?? 0))
  }

  /// The end of an assignment, and what becomes of its container.
  mutating func finish(_ id: AssignmentID, _ event: ContainerEvent, cause: String) {
    guard var assignment = rows.assignment(id) else { return }
    giveBack(.assignment(id))
    assignment.phase = .released
    assignment.releasedAt = date
    rows.put(assignment)
    numberOfAssignment[id] = nil
    if var container = rows.container(assignment.containerID) {
      if event == .terminate {
        end(container, cause: cause)
      } else {
        container.release(event, cause: cause, at: date)
        rows.put(container)
        if container.state == .terminating { end(container, cause: cause) }
      }
    }
    wake()
  }

  /// Seconds after which GitHub cancels a job that no runner took.
  static let patience = 86_400.0

  mutating func patienceEnded(_ place: Int) {
    var job = rows.jobs[place]
    guard job.state == .queued || job.state == .assigned || job.state == .starting else { return }
    forge.remove(place)
    let orphan = job.assignment.flatMap { rows.assignment($0) }
    move(&job, on: .completedAtForge(.cancelled))
    job.assignment = nil
    rows.put(job, at: place)
    resolve(place, .abandoned)
    if var orphan {
      orphan.release(because: "its job was cancelled", now: date)
      rows.put(orphan)
      releaseUnused(orphan)
    }
    wake()
  }
}
