import Domain
import Foundation
import RunnerHub
import Scheduling

/// From an assignment to a runner that works: what the engine and GitHub do with it.
extension Simulator {
  /// Starts what waits and has a place.
  mutating func start() {
    areStartsDue = false
    var waiting: [StartItem] = []
    for (index, item) in backlog.enumerated() {
      guard places.isFree(for: .init(maker: nil)) else {
        waiting += backlog[index...]
        break
      }
      guard let place = startPlace(of: item) else { continue }
      guard places.take(place) else {
        waiting.append(item)
        continue
      }
      placesHeld[item] = place
      begin(item)
    }
    backlog = waiting
  }

  /// nil: nothing is owed to it any more, or somebody else is at it.
  private func startPlace(of item: StartItem) -> StartPlaces.Start? {
    switch item {
    case .assignment(let id):
      guard let assignment = rows.assignment(id), assignment.phase == .bound, let container = rows.container(assignment.containerID) else {
        return nil
      }
      // Its container is on its way already: it goes on when that is there.
      if underWay.contains(container.id) { return nil }
      return .init(maker: container.state == .creating ? container.engine : nil)
    case .container(let id):
      guard let container = rows.container(id), container.state == .creating, !underWay.contains(id) else { return nil }
      return .init(maker: container.engine)
    }
  }

  private mutating func begin(_ item: StartItem) {
    switch item {
    case .container(let id): make(id)
    case .assignment(let id):
      guard let assignment = rows.assignment(id), let container = rows.container(assignment.containerID) else { return giveBack(item) }
      if container.state == .creating { make(container.id) } else { askToRegister(id) }
    }
  }

  mutating func giveBack(_ item: StartItem) {
    guard let place = placesHeld.removeValue(forKey: item) else { return }
    places.giveBack(place)
    areStartsDue = true
  }

  // MARK: - Container

  private mutating func make(_ id: ContainerID) {
    underWay.insert(id)
    let number = numberOfContainer[id] ?? 0
    let failed = draws.happens(conditions.containerFailure, .containerFailure, number)
    events.ask(.containerMade(id, failed: failed), at: now + draws.sample(conditions.containerStart, .containerStart, number))
  }

  mutating func containerMade(_ id: ContainerID, failed: Bool) {
    underWay.remove(id)
    defer { giveBack(.container(id)) }
    guard var container = rows.container(id), container.state == .creating else { return }
    let assignment = container.assignment
    if failed {
      ledger.containerFailures += 1
      if let assignment { return fail(assignment, cause: "the engine did not make its container") }
      return end(container, cause: "could not be made")
    }
    container.becomeReady(at: date)
    rows.put(container)
    if let assignment { askToRegister(assignment) }
    wake()
  }

  /// Ends a container that no assignment holds any more.
  mutating func end(_ container: Container, cause: String) {
    var container = container
    container.release(.terminate, cause: cause, at: date)
    rows.put(container)
    // One that is being made is removed when the engine is done with it.
    let delay = draws.sample(conditions.removal, .removal, numberOfContainer[container.id] ?? 0)
    events.ask(.containerGone(container.id), at: now + delay)
  }

  mutating func containerGone(_ id: ContainerID) {
    guard var container = rows.container(id), let state = container.state.next(on: .vanished) else { return }
    container.state = state
    rows.put(container)
    ledger.gone(id, at: now)
    numberOfContainer[id] = nil
    wake()
  }

  // MARK: - Registration

  private mutating func askToRegister(_ id: AssignmentID) {
    let moment = gate.next(now)
    if moment > now {
      ledger.delayedRegistrations += 1
      ledger.longestDelay = max(ledger.longestDelay, moment - now)
      // GitHub has named the time: the place is free for others until then.
      giveBack(.assignment(id))
      return events.ask(.mayRegister(id), at: moment)
    }
    register(id)
  }

  mutating func register(_ id: AssignmentID) {
    guard let assignment = rows.assignment(id), assignment.phase == .bound else { return giveBack(.assignment(id)) }
    events.ask(.registered(id), at: now + draws.sample(conditions.registration, .registration, numberOfAssignment[id] ?? 0))
  }

  mutating func registered(_ id: AssignmentID) {
    defer { giveBack(.assignment(id)) }
    guard var assignment = rows.assignment(id), assignment.phase == .bound, let place = rows.place(of: assignment.jobID) else { return }
    let number = numberOfAssignment[id] ?? 0
    assignment.runnerID = Int64(number)
    assignment.phase = .started
    assignment.phaseSince = date
    rows.put(assignment)
    var job = rows.jobs[place]
    if job.assignment == id {
      move(&job, on: .start)
      rows.put(job, at: place)
    }
    let vanished = draws.happens(conditions.runnerLoss, .runnerLoss, number)
    events.ask(.connected(id, vanished: vanished), at: now + draws.sample(conditions.connection, .connection, number))
    events.ask(.startLimit(id), at: now + settings.startTimeLimit)
    wake()
  }

  mutating func connected(_ id: AssignmentID, vanished: Bool) {
    guard let assignment = rows.assignment(id), assignment.phase == .started else { return }
    if vanished {
      ledger.runnerLosses += 1
      return fail(id, cause: "its runner vanished")
    }
    handOut(to: id)
  }

  /// A started runner that got no job goes; its own job, where it still has one, waits again.
  mutating func startLimit(_ id: AssignmentID) {
    guard let assignment = rows.assignment(id), assignment.phase == .started else { return }
    ledger.expiredStarts += 1
    fail(id, cause: "its runner got no job within \(settings.startTimeLimit) s", isOwnFault: true)
  }

  /// A start that came to nothing: job, assignment and container, as `RunnerStart.fail` leaves them.
  mutating func fail(_ id: AssignmentID, cause: String, isOwnFault: Bool = false) {
    guard var assignment = rows.assignment(id), assignment.phase != .running, assignment.phase != .releasing else { return }
    forge.forget(id)
    giveBack(.assignment(id))
    assignment.phase = .released
    assignment.releasedAt = date
    assignment.releaseCause = cause
    rows.put(assignment)
    if let place = rows.place(of: assignment.jobID), rows.jobs[place].assignment == id {
      var job = rows.jobs[place]
      let random = draws.unit(.retry, place, job.tries)
      let wait = isOwnFault ? 0 : retry.delay(afterFailures: job.tries + 1, random: random)
      job.detach(afterFailure: cause, isOwnFault: isOwnFault, maximumTries: settings.maximumTries, wait: wait, at: date)
      rows.put(job, at: place)
      if job.state == .failed {
        // It stays queued at GitHub, where a later runner of its class may still get it; here it counts as given up.
        forge.remove(place)
        resolve(place, .givenUp)
      }
    }
    if let container = rows.container(assignment.containerID) {
      memory.noteStartFailure(in: container.pool, at: date)
      end(container, cause: cause)
    }
    wake()
  }
}
