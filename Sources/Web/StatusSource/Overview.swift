package import Domain
package import Foundation
package import RunnerHub

/// How RunnerHub and its parts are. What `/health` says.
package struct HealthDocument: Codable, Hashable, Sendable {
  package enum Status: String, Codable, Sendable { case ok, degraded, failing }
  package struct Component: Codable, Hashable, Sendable {
    package var status: Status
    package var detail: String
    package init(status: Status, detail: String) {
      self.status = status
      self.detail = detail
    }
  }
  package var status: Status
  package var state: OrchestratorState
  package var components: [String: Component]

  package init(status: Status, state: OrchestratorState, components: [String: Component]) {
    self.status = status
    self.state = state
    self.components = components
  }
}

/// Everything that the status page shows. What `/api/v1/status` says.
package struct Overview: Codable, Hashable, Sendable {
  /// The last change that is in it, as counted since the start.
  package var revision: UInt64
  package var state: OrchestratorState
  package var startedAt: Date
  package var at: Date
  /// By the words of `JobState`; every state is there.
  package var jobCounts: [String: Int]
  /// By the words of `DeliveryStatus`; every status is there.
  package var deliveryCounts: [String: Int]
  /// Newest first.
  package var jobs: [JobRow]
  package var containers: [ContainerRow]
  package var pools: [PoolRow]
  package var policies: PolicyStatus
  /// What happened to bundles lately, the newest first.
  package var policyEvents: [PolicyEvent]
  package var plugins: [PluginStatus] = []
  /// Open ones, oldest first.
  package var alerts: [Alert]
  package var decisions: Int
  package var waits: WaitSummary
  /// Held containers ÷ live containers, 0…1.
  package var utilisation: Double
}

/// Waits from queued to started, in seconds.
package struct WaitSummary: Codable, Hashable, Sendable {
  package var count: Int
  package var p50Seconds: Double?
  package var p95Seconds: Double?

  /// By the nearest rank: the smallest wait that at least that share of all does not exceed.
  package init(_ waits: [Double]) {
    let sorted = waits.filter(\.isFinite).sorted()
    func rank(_ share: Double) -> Double? {
      sorted.isEmpty ? nil : sorted[max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
    }
    count = sorted.count
    p50Seconds = rank(0.5)
    p95Seconds = rank(0.95)
  }
}

/// One container for people.
package struct ContainerRow: Codable, Hashable, Sendable {
  package var id: ContainerID
  package var name: String
  package var pool: String
  package var engine: String
  package var image: String
  package var state: ContainerState
  package var isHealthy: Bool
  package var detail: String?
  package var uses: Int
  package var assignment: AssignmentID?
  /// Whether an operator keeps jobs away from it.
  package var isCordoned: Bool
  package var ageSeconds: Double

  package init(_ container: Container, now: Date) {
    id = container.id
    name = container.name
    pool = container.pool
    engine = container.engine
    image = container.image
    state = container.state
    isHealthy = container.health.isHealthy
    detail = container.endReason ?? container.health.detail
    uses = container.uses
    assignment = container.assignment
    isCordoned = container.cordonedAt != nil
    ageSeconds = max(0, now.timeIntervalSince(container.createdAt))
  }
}

/// One pool for people: its bounds, and its live containers by what they do.
package struct PoolRow: Codable, Hashable, Sendable {
  package var name: String
  package var minimum: Int
  package var maximum: Int
  package var warm: Int
  package var total: Int
  package var idle: Int
  package var busy: Int

  package init(_ pool: Pool, containers: [Container]) {
    let own = containers.filter { $0.pool == pool.name && $0.state.isLive }
    name = pool.name
    minimum = pool.minimum
    maximum = pool.maximum
    warm = pool.warm
    total = own.count
    idle = own.count { $0.state == .ready }
    busy = own.count { $0.assignment != nil }
  }
}

/// One delivery for people. Its body is not shown: it may hold what a reader of this page may not see.
package struct DeliveryRow: Codable, Hashable, Sendable {
  package var id: Int64
  package var guid: String
  package var event: String
  package var status: DeliveryStatus
  package var note: String?
  package var receivedAt: Date
  package var bytes: Int

  package init(_ stored: StoredDelivery) {
    id = stored.id
    guid = stored.delivery.guid
    event = stored.delivery.event
    status = stored.status
    note = stored.note
    receivedAt = stored.delivery.receivedAt
    bytes = stored.delivery.body.count
  }
}

/// All that is known of one job.
package struct JobStory: Codable, Hashable, Sendable {
  package var row: JobRow
  package var job: Job
  package var decisions: [DecisionRecord]
  /// Oldest first.
  package var timeline: [TimelineEntry]
  package var assignments: [Assignment]
}
