package import Domain
package import Foundation
package import Logging
import Scheduling

/// The planner's shell: reads queue and fleet, asks `Planner` for a plan, commits its bindings. Serial; one turn at a time.
package struct PlanningTurn: Sendable {
  private let transactor: Transactor
  private let engines: EngineRoster
  private let settings: Settings
  private let identities: any IdentitySource
  private let logger: Logger
  /// Jobs looked at in each class and turn.
  package static let heads = 64
  /// Seconds for which an engine's answer about its host is taken for true.
  private static let hostPatience: TimeInterval = 10

  package init(
    transactor: Transactor, engines: EngineRoster, settings: Settings, identities: any IdentitySource, logger: Logger
  ) {
    self.transactor = transactor
    self.engines = engines
    self.settings = settings
    self.identities = identities
    self.logger = logger
  }

  /// What one turn hands to the next.
  package struct Memory: Sendable {
    package var cursor = 0
    /// What the engines that answer give to containers in all.
    package var hosts: [String: Resources] = [:]
    /// When they were asked last.
    package var askedAt: Date?
    package init() {}
  }

  /// One turn.
  /// - Returns: when the next turn is worth while though nothing happens.
  package func turn(_ memory: inout Memory, with engine: any PolicyEngine) async throws(StoreError) -> Date? {
    await learnHosts(&memory)
    let view = try await transactor.store.planningView(heads: Self.heads)
    let refusals = view.refusals.filter { $0.assignment == nil }
    if view.queue.isEmpty && refusals.isEmpty { return nil }
    var decisions: [JobID: Verdict<Placement>] = [:]
    let now = transactor.currentTime
    let input = PlanningInput(
      now: now, pools: settings.pools, containers: view.containers, queues: view.queue, refusals: refusals,
      assignments: view.assignments, bound: view.bound,
      limits: PlanningLimits(
        maxConcurrentJobs: settings.maximumConcurrentJobs, containerPoolSize: settings.containerPoolSize, hosts: memory.hosts),
      strategy: settings.strategy, cursor: memory.cursor
    ) { job, candidates in
      let verdict = engine.place(PolicyJob(job), candidates: candidates.map { PolicyContainer($0) }, now: now)
      decisions[job.id] = verdict
      return Affinity(verdict.value)
    }
    let plan = Planner.plan(input)
    memory.cursor = plan.cursor
    try await commit(plan, decisions)
    return plan.nextTurn
  }

  private func learnHosts(_ memory: inout Memory) async {
    let now = transactor.currentTime
    if let asked = memory.askedAt, now.timeIntervalSince(asked) < Self.hostPatience, memory.hosts.count == engines.engines.count { return }
    memory.askedAt = now
    for (name, engine) in engines.engines {
      do {
        var resources = try await engine.capacity().resources
        resources.milliCPUs *= settings.cpuOvercommitment
        memory.hosts[name] = resources
      } catch {
        memory.hosts[name] = nil
        logger.warning("an engine does not answer", metadata: ["engine": "\(name)", "error": "\(error)"])
      }
    }
  }

  private func commit(_ plan: Plan, _ decisions: [JobID: Verdict<Placement>]) async throws(StoreError) {
    let identities = identities
    let names = plan.bindings.map { _ in (assignment: identities.token(digits: 8), container: identities.token(digits: 6)) }
    try await transactor.transact(.planMade) { (unit) throws(StoreError) in
      for (binding, name) in zip(plan.bindings, names) {
        try await bind(binding, name.assignment, name.container, decisions[binding.jobID], in: &unit)
      }
      for waiting in plan.waiting {
        guard var job = try await unit.job(waiting.jobID), job.state == .queued, job.placementReason != waiting.reason else { continue }
        job.placementReason = waiting.reason
        unit.put(job)
        unit.tell(job.id, "waits: \(waiting.reason)")
      }
      for eviction in plan.evictions {
        guard var container = try await unit.container(eviction.containerID), container.assignment == nil else { continue }
        container.release(.terminate, cause: eviction.reason, at: unit.now)
        unit.put(container)
      }
    }
    for _ in plan.bindings { HubMetrics.assignment(.bound) }
  }

  /// Job, assignment and container of one binding, if all of them still are as the plan saw them.
  private func bind(
    _ binding: Plan.Binding, _ assignmentToken: String, _ containerToken: String, _ decision: Verdict<Placement>?, in unit: inout UnitOfWork
  ) async throws(StoreError) {
    guard var job = try await unit.job(binding.jobID), job.state == .queued || (binding.isRefusal && job.state == .refused),
      job.assignment == nil
    else { return }
    var container: Container
    switch binding.candidate {
    case .warm(let id):
      guard let warm = try await unit.container(id), warm.assignment == nil, warm.state == .ready || warm.state == .creating else { return }
      container = warm
    case .new(let name):
      guard let pool = settings.pools.first(where: { $0.name == name }) else { return }
      container = Container(pool: pool, token: containerToken, at: unit.now)
    }
    let assignment = Assignment.bind(
      &job, to: &container, as: binding, named: AssignmentID(rawValue: "rh-\(assignmentToken)"), at: unit.now)
    unit.put(container)
    unit.put(assignment)
    unit.put(job)
    for line in binding.explanation { unit.tell(job.id, line) }
    if let decision {
      unit.additions.decisions.append(
        DecisionRecord(kind: "affinity", decision, output: container.name, jobID: job.id, pool: container.pool, at: unit.now))
    }
  }
}
