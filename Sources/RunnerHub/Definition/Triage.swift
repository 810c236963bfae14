package import Domain
package import Foundation
package import Logging
package import Scheduling

/// Decides of every received job whether it is ours, how urgent it is, and whether it may run: definition → routing → security → priority → queue.
package struct Triage: Sendable {
  private let transactor: Transactor
  private let parser: JobParser
  private let policies: any PolicySource
  private let fleet: FleetObserver
  private let settings: Settings
  private let order: QueueOrder
  private let logger: Logger
  /// When jobs whose decision cannot be stored are tried again. In memory only: a row of it might not be stored either.
  private let putOff = Shared([JobID: Date]())
  /// What routing said last of jobs that are put off: it is logged when it changes.
  private let answers = Shared([JobID: String]())
  /// Runs looked up at once.
  private static let width = 16
  private static let batch = 256
  /// Decisions in one commit.
  private static let group = 64
  /// Seconds after which a run that could not be looked up is asked for again.
  private static let patience: TimeInterval = 5
  /// Seconds after which a job whose decision could not be stored is decided again.
  private static let repairTime: TimeInterval = 600

  /// What all decisions of a turn share.
  private struct Panel {
    var engine: any PolicyEngine
    var fleet: PolicyFleet
    var snapshot: DecisionInput
  }

  package init(
    transactor: Transactor, parser: JobParser, policies: any PolicySource, fleet: FleetObserver, settings: Settings, order: QueueOrder,
    logger: Logger
  ) {
    self.transactor = transactor
    self.parser = parser
    self.policies = policies
    self.fleet = fleet
    self.settings = settings
    self.order = order
    self.logger = logger
  }

  /// Works until cancelled. The first turn finds what an earlier process left undecided.
  package func run() async throws {
    var consumer = PolicyConsumer(source: policies)
    while !Task.isCancelled {
      do {
        let turn = try await turn(with: consumer.engine())
        if turn.decided == Self.batch { continue }
        await transactor.signals.triage.wait(until: turn.again)
      } catch {
        logger.error("triage stopped for a moment", metadata: ["error": "\(error)"])
        await transactor.signals.triage.wait(until: transactor.currentTime.addingTimeInterval(1))
      }
    }
  }

  /// Decides a batch of received jobs. The jobs of one run are looked up together and runs side by side; decisions are committed in groups.
  /// - Returns: how many jobs were looked at, and when one that was put off is due.
  @discardableResult
  package func turn(with engine: any PolicyEngine) async throws(StoreError) -> (decided: Int, again: Date?) {
    let received = try await transactor.store.jobs(in: [.received], limit: 10_000)
    let now = transactor.currentTime
    forgetPutOff(until: now)
    forgetAnswers(butOf: received)
    let jobs = Array(received.filter { dueDate(of: $0) ?? now <= now }.prefix(Self.batch))
    if !jobs.isEmpty {
      let fleet = try await fleet.fleet()
      let snapshot = try transactor.store.input(of: .fleet(FleetSnapshot(fleet: fleet)), at: now)
      let panel = Panel(engine: engine, fleet: fleet, snapshot: snapshot)
      let found = await findings(for: jobs)
      for start in stride(from: 0, to: found.count, by: Self.group) {
        try await decideGroup(found[start..<min(start + Self.group, found.count)], panel)
      }
    }
    let due = received.compactMap { dueDate(of: $0) }.filter { $0 > now }.min()
    return (jobs.count, due ?? (jobs.isEmpty ? nil : now.addingTimeInterval(Self.patience)))
  }

  /// When a job that is put off may be decided.
  private func dueDate(of job: Job) -> Date? {
    let repaired = putOff.withLock { $0[job.id] }
    guard let notBefore = job.notBefore, let repaired else { return job.notBefore ?? repaired }
    return max(notBefore, repaired)
  }

  private func forgetPutOff(until now: Date) {
    putOff.withLock { putOff in putOff = putOff.filter { $0.value > now } }
  }

  private func forgetAnswers(butOf received: [Job]) {
    if answers.withLock({ $0.isEmpty }) { return }
    let ids = Set(received.map(\.id))
    answers.withLock { answers in answers = answers.filter { ids.contains($0.key) } }
  }

  private func findings(for jobs: [Job]) async -> [(JobID, JobParser.Finding)] {
    let runs = Dictionary(grouping: jobs) { "\($0.repository.qualifiedName)/\($0.runID)/\($0.runAttempt)" }
    let parser = parser, now = transactor.currentTime
    return await withTaskGroup(of: [(JobID, JobParser.Finding)].self) { group in
      var all: [JobID: JobParser.Finding] = [:]
      for (started, run) in runs.values.enumerated() {
        if started >= Self.width { for (id, finding) in await group.next() ?? [] { all[id] = finding } }
        group.addTask { Array(zip(run.map(\.id), await parser.parse(run, at: now))) }
      }
      for await found in group { for (id, finding) in found { all[id] = finding } }
      return jobs.compactMap { job in all[job.id].map { (job.id, $0) } }
    }
  }

  private func decideGroup(
    _ found: ArraySlice<(JobID, JobParser.Finding)>, _ panel: Panel
  ) async throws(StoreError) {
    do {
      try await decide(found, panel)
    } catch .damaged(let why) {
      // One job whose decision cannot be stored must not hold the rest: find it by working one by one.
      logger.error("a group of jobs could not be decided, going one by one", metadata: ["error": "\(why)"])
      for one in found { try await decideAlone(one, panel) }
    }
  }

  private func decideAlone(
    _ found: (JobID, JobParser.Finding), _ panel: Panel
  ) async throws(StoreError) {
    do {
      try await decide([found], panel)
    } catch .damaged(let why) {
      let again = transactor.currentTime.addingTimeInterval(Self.repairTime)
      putOff.withLock { $0[found.0] = again }
      logger.error(
        "the decision on a job cannot be stored; it is put off", metadata: ["job": "\(found.0)", "until": "\(again)", "error": "\(why)"])
    }
  }

  /// A group of jobs in one commit.
  private func decide(
    _ found: ArraySlice<(JobID, JobParser.Finding)>, _ panel: Panel
  ) async throws(StoreError) {
    try await transactor.transact(.jobDecided) { (unit) throws(StoreError) in
      for (id, finding) in found { try await decide(id, finding, panel, in: &unit) }
    }
  }

  private func decide(
    _ id: JobID, _ finding: JobParser.Finding, _ panel: Panel, in unit: inout UnitOfWork
  ) async throws(StoreError) {
    guard var job = try await unit.job(id), job.state == .received else { return }
    let isNews = job.definition != finding.definition || job.estimate == nil
    job.run = finding.run
    job.definition = finding.definition
    job.estimate = finding.estimate
    if isNews { tellFinding(of: job, finding.remarks, in: &unit) }
    let seen = PolicyJob(job)
    let route = panel.engine.route(seen, fleet: panel.fleet)
    let rule = RouteRule(pools: settings.pools, migration: settings.migration)
    let ruling = rule.ruling(on: job, wish: route, isDraining: panel.fleet.isDraining)
    (job.route, job.routeCause, job.routeReason) = (ruling.route, ruling.cause, ruling.reason)
    let isPutOff = job.route == .orchestrator && mayBeFork(job)
    if isNewAnswer(route, of: id, isPutOff: isPutOff, in: &unit) {
      try unit.record(
        DecisionRecord(kind: "routing", route, output: route.value.rawValue, jobID: id, at: unit.now), job: seen, snapshot: panel.snapshot)
    }
    if isPutOff {
      // Whether it runs a stranger's code must be known; an outage of the forge puts it off and refuses nothing.
      job.notBefore = unit.now.addingTimeInterval(Self.patience)
      job.placementReason = "its run cannot be looked up, so it may come from a fork: asked again soon"
    } else if job.route == .orchestrator {
      job.notBefore = nil
      job.placementReason = nil
      try await admit(&job, seen, panel, in: &unit)
    } else {
      // It stays queued at the forge: where a pool offers its labels a runner of ours may get it, and must be fit for it.
      let mayComeBack = rule.labelMisfit(of: job) == nil
      job.jobClass = mayComeBack ? settings.jobClass(of: job) : nil
      forward(&job, in: &unit)
    }
    unit.put(job)
  }

  /// Whether the log is to hold an answer: that of a job that is decided, and of one that is put off where it is another than before.
  private func isNewAnswer(_ route: Verdict<Route>, of id: JobID, isPutOff: Bool, in unit: inout UnitOfWork) -> Bool {
    if !isPutOff { return true }
    let other = route.shadow.map { " \($0.bundle) \($0.output)" } ?? ""
    let answer = "\(route.bundle) \(route.value.rawValue) \(route.reason) \(route.fallbackCause ?? "")\(other)"
    guard answers.withLock({ $0[id] }) != answer else { return false }
    unit.count { [answers] in answers.withLock { $0[id] = answer } }
    return true
  }

  /// A public repository's job whose run is not known, where a pool that may get it takes no forks.
  private func mayBeFork(_ job: Job) -> Bool {
    // Another source has told what it knows: waiting brings no more.
    guard job.run == nil, job.source == nil, !job.repository.isPrivate else { return false }
    let labels = Labels(job.labels)
    return settings.pools.contains { $0.offers(labels, of: nil) && !$0.acceptsForks }
  }

  private func forward(_ job: inout Job, in unit: inout UnitOfWork) {
    unit.apply(.forward, to: &job)
    job.forwardedAt = unit.now
    count(job, in: &unit)
    unit.tell(job.id, "routing → traditional: \(job.routeReason ?? "")")
  }

  private func count(_ job: Job, in unit: inout UnitOfWork) {
    guard let route = job.route, let cause = job.routeCause else { return }
    unit.count { HubMetrics.jobRouted(route, cause) }
  }

  private func admit(
    _ job: inout Job, _ seen: PolicyJob, _ panel: Panel, in unit: inout UnitOfWork
  ) async throws(StoreError) {
    unit.tell(job.id, "routing → orchestrator: \(job.routeReason ?? "")")
    count(job, in: &unit)
    job.jobClass = settings.jobClass(of: job)
    if let refusal = HostRules.refusal(of: job, in: settings.pools) {
      job.refusal = refusal
      unit.apply(.refuse, to: &job)
      unit.tell(job.id, "refused: \(refusal)")
      unit.additions.effects.append(
        OutboxEffect(
          // One for each job, since each must be failed by a hook where cancelling is forbidden.
          key: "cancel/\(job.id)",
          kind: .cancelRun(jobID: job.id, repository: job.repository.fullName, runID: job.runID, source: job.source), dueAt: unit.now))
      try await unit.report(job, settings: settings)
      return
    }
    let priority = panel.engine.prioritise(seen, fleet: panel.fleet)
    try unit.record(
      DecisionRecord(kind: "priority", priority, output: priority.value.word, jobID: job.id, at: unit.now), job: seen,
      snapshot: panel.snapshot)
    job.priority = priority.value
    job.priorityReason = priority.reason
    unit.apply(.enqueue, to: &job)
    job.queuedAt = unit.now
    job.orderKey = order.key(queuedAt: unit.now, priority: priority.value, weight: priority.weight)
    unit.tell(job.id, "priority → \(priority.value.word): \(priority.reason)")
    try await unit.report(job, settings: settings)
  }

  private func tellFinding(of job: Job, _ remarks: [String], in unit: inout UnitOfWork) {
    switch job.definition {
    case .found(let found)?:
      let environment = found.environment.map { ", environment \($0)" } ?? ""
      let called = found.calledWorkflow.map { ", called \($0)" } ?? ""
      unit.tell(job.id, "definition \(found.path)\(called), job \(found.key)\(environment)\(found.isExact ? "" : " (by pattern)")")
      for advice in found.advice ?? [] { unit.tell(job.id, "advice: \(advice)") }
    case .unknown(let reason)?: unit.tell(job.id, "definition unknown: \(reason)")
    case nil: break
    }
    for remark in remarks { unit.tell(job.id, "remark: \(remark)") }
    if let estimate = job.estimate { unit.tell(job.id, "estimate \(estimate.sentence)") }
  }
}

extension Estimate {
  /// `2 CPU, 4 GiB, 6 min (CPUs, memory: label large-runner; duration: p90 of 41 earlier runs); asks for priority HIGH`.
  package var sentence: String {
    let cpus = Double(resources.milliCPUs) / 1000
    var parts = ["\(cpus == cpus.rounded() ? "\(Int(cpus))" : "\(cpus)") CPU", "\(resources.memory)"]
    if resources.gpus > 0 { parts.append("\(resources.gpus) GPU") }
    if let durationSeconds { parts.append(StatusUpdateBuilder.duration(durationSeconds)) }
    var text = "\(parts.joined(separator: ", ")) (\(sources.joined(separator: "; ")))"
    if let priorityHint { text += "; asks for priority \(priorityHint.word)" }
    if let affinityHints { text += "; asks for affinity \(affinityHints.joined(separator: ", "))" }
    return text
  }
}

extension DecisionRecord {
  /// The record of a verdict.
  package init<Value>(kind: String, _ verdict: Verdict<Value>, output: String, jobID: JobID?, pool: String? = nil, at now: Date) {
    self.init(
      kind: kind, jobID: jobID, pool: pool, output: output, reason: verdict.reason, bundle: verdict.bundle,
      fallbackCause: verdict.fallbackCause,
      microseconds: verdict.microseconds, at: now, shadow: verdict.shadow, isCanary: verdict.isCanary)
  }
}
