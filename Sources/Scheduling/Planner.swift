import HeapModule
import Domain
import Foundation

/// Decides which job goes where, one turn at a time. Pure and deterministic; costs heads × candidates.
///
/// Between classes the order is exact: what is free goes to the class whose next job is most urgent. Within a class the forge chooses, so the
/// planner makes one registration for each demanded job, never more, and each fit for every job of the class.
package enum Planner {
  package static func plan(_ input: PlanningInput) -> Plan {
    var turn = Turn(input)
    turn.run()
    return turn.plan
  }
}

/// One line of jobs to serve in order: a class's queue, or a single refused job.
private struct Line {
  var rules: ClassRules
  var jobs: ArraySlice<Job>
  /// Registrations that may be made yet.
  var unmet: Int
  /// Seconds by which the most urgent level in the class goes ahead; every job of the class inherits it until that job has started.
  var boost: Double
  var isRefusal: Bool

  /// Urgency of its next job: smaller goes first.
  var key: Double? { jobs.first.map { min($0.key, $0.queuedSeconds - boost) } }
}

private struct Turn {
  let input: PlanningInput
  var fleet: Fleet
  var plan: Plan
  var lines: [Line]
  var activeJobs: Int

  init(_ input: PlanningInput) {
    self.input = input
    fleet = Fleet(pools: input.pools, containers: input.containers, limits: input.limits)
    plan = Plan(cursor: input.cursor)
    // By index, here and below: most assignments run, and of those the phase is enough.
    activeJobs = input.assignments.indices.count { index in
      let phase = input.assignments[index].phase
      return phase != .released && phase != .releasing
    }
    let bound = Dictionary(grouping: input.bound.filter { $0.jobClass != nil }) { $0.jobClass ?? JobClass(scope: "", labels: []) }
    let surplus = Self.surplus(input.assignments, bound: input.bound)
    lines = input.queues.map { demand in
      let held = bound[demand.jobClass] ?? []
      return Line(
        rules: ClassRules(jobClass: demand.jobClass, demand: demand, bound: held, pools: input.pools), jobs: demand.heads[...],
        unmet: max(0, demand.count - surplus[demand.jobClass, default: 0]), boost: Self.boost(demand.heads, held),
        isRefusal: false)
    }
    let demands = Dictionary(input.queues.map { ($0.jobClass, $0) }, uniquingKeysWith: { first, _ in first })
    for job in input.refusals {
      guard let jobClass = job.jobClass else {
        plan.waiting.append(.init(jobID: job.id, reason: "its class is not known", isHopeless: true))
        continue
      }
      let rules = ClassRules(jobClass: jobClass, demand: demands[jobClass], bound: bound[jobClass] ?? [], pools: input.pools)
      lines.append(Line(rules: rules, jobs: [job], unmet: 1, boost: 0, isRefusal: true))
    }
    let rules = lines.map(\.rules)
    for index in lines.indices { for other in rules { lines[index].rules.widen(by: other) } }
  }

  /// That of the most urgent of all.
  private static func boost(_ waiting: [Job], _ bound: [Job]) -> Double {
    [waiting, bound].compactMap { jobs in jobs.lazy.map(\.boost).max() }.max() ?? 0
  }

  /// Registrations that may take a queued job because the job they were made for ended or runs elsewhere, by class.
  static func surplus(_ assignments: [Assignment], bound: [Job]) -> [JobClass: Int] {
    let awaited = Set(bound.compactMap(\.assignment))
    var found: [JobClass: Int] = [:]
    for index in assignments.indices where !assignments[index].isRefusal {
      switch assignments[index].phase {
      case .bound, .registered, .started:
        if !awaited.contains(assignments[index].id) { found[assignments[index].jobClass, default: 0] += 1 }
      case .running, .releasing, .released: continue
      }
    }
    return found
  }

  mutating func run() {
    var waiting = Heap<Urgency>(lines.indices.compactMap { urgency(of: $0) })
    while let next = waiting.popMin() {
      serve(next.line)
      lines[next.line].jobs.removeFirst()
      if let again = urgency(of: next.line) { waiting.insert(again) }
    }
  }

  private func urgency(of line: Int) -> Urgency? {
    lines[line].key.map { Urgency(key: $0, name: lines[line].rules.jobClass.key, line: line) }
  }

  /// Finds a place for the first job of a line, or says why it waits.
  private mutating func serve(_ index: Int) {
    let line = lines[index]
    guard let job = line.jobs.first else { return }
    if let notBefore = job.notBefore, notBefore > input.now {
      plan.nextTurn = min(plan.nextTurn ?? notBefore, notBefore)
      let cause = job.lastFailure.map { ": \($0)" } ?? ""
      return wait(job, "tries again at \(notBefore.formatted(.iso8601))\(cause)")
    }
    guard line.unmet > 0 else { return wait(job, "a runner of its class is registered already and free for it") }
    guard activeJobs < input.limits.maxConcurrentJobs else {
      return wait(job, "limit of \(input.limits.maxConcurrentJobs) concurrent jobs")
    }
    let search = Search(job: job, line: line.rules, isRefusal: line.isRefusal, fleet: fleet, now: input.now)
    guard !search.candidates.isEmpty else { return waitForRoom(job, search) }
    let affinity = line.isRefusal ? nil : input.affinity(job, search.candidates)
    let ranked = Ranking(search.candidates, affinity)
    guard let best = ranked.best(need: search.need, strategy: input.strategy, load: fleet.load, cursor: &plan.cursor) else {
      let why = ranked.marks.first?.reason ?? "affinity named no score"
      return wait(job, "affinity left out all \(search.candidates.count) places: \(why)")
    }
    let chosen = search.candidates[best]
    fleet.take(chosen)
    activeJobs += 1
    lines[index].unmet -= 1
    plan.bindings.append(
      .init(
        jobID: job.id, jobClass: line.rules.jobClass, candidate: chosen.id, pool: chosen.pool, isRefusal: line.isRefusal,
        strategy: ranked.strategy ?? input.strategy,
        reason: line.isRefusal ? "a runner to fail the refused job" : ranked.marks[best].outcome,
        considered: ranked.considered(chosen: best), filtered: search.filtered))
  }

  private mutating func waitForRoom(_ job: Job, _ search: Search) {
    wait(job, search.waitingReason, isHopeless: search.fitting.isEmpty)
    for (pool, host) in search.fitting.flatMap({ pool in pool.hosts.map { (pool, $0) } }) {
      guard let ended = fleet.makeRoom(for: pool, on: host) else { continue }
      plan.claims.append(.init(pool: pool.name, engine: host, resources: pool.resources))
      for container in ended {
        plan.evictions.append(.init(containerID: container.id, reason: "makes room for \(job.name) (\(job.id)) in pool \(pool.name)"))
      }
      return
    }
  }

  private mutating func wait(_ job: Job, _ reason: String, isHopeless: Bool = false) {
    plan.waiting.append(.init(jobID: job.id, reason: reason, isHopeless: isHopeless))
  }
}

private struct Urgency: Comparable {
  var key: Double
  var name: String
  var line: Int
  static func < (a: Urgency, b: Urgency) -> Bool { (a.key, a.name, a.line) < (b.key, b.name, b.line) }
}

extension Job {
  /// When it was queued, in seconds since 1970.
  fileprivate var queuedSeconds: Double { (queuedAt ?? receivedAt).timeIntervalSince1970 }
  fileprivate var key: Double { orderKey ?? queuedSeconds }
  /// Seconds by which its level puts it ahead.
  fileprivate var boost: Double { queuedSeconds - key }
}
