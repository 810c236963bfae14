package import Foundation

/// How far an assignment has come. Each phase is committed before its effect is made, so a new process goes on from here.
package enum AssignmentPhase: String, Sendable, Codable, CaseIterable {
  /// Job and container are bound; nothing has been asked of engine or forge.
  case bound
  /// The forge registered the runner; its id is in `runnerID`.
  case registered
  /// The runner's files are in the container.
  case started
  /// The forge says that the runner works on a job.
  case running
  /// The job ended or was lost to it; runner and container are being released.
  case releasing
  case released

  package var isActive: Bool { self != .released }
}

/// The binding of one job to one container, from choice to release. A hint until the forge names the runner.
package struct Assignment: Hashable, Sendable, Codable, Identifiable {
  /// Also the name of the runner.
  package let id: AssignmentID
  /// The job it serves now: exchanged when the forge gives its runner another one.
  package var jobID: JobID
  package var containerID: ContainerID
  package var jobClass: JobClass
  package var priority: Priority
  package var phase: AssignmentPhase
  /// `runner.id` of the registration.
  package var runnerID: Int64?
  /// Which use of the container this is, from 1.
  package var use: Int
  /// Its only purpose is to fail a refused job by the started hook.
  package var isRefusal: Bool
  /// What the release does with the container.
  package var releaseCause: String?
  package var assignedAt: Date
  /// When it entered its present phase; start and release time limits count from here.
  package var phaseSince: Date
  package var releasedAt: Date?
  package var version: Int

  package init(
    id: AssignmentID, jobID: JobID, containerID: ContainerID, jobClass: JobClass, priority: Priority, use: Int, isRefusal: Bool = false,
    assignedAt: Date
  ) {
    self.id = id
    self.jobID = jobID
    self.containerID = containerID
    self.jobClass = jobClass
    self.priority = priority
    self.use = use
    self.isRefusal = isRefusal
    self.assignedAt = assignedAt
    phase = .bound
    phaseSince = assignedAt
    version = 0
  }
}

extension Assignment {
  /// Whether the forge may have a registration of this runner. Its id is stored after the registration, so without it the answer may have been
  /// lost on its way, or with a process that ended. Only a container that was never made is proof: nothing is registered before it runs.
  /// - Parameter container: nil where its row is not known.
  package func mayBeRegistered(in container: Container?) -> Bool { runnerID != nil || container?.state != .creating }
}
