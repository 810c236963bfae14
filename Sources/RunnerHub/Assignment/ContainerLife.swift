package import Domain
package import Foundation
import Scheduling

extension Job {
  /// Back to the queue after a failed start, or given up when no try is left. Its place in the queue stays.
  /// - Parameter wait: seconds in which it is not planned again.
  package mutating func detach(afterFailure cause: String, isOwnFault: Bool, maximumTries: Int, wait: TimeInterval, at now: Date) {
    assignment = nil
    containerID = nil
    pool = nil
    runnerName = nil
    assignedAt = nil
    lastFailure = cause
    if !isOwnFault { tries += 1 }
    if case .to(let next) = state.transition(on: .startFailed(triesLeft: maximumTries - tries)) { state = next }
    notBefore = wait > 0 ? now.addingTimeInterval(wait) : nil
    placementReason = "start failed: \(cause)"
  }
}

extension Container {
  /// The engine says that it runs and waits; where an assignment holds it already, it is assigned at once.
  package mutating func becomeReady(at now: Date) {
    guard let ready = state.next(on: .becameReady) else { return }
    state = ready
    readyAt = now
    idleSince = now
    lastHeartbeat = now
    if assignment != nil, let assigned = state.next(on: .assign) { state = assigned }
  }

  /// Its assignment ended: back to the idle ones, or to its end. What fails its health checks is not kept.
  package mutating func release(_ event: ContainerEvent, cause: String, at now: Date) {
    assignment = nil
    if event != .terminate, health.isHealthy, let next = state.next(on: event) {
      if event == .unassigned { takeBackUse() }
      state = next
      idleSince = now
      return
    }
    if let next = state.next(on: .terminate) {
      state = next
      endReason = cause
    }
  }

  /// Nothing was put into it for its last assignment, so that did not use it; one that was never used is nobody's.
  private mutating func takeBackUse() {
    uses = max(0, uses - 1)
    if uses == 0 {
      trustScope = nil
      lastJob = nil
      isTainted = false
    }
  }
}

extension Container {
  /// Whether it may serve another job once the one that it has just done is cleaned away: one trust scope, bounded uses and age, never after
  /// a fork's job.
  package func isReusable(under rule: ReuseRule, at now: Date) -> Bool {
    guard rule.isAllowed, !isTainted, state == .busy, health.isHealthy else { return false }
    return uses < rule.maximumUses && now.timeIntervalSince(createdAt) < rule.maximumAgeSeconds
  }

  /// The forge's word that a runner in it works on a job.
  package mutating func begin(_ job: Job) {
    if let state = state.next(on: .jobStarted) { self.state = state }
    note(job)
  }
}
