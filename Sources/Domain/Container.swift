package import Foundation

/// Where a container stands. The raw values are those of the column `container_registry.status`.
package enum ContainerState: String, Sendable, Codable, CaseIterable {
  case creating = "CREATING"
  case ready = "READY"
  case assigned = "ASSIGNED"
  case busy = "BUSY"
  case draining = "DRAINING"
  case unhealthy = "UNHEALTHY"
  case terminating = "TERMINATING"
  case gone = "GONE"

  /// It exists on an engine, or may.
  package var isLive: Bool { self != .gone }

  /// It serves a job, or can.
  package var isUseful: Bool {
    switch self {
    case .creating, .ready, .assigned, .busy: true
    case .draining, .unhealthy, .terminating, .gone: false
    }
  }
}

/// What can happen to a container.
package enum ContainerEvent: Hashable, Sendable, CaseIterable {
  /// The engine says that it runs and waits.
  case becameReady
  case assign
  /// The forge says that its runner works on a job.
  case jobStarted
  /// Its assignment ended and it was cleaned for the next one.
  case recycled
  /// Its assignment was taken back before its runner began, and it is unused.
  case unassigned
  /// Take no more jobs; end when the running one has ended.
  case drain
  /// Health checks failed often enough.
  case becameUnhealthy
  /// Health checks pass again.
  case recovered
  case terminate
  /// The engine does not have it any more.
  case vanished
}

extension ContainerState {
  /// The whole table. `nil`: the event does not apply here and nothing changes.
  package func next(on event: ContainerEvent) -> ContainerState? {
    if self == .gone { return nil }
    switch event {
    case .becameReady: return self == .creating ? .ready : nil
    case .assign: return self == .ready || self == .creating ? .assigned : nil
    case .jobStarted: return self == .assigned ? .busy : nil
    case .recycled: return self == .busy ? .ready : nil
    case .unassigned: return self == .assigned ? .ready : nil
    case .drain: return self == .busy || self == .assigned || self == .ready ? .draining : nil
    case .becameUnhealthy: return self == .ready || self == .assigned || self == .busy ? .unhealthy : nil
    case .recovered: return self == .unhealthy ? .ready : nil
    case .terminate: return self == .terminating ? nil : .terminating
    case .vanished: return .gone
    }
  }
}

/// What the last health checks of a container said.
package struct HealthStatus: Hashable, Sendable, Codable {
  package var isHealthy: Bool
  /// Failed checks in a row; while the container is isolated: good checks that it still owes before it is trusted again.
  package var failures: Int
  package var detail: String?

  package init(isHealthy: Bool = true, failures: Int = 0, detail: String? = nil) {
    self.isHealthy = isHealthy
    self.failures = failures
    self.detail = detail
  }
}

/// What the last job of a container was, and so what it may have left there.
package struct LastJob: Hashable, Sendable, Codable {
  package var workflow: String?
  package var name: String
  package var branch: String?

  package init(workflow: String?, name: String, branch: String?) {
    self.workflow = workflow
    self.name = name
    self.branch = branch
  }
}

/// One runner environment on an engine.
package struct Container: Hashable, Sendable, Codable, Identifiable {
  package let id: ContainerID
  /// Short form for people: the pool and a token.
  package var name: String
  package var pool: String
  package var engine: String
  package var image: String
  package var resources: Resources
  package var labels: Labels
  package var state: ContainerState
  package var health: HealthStatus
  /// The assignment that holds it.
  package var assignment: AssignmentID?
  /// Jobs given to it so far.
  package var uses: Int
  /// The trust scope of its first job (a repository); only jobs of the same scope may follow.
  package var trustScope: String?
  /// The job that was given to it last.
  package var lastJob: LastJob?
  /// Set by a fork's job: it is never used again.
  package var isTainted: Bool
  package var createdAt: Date
  package var readyAt: Date?
  /// When it last changed between idle and held; idle time counts from here.
  package var idleSince: Date?
  package var lastHeartbeat: Date?
  /// Since when an operator keeps jobs away from it; nil: they may come.
  package var cordonedAt: Date?
  /// Why it ends, once it does.
  package var endReason: String?
  package var version: Int

  package init(
    id: ContainerID, name: String, pool: String, engine: String, image: String, resources: Resources, labels: Labels,
    state: ContainerState = .creating, createdAt: Date
  ) {
    self.id = id
    self.name = name
    self.pool = pool
    self.engine = engine
    self.image = image
    self.resources = resources
    self.labels = labels
    self.state = state
    self.createdAt = createdAt
    health = HealthStatus()
    uses = 0
    isTainted = false
    version = 0
  }
}
