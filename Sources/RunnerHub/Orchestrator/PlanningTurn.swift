package import Domain
package import Foundation
package import Logging
package import Scheduling

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
    /// Room that is kept for waiting jobs, for the scaling turn that follows.
    package var claims: [Plan.Claim] = []
    /// Which jobs' places were all left out by affinity, as the log has it.
    var rejections = Rejections()
    package init() {}
  }

  /// One turn.
  /// - Returns: when the next turn is worth while though nothing happens.
  package func turn(_ memory: inout Memory, with engine: any PolicyEngine) async throws(StoreError) -> Date? {
    await learnHosts(&memory)
    memory.claims = []
    let view = try await transactor.store.planningView(heads: Self.heads)
    let refusals = view.refusals.filter { $0.assignment == nil }
    if view.queue.isEmpty && refusals.isEmpty { return nil }
    var questions: [JobID: AffinityQuestion] = [:]
    let now = transactor.currentTime
    let input = PlanningInput(
      now: now, pools: view.marks.applied(to: settings.pools), containers: view.containers, queues: view.queue, refusals: refusals,
      assignments: view.assignments, bound: view.bound,
      limits: PlanningLimits(
        maxConcurrentJobs: settings.maximumConcurrentJobs, containerPoolSize: settings.containerPoolSize, hosts: memory.hosts,
        cordons: view.marks.cordons),
      strategy: settings.strategy, cursor: memory.cursor
    ) { job, candidates in
      let seen = PolicyJob(job)
      let containers = candidates.map { PolicyContainer($0) }
      let verdict = engine.place(seen, candidates: containers, now: now)
      questions[job.id] = AffinityQuestion(job: seen, containers: containers, verdict: verdict, waitsBecause: job.placementReason)
      return Affinity(verdict.value)
    }
    let plan = Planner.plan(input)
    memory.cursor = plan.cursor
    memory.claims = plan.claims
    var answered = plan.bindings.reduce(into: [JobID: AnsweredQuestion]()) { answered, binding in
      answered[binding.jobID] = questions[binding.jobID]?.answered(with: binding)
    }
    for waiting in memory.rejections.news(in: plan, questions, at: now) {
      answered[waiting] = questions[waiting]?.answered(with: nil)
    }
    try await commit(plan, answered, try snapshot(view, answered, now))
    return plan.nextTurn
  }

  /// What the turn's decisions were made from; nil where none fell.
  private func snapshot(
    _ view: PlanningView, _ answered: [JobID: AnsweredQuestion], _ now: Date
  ) throws(StoreError) -> DecisionInput? {
    if answered.isEmpty { return nil }
    let fleet = FleetObserver.fleet(
      pools: view.marks.applied(to: settings.pools), containers: view.containers, queue: view.queue, isDraining: false, now: now)
    var containers: [String: PolicyContainer] = [:]
    for answer in answered.values { for container in answer.containers { containers[container.key] = container } }
    let snapshot = FleetSnapshot(fleet: fleet, containers: containers.sorted { $0.key < $1.key }.map(\.value))
    return try transactor.store.input(of: .fleet(snapshot), at: now)
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

  private func commit(
    _ plan: Plan, _ answered: [JobID: AnsweredQuestion], _ snapshot: DecisionInput?
  ) async throws(StoreError) {
    let identities = identities
    let names = plan.bindings.map { _ in (assignment: identities.token(digits: 10), container: identities.token(digits: 10)) }
    try await transactor.transact(.planMade) { (unit) throws(StoreError) in
      for (binding, name) in zip(plan.bindings, names) {
        guard let container = try await bind(binding, name.assignment, name.container, in: &unit) else { continue }
        if let answer = answered[binding.jobID], let snapshot {
          try unit.record(answer.record(container: container, at: unit.now), job: answer.job, snapshot: snapshot)
        }
      }
      for waiting in plan.waiting {
        guard var job = try await unit.job(waiting.jobID), job.state == .queued, job.placementReason != waiting.reason else { continue }
        job.placementReason = waiting.reason
        unit.put(job)
        unit.tell(job.id, "waits: \(waiting.reason)")
        if let answer = answered[waiting.jobID], let snapshot {
          try unit.record(answer.record(container: nil, at: unit.now), job: answer.job, snapshot: snapshot)
        }
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
  /// - Returns: the container; nil: something has changed meanwhile.
  private func bind(
    _ binding: Plan.Binding, _ assignmentToken: String, _ containerToken: String, in unit: inout UnitOfWork
  ) async throws(StoreError) -> Container? {
    guard var job = try await unit.job(binding.jobID), job.state == .queued || (binding.isRefusal && job.state == .refused),
      job.assignment == nil
    else { return nil }
    var container: Container
    switch binding.candidate {
    case .warm(let id):
      guard let warm = try await unit.container(id), warm.assignment == nil, warm.state == .ready || warm.state == .creating else {
        return nil
      }
      container = warm
    case .new(let name, let host):
      guard let pool = settings.pools.first(where: { $0.name == name }) else { return nil }
      container = Container(pool: pool, host: host, token: containerToken, at: unit.now)
    }
    let assignment = Assignment.bind(
      &job, to: &container, as: binding, named: AssignmentID(rawValue: "rh-\(assignmentToken)"), at: unit.now)
    unit.put(container)
    unit.put(assignment)
    unit.put(job)
    for line in binding.explanation { unit.tell(job.id, line) }
    return container
  }
}
