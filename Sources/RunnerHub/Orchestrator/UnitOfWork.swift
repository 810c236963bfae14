package import Domain
package import Foundation

/// Rows read for one step and what the step makes of them. Commits as a whole, or meets a conflict and is done again from the start.
package struct UnitOfWork: Sendable {
  private let store: any Store
  private let inputs: JobInputs
  private var recordedInputs: Set<String> = []
  private var jobs: [JobID: Job] = [:]
  private var assignments: [AssignmentID: Assignment] = [:]
  private var containers: [ContainerID: Container] = [:]
  private var changedJobs: Set<JobID> = []
  private var changedAssignments: Set<AssignmentID> = []
  private var changedContainers: Set<ContainerID> = []
  private var formerJobs: [JobID: JobState] = [:]
  private var formerContainers: [ContainerID: ContainerState] = [:]
  /// What has no row of its own to read first: effects, decisions, outcomes. Rows are added by `put`.
  package var additions = Changes()
  package let now: Date
  private(set) var counts: [@Sendable () -> Void] = []

  package init(store: any Store, inputs: JobInputs, now: Date) {
    self.store = store
    self.inputs = inputs
    self.now = now
  }

  /// The job as this step sees it: its own change, else the stored row.
  package mutating func job(_ id: JobID) async throws(StoreError) -> Job? {
    if let job = jobs[id] { return job }
    let stored = try await store.job(id)
    jobs[id] = stored
    formerJobs[id] = stored?.state
    return stored
  }

  package mutating func assignment(_ id: AssignmentID) async throws(StoreError) -> Assignment? {
    if let assignment = assignments[id] { return assignment }
    let stored = try await store.assignment(id)
    assignments[id] = stored
    return stored
  }

  package mutating func container(_ id: ContainerID) async throws(StoreError) -> Container? {
    if let container = containers[id] { return container }
    let stored = try await store.container(id)
    containers[id] = stored
    formerContainers[id] = stored?.state
    return stored
  }

  /// What was decided of a job in earlier steps.
  package func recordedDecisions(of id: JobID) async throws(StoreError) -> [DecisionRecord] { try await store.decisions(ofJob: id) }

  package mutating func put(_ job: Job) {
    if jobs[job.id] == job, job.version > 0 { return }
    jobs[job.id] = job
    changedJobs.insert(job.id)
  }

  package mutating func put(_ assignment: Assignment) {
    if assignments[assignment.id] == assignment, assignment.version > 0 { return }
    assignments[assignment.id] = assignment
    changedAssignments.insert(assignment.id)
  }

  package mutating func put(_ container: Container) {
    if containers[container.id] == container, container.version > 0 { return }
    containers[container.id] = container
    changedContainers.insert(container.id)
  }

  /// Adds a line to a job's story.
  package mutating func tell(_ id: JobID, _ text: String) {
    additions.timeline.append(TimelineEntry(jobID: id, at: now, text: text))
  }

  /// Adds a decision to the log, and what it was made from where that is not there yet.
  /// - Parameters:
  ///   - job: as the policy saw it; nil where the decision is on no job.
  ///   - snapshot: of the fleet as the policy saw it.
  mutating func record(_ decision: DecisionRecord, job: PolicyJob?, snapshot: DecisionInput) throws(StoreError) {
    var decision = decision
    if let job {
      let input = try inputs.input(of: job, at: now)
      decision.input = input.digest
      keep(input)
    }
    decision.snapshot = snapshot.digest
    keep(snapshot)
    additions.decisions.append(decision)
    count { [decision] in HubMetrics.policyDecision(decision) }
  }

  private mutating func keep(_ input: DecisionInput) {
    guard recordedInputs.insert(input.digest).inserted else { return }
    var input = input
    input.at = now
    additions.decisionInputs.append(input)
  }

  /// Counts something once this step is committed. It may be done again before, and must not be counted twice.
  package mutating func count(_ metric: @escaping @Sendable () -> Void) { counts.append(metric) }

  /// Moves a job along its state table, if the event applies there.
  /// - Returns: whether the state changed.
  @discardableResult
  package mutating func apply(_ event: JobEvent, to job: inout Job) -> Bool {
    guard case .to(let state) = job.state.transition(on: event) else { return false }
    job.state = state
    return true
  }

  /// Everything that this step changes.
  package var changes: Changes {
    var changes = additions
    changes.jobs += changedJobs.sorted().compactMap { jobs[$0] }
    changes.assignments += changedAssignments.sorted().compactMap { assignments[$0] }
    changes.containers += changedContainers.sorted().compactMap { containers[$0] }
    if changes.isEmpty { return changes }
    changes.formerJobs = formerJobs
    changes.formerContainers = formerContainers
    return changes
  }
}

extension UnitOfWork {
  /// Tells the story of an assignment's job what went wrong in its container, once.
  mutating func note(_ cause: String, on id: AssignmentID) async throws(StoreError) {
    guard let assignment = try await assignment(id), assignment.phase.isActive, var job = try await job(assignment.jobID),
      job.lastFailure != cause
    else { return }
    job.lastFailure = cause
    put(job)
    tell(job.id, cause)
  }
}

extension Container {
  /// GitHub shows a job whose process the kernel ended as failed or lost, without a reason.
  var wantOfMemory: String { "a process in container \(name) was ended for want of memory (limit \(resources.memory))" }
}

/// Runs steps against the store: read, decide, commit, and again from the start where somebody else was faster.
package struct Transactor: Sendable {
  package let store: any Store
  package let signals: Signals
  private let inputs: JobInputs
  private let now: @Sendable () -> Date

  package init(store: any Store, signals: Signals, now: @escaping @Sendable () -> Date = { Date() }) {
    self.store = store
    self.signals = signals
    self.now = now
    inputs = JobInputs(log: store)
  }

  package var currentTime: Date { now() }

  /// - Parameters:
  ///   - point: what the commit makes durable.
  ///   - step: reads and changes rows through the unit of work; it may be called again, so it has no other effect.
  /// - Throws: `StoreError`; a conflict only when it was met ten times in a row.
  @discardableResult
  package func transact<Result: Sendable>(
    _ point: CommitPoint, _ step: (inout UnitOfWork) async throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    var conflicts = 0
    while true {
      var unit = UnitOfWork(store: store, inputs: inputs, now: now())
      let result = try await step(&unit)
      let changes = unit.changes
      if changes.isEmpty { return result }
      do {
        try await store.commit(changes, at: point)
        for count in unit.counts { count() }
        signals.changed(by: changes)
        return result
      } catch .conflict(let what) {
        conflicts += 1
        if conflicts == 10 { throw .conflict(what) }
      }
    }
  }
}
