package import Domain
package import Foundation
package import Scheduling

extension Assignment {
  /// Gives a job the place that a plan found for it. Pure: job and container are changed, and all three are to be committed as one.
  /// - Parameter container: the warm one that the plan chose, or a new row of its pool.
  package static func bind(
    _ job: inout Job, to container: inout Container, as binding: Plan.Binding, named id: AssignmentID, at now: Date
  ) -> Assignment {
    container.uses += 1
    let assignment = Assignment(
      id: id, jobID: job.id, containerID: container.id, jobClass: binding.jobClass, priority: job.priority, use: container.uses,
      isRefusal: binding.isRefusal, assignedAt: now)
    container.assignment = assignment.id
    container.idleSince = nil
    // A container that is still being made stays CREATING; it is assigned as soon as the engine has it.
    if container.state == .ready, let assigned = container.state.next(on: .assign) { container.state = assigned }
    container.note(job)
    job.assignment = assignment.id
    job.containerID = container.id
    job.pool = container.pool
    job.assignedAt = now
    job.notBefore = nil
    job.placementReason = binding.reason
    if !binding.isRefusal, case .to(let state) = job.state.transition(on: .assign) { job.state = state }
    return assignment
  }
}

extension Container {
  /// A new container of a pool, to be made on one of its hosts.
  package init(pool: Pool, host: String, token: String, at now: Date) {
    self.init(
      id: ContainerID(rawValue: "rh-\(pool.name)-\(token)"), name: "\(pool.name)-\(token)", pool: pool.name, engine: host,
      image: pool.image, resources: pool.resources, labels: pool.labels, createdAt: now)
  }
}

extension PolicyContainer {
  /// A place as policies see it.
  package init(_ candidate: Candidate) {
    let id: String
    if case .warm(let container) = candidate.id { id = container.rawValue } else { id = "" }
    self.init(
      id: id, name: candidate.name, pool: candidate.pool, engine: candidate.engine, image: candidate.image, isNew: candidate.isNew,
      isStarting: candidate.readiness == .creating, labels: candidate.labels, resources: candidate.resources, uses: candidate.uses,
      repository: candidate.repository, lastJob: candidate.lastJob, failedChecks: candidate.failedChecks, createdAt: candidate.createdAt,
      idleSince: candidate.idleSince)
  }
}

extension Affinity {
  /// What a policy said, as the planner takes it.
  package init(_ placement: Placement) {
    self.init(scores: placement.candidates.map { Score(points: $0.score, reason: $0.reason) }, strategy: placement.strategy)
  }
}
