package import Domain
package import Foundation
package import RunnerHub
import Synchronization

/// Tells of RunnerHub from its store. Reads only.
package final class StoreStatusSource: StatusSource {
  /// The roles of a store that are read.
  package typealias Reader = Inbox & JobReader & AssignmentReader & ContainerReader & DecisionReader & PolicyArchive & AlertReader

  /// What the store does not know.
  package struct Surroundings: Sendable {
    package var startedAt: Date
    package var pools: [Pool]
    package var policies: any PolicySource
    package var plugins: @Sendable () -> [PluginStatus]
    package var state: @Sendable () -> OrchestratorState
    /// Started, and not draining.
    package var isReady: @Sendable () -> Bool
    package var health: @Sendable () async -> HealthDocument
    package var now: @Sendable () -> Date

    package init(
      startedAt: Date, pools: [Pool], policies: any PolicySource,
      plugins: @escaping @Sendable () -> [PluginStatus] = { [] }, state: @escaping @Sendable () -> OrchestratorState,
      isReady: @escaping @Sendable () -> Bool, health: @escaping @Sendable () async -> HealthDocument,
      now: @escaping @Sendable () -> Date = { Date() }
    ) {
      self.startedAt = startedAt
      self.pools = pools
      self.policies = policies
      self.plugins = plugins
      self.state = state
      self.isReady = isReady
      self.health = health
      self.now = now
    }
  }

  private let store: any Reader
  private let blobs: any BlobStore
  private let surroundings: Surroundings
  private let changes = Atomic<UInt64>(0)
  private let cache = OverviewCache(pace: .milliseconds(250))
  /// Waits of the last day are shown.
  private let waitPeriod: TimeInterval = 86_400
  /// Policy events that are shown.
  private let policyEvents = 5

  package init(store: any Reader, blobs: any BlobStore, surroundings: Surroundings) {
    self.store = store
    self.blobs = blobs
    self.surroundings = surroundings
  }

  /// Call after a commit, so that pages follow at once. Without it they follow within two seconds.
  package func noteChange() { changes.wrappingAdd(1, ordering: .relaxed) }
  package var revision: UInt64 { changes.load(ordering: .relaxed) }
  package var isReady: Bool { surroundings.isReady() }
  package func health() async -> HealthDocument { await surroundings.health() }

  /// At most a quarter of a second old; `revision` in it says of which change. All readers share one reading.
  package func overview(jobs limit: Int) async throws(StoreError) -> Overview {
    try await cache.overview(jobs: limit) { (rows) async throws(StoreError) in try await self.read(rows) }
  }

  private func read(_ limit: Int) async throws(StoreError) -> Overview {
    let revision = revision
    let now = surroundings.now()
    let live = try await store.liveContainers()
    let jobs = try await store.recentJobs(limit: limit)
    let held = live.count { $0.assignment != nil }
    let jobCounts = try await store.jobCounts()
    let deliveryCounts = try await store.deliveryCounts()
    let names = try await names()
    return Overview(
      revision: revision, state: surroundings.state(), startedAt: surroundings.startedAt, at: now,
      jobCounts: Dictionary(uniqueKeysWithValues: JobState.allCases.map { ($0.rawValue, jobCounts[$0] ?? 0) }),
      deliveryCounts: Dictionary(uniqueKeysWithValues: DeliveryStatus.allCases.map { ($0.rawValue, deliveryCounts[$0] ?? 0) }),
      jobs: jobs.map { JobRow($0, now: now) { names[$0] } }, containers: live.map { ContainerRow($0, now: now) },
      pools: surroundings.pools.map { PoolRow($0, containers: live) }, policies: surroundings.policies.status,
      policyEvents: try await store.policyEvents(limit: policyEvents), alerts: try await store.openAlerts(),
      plugins: surroundings.plugins(), decisions: try await store.decisionCount(),
      waits: WaitSummary(try await store.waits(since: now.addingTimeInterval(-waitPeriod))),
      utilisation: live.isEmpty ? 0 : Double(held) / Double(live.count))
  }

  package func jobs(limit: Int) async throws(StoreError) -> [JobRow] {
    let now = surroundings.now()
    let names = try await names()
    return try await store.recentJobs(limit: limit).map { JobRow($0, now: now) { names[$0] } }
  }

  package func job(_ id: JobID) async throws(StoreError) -> JobStory? {
    guard let job = try await store.job(id) else { return nil }
    var names: [ContainerID: String] = [:]
    if let id = job.containerID { names[id] = try await store.container(id)?.name }
    return JobStory(
      row: JobRow(job, now: surroundings.now()) { names[$0] }, job: job, decisions: try await store.decisions(ofJob: id),
      timeline: try await store.timeline(ofJob: id), assignments: try await store.assignments(ofJob: id))
  }

  package func log(of id: JobID, from offset: Int64, limit: Int) async throws(StoreError) -> Data? {
    guard let job = try await store.job(id) else { return nil }
    // A log belongs to the runner: the forge may give it another job than the one it was made for.
    guard let runner = job.assignment else { return Data() }
    return try await blobs.read(LogCollector.blobName(of: runner), from: offset, limit: limit)
  }

  package func containers(limit: Int) async throws(StoreError) -> [ContainerRow] {
    let now = surroundings.now()
    return try await store.recentContainers(limit: limit).map { ContainerRow($0, now: now) }
  }

  package func deliveries(limit: Int) async throws(StoreError) -> [DeliveryRow] {
    try await store.recentDeliveries(limit: limit).map { DeliveryRow($0) }
  }

  /// Short names of the containers that rows may name; an older one is shown by its id.
  private func names() async throws(StoreError) -> [ContainerID: String] {
    Dictionary(try await store.recentContainers(limit: 1_000).map { ($0.id, $0.name) }) { first, _ in first }
  }
}
