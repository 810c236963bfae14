package import Domain
package import Foundation

/// What a store can answer with instead of a result.
package enum StoreError: Error, Sendable, CustomStringConvertible {
  /// A row was changed by somebody else since it was read. Read again, decide again.
  case conflict(String)
  /// The store cannot be used now: disk full, locked, connection lost. Try again later.
  case unavailable(String)
  /// What is stored cannot be read: a defect or damage. Not to be tried again.
  case damaged(String)

  package var description: String {
    switch self {
    case .conflict(let what): "conflict: \(what) was changed meanwhile"
    case .unavailable(let why): "store unavailable: \(why)"
    case .damaged(let why): "store damaged: \(why)"
    }
  }
}

/// Deliveries as received.
package protocol Inbox: Sendable {
  /// Stores a delivery durably: when this returns, a power cut does not lose it. Calls that come while a commit is under way share the next one.
  ///
  /// Not stored is a delivery whose GUID was stored before for the same hook (`.duplicate`), nor one whose transition was stored before under
  /// any GUID and hook (`.repeated`). The first of several at once is stored, whichever that is; deliveries without a transition differ by GUID only.
  func append(_ delivery: Delivery) async throws(StoreError) -> DeliveryReceipt
  /// Pending deliveries in the order of storing.
  func pendingDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery]
  /// The newest deliveries first, for people.
  func recentDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery]
  /// How many deliveries there are by status.
  func deliveryCounts() async throws(StoreError) -> [DeliveryStatus: Int]
}

/// Jobs by identity, state and class.
package protocol JobReader: Sendable {
  func job(_ id: JobID) async throws(StoreError) -> Job?
  /// Jobs in any of the states, oldest first.
  func jobs(in states: Set<JobState>, limit: Int) async throws(StoreError) -> [Job]
  /// Jobs in any of the states that were received before a time, oldest first, from the first after another job on: a page of them.
  func jobs(in states: Set<JobState>, receivedBefore: Date, after job: Job?, limit: Int) async throws(StoreError) -> [Job]
  /// All jobs of a run attempt of a source (nil: GitHub); ids of runs are unique within a source only.
  func jobs(ofRun runID: Int64, attempt: Int, source: String?) async throws(StoreError) -> [Job]
  /// The newest jobs first, for people.
  func recentJobs(limit: Int) async throws(StoreError) -> [Job]
  func jobCounts() async throws(StoreError) -> [JobState: Int]
  /// The queue by class, with up to `heads` queued jobs each by rising order key. Costs by classes and heads, not by waiting jobs.
  func queue(heads: Int) async throws(StoreError) -> [ClassQueue]
  /// Refused jobs that are to be failed by a runner's hook, oldest first.
  func refusedJobsForHook(limit: Int) async throws(StoreError) -> [Job]
  /// Seconds from queued to started of the jobs started since, in no order. For waits in policies and pages.
  func waits(since: Date) async throws(StoreError) -> [Double]
  /// The newest job of each repository of which a job was received since, the newest first.
  func newestJobs(byRepositorySince: Date, limit: Int) async throws(StoreError) -> [Job]
}

/// What makes two jobs the same one in different runs: where it comes from and its name, which holds its matrix.
package struct JobLineage: Hashable, Sendable {
  /// Among those of all sources: ``Repository/qualifiedName``.
  package var repository: String
  /// Empty where the forge does not name it.
  package var workflow: String
  package var name: String

  package init(repository: String, workflow: String, name: String) {
    self.repository = repository
    self.workflow = workflow
    self.name = name
  }

  package init(_ job: Job) { self.init(repository: job.repository.qualifiedName, workflow: job.workflow ?? "", name: job.name) }
}

/// An earlier run of a job that ended well.
package struct EarlierRun: Hashable, Sendable {
  package var receivedAt: Date
  /// From start to end.
  package var seconds: Double

  package init(receivedAt: Date, seconds: Double) {
    self.receivedAt = receivedAt
    self.seconds = seconds
  }
}

package protocol JobHistoryReader: Sendable {
  /// The newest successful runs of a job, wherever they ran, the newest first. Costs by the runs that are given, not by those that there are.
  func earlierRuns(of lineage: JobLineage, limit: Int) async throws(StoreError) -> [EarlierRun]
}

/// Bindings of jobs to containers.
package protocol AssignmentReader: Sendable {
  func assignment(_ id: AssignmentID) async throws(StoreError) -> Assignment?
  /// All that are not released, oldest first.
  func activeAssignments() async throws(StoreError) -> [Assignment]
  func assignments(ofJob id: JobID) async throws(StoreError) -> [Assignment]
}

/// Containers that exist or existed.
package protocol ContainerReader: Sendable {
  func container(_ id: ContainerID) async throws(StoreError) -> Container?
  /// All that are not gone, oldest first.
  func liveContainers() async throws(StoreError) -> [Container]
  /// Live ones and the latest gone ones, newest first, for people.
  func recentContainers(limit: Int) async throws(StoreError) -> [Container]
}

/// All that a turn of the planner looks at.
package struct PlanningView: Hashable, Sendable {
  package var queue: [ClassQueue]
  /// Refused jobs that are to be failed by a runner's hook.
  package var refusals: [Job]
  /// All that are not gone.
  package var containers: [Container]
  /// All that are not released.
  package var assignments: [Assignment]
  /// Jobs that are assigned or starting.
  package var bound: [Job]
  /// What an operator has said of the fleet.
  package var marks: FleetMarks

  package init(
    queue: [ClassQueue], refusals: [Job], containers: [Container], assignments: [Assignment], bound: [Job], marks: FleetMarks = FleetMarks()
  ) {
    self.queue = queue
    self.refusals = refusals
    self.containers = containers
    self.assignments = assignments
    self.bound = bound
    self.marks = marks
  }
}

package protocol PlanningReader: Sendable {
  /// What an operator has said of the fleet.
  func fleetMarks() async throws(StoreError) -> FleetMarks

  /// One snapshot. Where nothing waits, only queue and refusals, which are empty then.
  /// - Parameter heads: jobs of each class, and refused ones, at most.
  func planningView(heads: Int) async throws(StoreError) -> PlanningView
}

/// Effects that are owed to the outside.
package protocol OutboxReader: Sendable {
  /// Effects that are due, by due time.
  func dueEffects(at now: Date, limit: Int) async throws(StoreError) -> [OutboxEffect]
  /// Effects of one rank that are due and owed to one source (nil: GitHub), by due time.
  func dueEffects(_ rank: OutboxEffect.Rank, to source: String?, at now: Date, limit: Int) async throws(StoreError) -> [OutboxEffect]
  /// When the next effect is due, if any is there.
  func nextEffectTime() async throws(StoreError) -> Date?
  /// The same for one rank and source.
  func nextEffectTime(_ rank: OutboxEffect.Rank, to source: String?) async throws(StoreError) -> Date?
  func effectCount() async throws(StoreError) -> Int
}

/// What policies and the planner said, by job.
package protocol DecisionReader: Sendable {
  func decisions(ofJob id: JobID) async throws(StoreError) -> [DecisionRecord]
  /// The story of a job, oldest first.
  func timeline(ofJob id: JobID) async throws(StoreError) -> [TimelineEntry]
  func decisionCount() async throws(StoreError) -> Int
}

/// Small values that must outlive the process, such as ids of check runs.
package protocol ForgeMemory: Sendable {
  /// The value kept under a key, or nil.
  func value(forKey key: String) async throws(StoreError) -> String?
}

/// The one door for writing.
package protocol ChangeWriter: Sendable {
  /// Applies everything in one durable transaction, or nothing. Returns the rows as stored, with their new versions.
  /// - Parameter point: what the commit makes durable: for those who watch or interrupt commits, and of no concern to the rows.
  /// - Throws: `StoreError.conflict` when a row's version is not the expected one.
  @discardableResult
  func commit(_ changes: Changes, at point: CommitPoint) async throws(StoreError) -> Changes
}

/// Everything that must outlive the process.
package typealias Store = Inbox & JobReader & AssignmentReader & ContainerReader & PlanningReader & OutboxReader & DecisionReader
  & ForgeMemory & ChangeWriter & JobHistoryReader & PolicyArchive & DecisionLog & MigrationReader & ComparisonReader & AuditReader
  & AlertReader & AlertLog
