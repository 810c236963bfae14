import Domain
import Foundation
import RunnerHub

@testable import Web

/// A store that holds what a test gave it.
struct FixedStore: JobReader, AssignmentReader, ContainerReader, DecisionReader, PolicyArchive, AlertReader, Inbox {
  var jobs: [Job] = []
  var containers: [Container] = []
  var events: [PolicyEvent] = []
  var alerts: [Alert] = []
  var failure: StoreError?
  /// Called when waits are asked for: once an overview.
  var onWaits: @Sendable () async -> Void = {}

  private func check() throws(StoreError) { if let failure { throw failure } }

  func job(_ id: JobID) async throws(StoreError) -> Job? {
    try check()
    return jobs.first { $0.id == id }
  }
  func jobs(in states: Set<JobState>, limit: Int) async throws(StoreError) -> [Job] { jobs.filter { states.contains($0.state) } }
  func jobs(in states: Set<JobState>, receivedBefore: Date, after job: Job?, limit: Int) async throws(StoreError) -> [Job] {
    try await jobs(in: states, limit: limit).filter { $0.receivedAt < receivedBefore }
  }
  func jobs(ofRun runID: Int64, attempt: Int, source: String?) async throws(StoreError) -> [Job] { jobs.filter { $0.runID == runID } }
  func recentJobs(limit: Int) async throws(StoreError) -> [Job] {
    try check()
    return Array(jobs.prefix(limit))
  }
  func jobCounts() async throws(StoreError) -> [JobState: Int] { Dictionary(grouping: jobs, by: \.state).mapValues(\.count) }
  func queue(heads: Int) async throws(StoreError) -> [ClassQueue] { [] }
  func refusedJobsForHook(limit: Int) async throws(StoreError) -> [Job] { [] }
  func waits(since: Date) async throws(StoreError) -> [Double] {
    await onWaits()
    return [0.004, 0.033, 0.005]
  }
  func newestJobs(byRepositorySince: Date, limit: Int) async throws(StoreError) -> [Job] { [] }
  func assignment(_ id: AssignmentID) async throws(StoreError) -> Assignment? { nil }
  func activeAssignments() async throws(StoreError) -> [Assignment] { [] }
  func assignments(ofJob id: JobID) async throws(StoreError) -> [Assignment] { [] }
  func container(_ id: ContainerID) async throws(StoreError) -> Container? { containers.first { $0.id == id } }
  func liveContainers() async throws(StoreError) -> [Container] {
    try check()
    return containers.filter(\.state.isLive)
  }
  func recentContainers(limit: Int) async throws(StoreError) -> [Container] { Array(containers.prefix(limit)) }
  func decisions(ofJob id: JobID) async throws(StoreError) -> [DecisionRecord] { [] }
  func timeline(ofJob id: JobID) async throws(StoreError) -> [TimelineEntry] {
    [TimelineEntry(jobID: id, at: Date(timeIntervalSince1970: 1_800_000_000), text: "delivery stored")]
  }
  func openAlerts() async throws(StoreError) -> [Alert] { alerts.filter { $0.resolvedAt == nil } }
  func recentAlerts(limit: Int) async throws(StoreError) -> [Alert] { Array(alerts.prefix(limit)) }
  func notifications(ofAlert id: String) async throws(StoreError) -> [AlertNotification] {
    [AlertNotification(id: 1, alertID: id, moment: .raised, notifier: "slack", dueAt: Date(timeIntervalSince1970: 0), tries: 2)]
  }
  func pendingNotifications(limit: Int) async throws(StoreError) -> [(notification: AlertNotification, alert: Alert)] { [] }
  func bundle(_ digest: String) async throws(StoreError) -> StoredBundle? { nil }
  func policyEvents(limit: Int) async throws(StoreError) -> [PolicyEvent] {
    try check()
    return Array(events.prefix(limit))
  }
  func policyEvent(actingIn slot: PolicySlot) async throws(StoreError) -> PolicyEvent? {
    events.first { $0.slot == slot && $0.kind != .refused }
  }
  func decisionCount() async throws(StoreError) -> Int { 12 }
  func append(_ delivery: Delivery) async throws(StoreError) -> DeliveryReceipt { throw .unavailable("read only") }
  func pendingDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] { [] }
  func recentDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] {
    let delivery = Delivery(
      guid: "g", hookID: "1", event: "workflow_job", body: Data("{}".utf8), receivedAt: Date(timeIntervalSince1970: 0))
    return [StoredDelivery(id: 1, delivery: delivery, status: .processed)]
  }
  func deliveryCounts() async throws(StoreError) -> [DeliveryStatus: Int] { [.processed: 3] }
}

/// A blob store with one log of ten bytes for every name.
struct FixedBlobs: BlobStore {
  func append(_ data: Data, to name: String, at offset: Int64) async throws(StoreError) { throw .unavailable("read only") }
  func size(of name: String) async throws(StoreError) -> Int64 { 10 }
  func compress(_ name: String) async throws(StoreError) { throw .unavailable("read only") }
  func remove(_ name: String) async throws(StoreError) { throw .unavailable("read only") }
  func list(_ folder: String) async throws(StoreError) -> [BlobEntry] { [] }
  func read(_ name: String, from offset: Int64, limit: Int) async throws(StoreError) -> Data {
    Data(Data("0123456789".utf8).dropFirst(Int(clamping: offset)).prefix(limit))
  }
}

/// Policies that are only looked at.
struct FixedPolicies: PolicySource {
  let activeBundle = "7c1f9e000000"
  var status: PolicyStatus { PolicyStatus(bundle: activeBundle, refusal: "priority.lua:14: <b>unknown field</b>") }
  func makeEngine() -> any PolicyEngine { Engine() }

  private final class Engine: PolicyEngine {
    func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> { Verdict(.orchestrator, reason: "fixed") }
    func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> { Verdict(.normal, reason: "fixed") }
    func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
      Verdict(Placement(candidates: [], strategy: nil), reason: "fixed")
    }
    func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> { Verdict(0, reason: "fixed") }
  }
}

/// Jobs and containers as texts of tests describe them.
enum Sample {
  static let now = Date(timeIntervalSince1970: 1_800_000_000)

  static func job(_ name: String = "build", state: JobState = .queued, id: Int64 = 1, _ change: (inout Job) -> Void = { _ in }) -> Job {
    let repository = Repository(id: 9, fullName: "acme/storefront", isPrivate: true, defaultBranch: "main")
    var job = Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: 5, runAttempt: 1, repository: repository, name: name, labels: ["self-hosted"],
      headSHA: "f83a356", state: state, createdAt: now, receivedAt: now)
    job.route = .orchestrator
    change(&job)
    return job
  }

  static func container(_ name: String, state: ContainerState = .ready, assignment: AssignmentID? = nil) -> Container {
    var container = Container(
      id: ContainerID(rawValue: "rh-demo-\(name)"), name: name, pool: "demo", engine: "process", image: "none",
      resources: Resources(milliCPUs: 1_000, memory: ByteCount(gibibytes: 1)), labels: ["self-hosted"], state: state,
      createdAt: now.addingTimeInterval(-60))
    container.assignment = assignment
    return container
  }

  static func source(
    _ store: FixedStore, isReady: Bool = true, health: HealthDocument.Status = .ok, state: OrchestratorState = .processing
  ) -> StoreStatusSource {
    let pool = Pool(
      name: "demo", engine: "process", image: "none", labels: ["self-hosted"],
      resources: Resources(milliCPUs: 1_000, memory: ByteCount(gibibytes: 1)), minimum: 1, maximum: 5, warm: 1)
    return StoreStatusSource(
      store: store, blobs: FixedBlobs(),
      surroundings: StoreStatusSource.Surroundings(
        startedAt: now, pools: [pool], policies: FixedPolicies(), state: { state }, isReady: { isReady },
        health: {
          HealthDocument(status: health, state: state, components: ["store": HealthDocument.Component(status: health, detail: "3 ms")])
        }, now: { now }))
  }
}
