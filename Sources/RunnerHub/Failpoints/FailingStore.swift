import Domain
import Foundation

/// A store with a failpoint before and after each commit. What reads passes through.
struct FailingStore {
  private let store: any Store
  private let trap: FailpointTrap

  init(_ store: any Store, _ trap: FailpointTrap) {
    self.store = store
    self.trap = trap
  }
}

extension FailingStore: ChangeWriter {
  func commit(_ changes: Changes, at point: CommitPoint) async throws(StoreError) -> Changes {
    try await trap.around(.commit(point)) { () async throws(StoreError) in try await store.commit(changes, at: point) }
  }
}

extension FailingStore: Inbox {
  func append(_ delivery: Delivery) async throws(StoreError) -> DeliveryReceipt {
    try await trap.around(.commit(.deliveryStored)) { () async throws(StoreError) in try await store.append(delivery) }
  }
  func pendingDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] { try await store.pendingDeliveries(limit: limit) }
  func recentDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] { try await store.recentDeliveries(limit: limit) }
  func deliveryCounts() async throws(StoreError) -> [DeliveryStatus: Int] { try await store.deliveryCounts() }
}

extension FailingStore: JobReader {
  func job(_ id: JobID) async throws(StoreError) -> Job? { try await store.job(id) }
  func jobs(in states: Set<JobState>, limit: Int) async throws(StoreError) -> [Job] { try await store.jobs(in: states, limit: limit) }
  func jobs(in states: Set<JobState>, receivedBefore: Date, after job: Job?, limit: Int) async throws(StoreError) -> [Job] {
    try await store.jobs(in: states, receivedBefore: receivedBefore, after: job, limit: limit)
  }
  func jobs(ofRun runID: Int64, attempt: Int, source: String?) async throws(StoreError) -> [Job] {
    try await store.jobs(ofRun: runID, attempt: attempt, source: source)
  }
  func recentJobs(limit: Int) async throws(StoreError) -> [Job] { try await store.recentJobs(limit: limit) }
  func jobCounts() async throws(StoreError) -> [JobState: Int] { try await store.jobCounts() }
  func queue(heads: Int) async throws(StoreError) -> [ClassQueue] { try await store.queue(heads: heads) }
  func refusedJobsForHook(limit: Int) async throws(StoreError) -> [Job] { try await store.refusedJobsForHook(limit: limit) }
  func newestJobs(byRepositorySince since: Date, limit: Int) async throws(StoreError) -> [Job] {
    try await store.newestJobs(byRepositorySince: since, limit: limit)
  }
  func waits(since: Date) async throws(StoreError) -> [Double] { try await store.waits(since: since) }
}

extension FailingStore: JobHistoryReader {
  func earlierRuns(of lineage: JobLineage, limit: Int) async throws(StoreError) -> [EarlierRun] {
    try await store.earlierRuns(of: lineage, limit: limit)
  }
}

extension FailingStore: AssignmentReader {
  func assignment(_ id: AssignmentID) async throws(StoreError) -> Assignment? { try await store.assignment(id) }
  func activeAssignments() async throws(StoreError) -> [Assignment] { try await store.activeAssignments() }
  func assignments(ofJob id: JobID) async throws(StoreError) -> [Assignment] { try await store.assignments(ofJob: id) }
}

extension FailingStore: ContainerReader {
  func container(_ id: ContainerID) async throws(StoreError) -> Container? { try await store.container(id) }
  func liveContainers() async throws(StoreError) -> [Container] { try await store.liveContainers() }
  func recentContainers(limit: Int) async throws(StoreError) -> [Container] { try await store.recentContainers(limit: limit) }
}

extension FailingStore: PlanningReader {
  func fleetMarks() async throws(StoreError) -> FleetMarks { try await store.fleetMarks() }
  func planningView(heads: Int) async throws(StoreError) -> PlanningView { try await store.planningView(heads: heads) }
}

extension FailingStore: OutboxReader {
  func dueEffects(at now: Date, limit: Int) async throws(StoreError) -> [OutboxEffect] { try await store.dueEffects(at: now, limit: limit) }
  func dueEffects(
    _ rank: OutboxEffect.Rank, to source: String?, at now: Date, limit: Int
  ) async throws(StoreError) -> [OutboxEffect] {
    try await store.dueEffects(rank, to: source, at: now, limit: limit)
  }
  func nextEffectTime(_ rank: OutboxEffect.Rank, to source: String?) async throws(StoreError) -> Date? {
    try await store.nextEffectTime(rank, to: source)
  }
  func nextEffectTime() async throws(StoreError) -> Date? { try await store.nextEffectTime() }
  func effectCount() async throws(StoreError) -> Int { try await store.effectCount() }
}

extension FailingStore: DecisionReader {
  func decisions(ofJob id: JobID) async throws(StoreError) -> [DecisionRecord] { try await store.decisions(ofJob: id) }
  func timeline(ofJob id: JobID) async throws(StoreError) -> [TimelineEntry] { try await store.timeline(ofJob: id) }
  func decisionCount() async throws(StoreError) -> Int { try await store.decisionCount() }
}

extension FailingStore: DecisionLog {
  func decisions(since: Date, after id: Int64, limit: Int) async throws(StoreError) -> [(id: Int64, record: DecisionRecord)] {
    try await store.decisions(since: since, after: id, limit: limit)
  }
  func decisionInput(_ digest: String) async throws(StoreError) -> DecisionInput? { try await store.decisionInput(digest) }
  func input(of content: DecisionInput.Content, at now: Date) throws(StoreError) -> DecisionInput {
    try store.input(of: content, at: now)
  }
  func forgetDecisions(before time: Date, keeping: Int, limit: Int) async throws(StoreError) -> ForgottenDecisions {
    try await trap.around(.commit(.decisionsForgotten)) { () async throws(StoreError) in
      try await store.forgetDecisions(before: time, keeping: keeping, limit: limit)
    }
  }
}

extension FailingStore: MigrationReader {
  func migrationRows(by grouping: MigrationGrouping, since: Date, limit: Int) async throws(StoreError) -> [MigrationRow] {
    try await store.migrationRows(by: grouping, since: since, limit: limit)
  }
  func traditionalWork(since: Date, limit: Int) async throws(StoreError) -> [TraditionalWork] {
    try await store.traditionalWork(since: since, limit: limit)
  }
  func workflowDemands(since: Date, limit: Int) async throws(StoreError) -> [WorkflowDemand] {
    try await store.workflowDemands(since: since, limit: limit)
  }
}

extension FailingStore: ComparisonReader {
  func comparisons(since: Date) async throws(StoreError) -> [ComparisonCount] { try await store.comparisons(since: since) }
  func differences(
    since: Date, kind: String?, after id: Int64, limit: Int
  ) async throws(StoreError) -> [(id: Int64, record: DecisionRecord)] {
    try await store.differences(since: since, kind: kind, after: id, limit: limit)
  }
}

extension FailingStore: AuditReader {
  func auditEvents(limit: Int) async throws(StoreError) -> [AuditEvent] { try await store.auditEvents(limit: limit) }
}

extension FailingStore: PolicyArchive {
  func bundle(_ digest: String) async throws(StoreError) -> StoredBundle? { try await store.bundle(digest) }
  func policyEvents(limit: Int) async throws(StoreError) -> [PolicyEvent] { try await store.policyEvents(limit: limit) }
  func policyEvent(actingIn slot: PolicySlot) async throws(StoreError) -> PolicyEvent? { try await store.policyEvent(actingIn: slot) }
}

extension FailingStore: AlertReader {
  func openAlerts() async throws(StoreError) -> [Alert] { try await store.openAlerts() }
  func recentAlerts(limit: Int) async throws(StoreError) -> [Alert] { try await store.recentAlerts(limit: limit) }
  func notifications(ofAlert id: String) async throws(StoreError) -> [AlertNotification] { try await store.notifications(ofAlert: id) }
  func pendingNotifications(limit: Int) async throws(StoreError) -> [(notification: AlertNotification, alert: Alert)] {
    try await store.pendingNotifications(limit: limit)
  }
}

extension FailingStore: AlertLog {
  func forgetAlerts(endedBefore time: Date, limit: Int) async throws(StoreError) -> Int {
    try await trap.around(.commit(.alertsForgotten)) { () async throws(StoreError) in
      try await store.forgetAlerts(endedBefore: time, limit: limit)
    }
  }
}

extension FailingStore: ForgeMemory {
  func value(forKey key: String) async throws(StoreError) -> String? { try await store.value(forKey: key) }
}

/// A blob store with a failpoint before and after each append.
struct FailingBlobStore: BlobStore {
  private let blobs: any BlobStore
  private let trap: FailpointTrap

  init(_ blobs: any BlobStore, _ trap: FailpointTrap) {
    self.blobs = blobs
    self.trap = trap
  }

  func append(_ data: Data, to name: String, at offset: Int64) async throws(StoreError) {
    try await trap.around(.call(.appendLog)) { () async throws(StoreError) in try await blobs.append(data, to: name, at: offset) }
  }
  func size(of name: String) async throws(StoreError) -> Int64 { try await blobs.size(of: name) }
  func read(_ name: String, from offset: Int64, limit: Int) async throws(StoreError) -> Data {
    try await blobs.read(name, from: offset, limit: limit)
  }
  // Housekeeping: no step waits for it, and each is whole or not done.
  func compress(_ name: String) async throws(StoreError) { try await blobs.compress(name) }
  func remove(_ name: String) async throws(StoreError) { try await blobs.remove(name) }
  func list(_ folder: String) async throws(StoreError) -> [BlobEntry] { try await blobs.list(folder) }
}
