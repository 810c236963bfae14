import Domain
import Foundation
import RunnerHub
import Scheduling

/// Triage, planner and scaling: as their shells in the product, with the same pure functions.
extension Simulator {
  /// Routing, the host's rules, priority and the place in the queue.
  mutating func arrive(_ place: Int) {
    var job = rows.jobs[place]
    let fleet = observeFleet()
    let route = policies.route(PolicyJob(job), fleet: fleet)
    note(route, of: "routing")
    job.receivedAt = date
    let ruling = RouteRule(pools: settings.pools, migration: settings.migration).ruling(on: job, wish: route, isDraining: false)
    (job.route, job.routeCause, job.routeReason) = (ruling.route, ruling.cause, ruling.reason)
    guard ruling.route == .orchestrator else {
      move(&job, on: .forward)
      rows.put(job, at: place)
      return resolve(place, .forwarded)
    }
    let jobClass = settings.jobClass(repository: job.repository, labels: job.labels)
    job.jobClass = jobClass
    if HostRules.refusal(of: job, in: settings.pools) != nil {
      move(&job, on: .refuse)
      rows.put(job, at: place)
      return resolve(place, .refused)
    }
    let priority = policies.prioritise(PolicyJob(job), fleet: fleet)
    note(priority, of: "priority")
    job.priority = priority.value
    move(&job, on: .enqueue)
    job.queuedAt = date
    job.orderKey = order.key(queuedAt: date, priority: priority.value, weight: priority.weight)
    rows.put(job, at: place)
    let disorder = (2 * draws.unit(.handOut, place) - 1) * conditions.handOutDisorder
    forge.add(place, of: jobClass, key: job.createdAt.timeIntervalSince(epoch) + disorder)
    events.ask(.patienceEnded(place), at: job.createdAt.timeIntervalSince(epoch) + Self.patience)
    // A runner whose own job went elsewhere may be there already.
    if let runner = forge.takeIdle(for: jobClass) { handOut(to: runner) }
    wake()
  }

  /// Bindings first, then the sizes of pools, as `PlannerService` takes them.
  mutating func turn() {
    turnAt = .infinity
    lastTurn = now
    var again = Double.infinity
    claims = []
    if !rows.isQueueEmpty { again = plan() }
    if now - lastScaling >= scenario.pacing.scaling - 1e-9 {
      scale()
      lastScaling = now
      again = min(again, now + Double(settings.scalingInterval.components.seconds))
    } else {
      again = min(again, lastScaling + scenario.pacing.scaling)
    }
    areStartsDue = true
    turn(at: max(again, now + scenario.pacing.planning))
  }

  /// - Returns: when a job that was put off may be planned again.
  private mutating func plan() -> Double {
    let plan = makePlan()
    cursor = plan.cursor
    claims = plan.claims
    for binding in plan.bindings { bind(binding) }
    for eviction in plan.evictions {
      guard let container = rows.container(eviction.containerID), container.assignment == nil else { continue }
      ledger.evictions += 1
      end(container, cause: eviction.reason)
    }
    return plan.nextTurn.map { $0.timeIntervalSince(epoch) } ?? .infinity
  }

  /// Apart from what follows of it: while the planner's input holds the rows, each change of one would copy all.
  private mutating func makePlan() -> Plan {
    let policies = policies
    var fallback: String?
    let date = date
    let input = PlanningInput(
      now: date, pools: settings.pools, containers: rows.containers, queues: rows.classQueues(heads: PlanningTurn.heads),
      assignments: rows.assignments, bound: rows.boundJobs,
      limits: PlanningLimits(
        maxConcurrentJobs: settings.maximumConcurrentJobs, containerPoolSize: settings.containerPoolSize, hosts: scenario.hosts),
      strategy: settings.strategy, cursor: cursor
    ) { job, candidates in
      let verdict = policies.place(PolicyJob(job), candidates: candidates.map { PolicyContainer($0) }, now: date)
      fallback = verdict.fallbackCause ?? fallback
      return Affinity(verdict.value)
    }
    let plan = Planner.plan(input)
    if let fallback { ledger.fallbacks["affinity: \(fallback)", default: 0] += 1 }
    return plan
  }

  private mutating func bind(_ binding: Plan.Binding) {
    guard let place = rows.place(of: binding.jobID) else { return }
    var job = rows.jobs[place]
    var container: Container
    switch binding.candidate {
    case .warm(let id):
      guard let warm = rows.container(id), warm.assignment == nil, warm.state == .ready || warm.state == .creating else { return }
      container = warm
    case .new(let name, let host):
      guard let pool = settings.pools.first(where: { $0.name == name }) else { return }
      container = newContainer(of: pool, on: host)
    }
    assignmentsMade += 1
    let id = AssignmentID(rawValue: "rh-\(assignmentsMade)")
    numberOfAssignment[id] = assignmentsMade
    let assignment = Assignment.bind(&job, to: &container, as: binding, named: id, at: date)
    ledger.assigned(place, at: now)
    rows.put(container)
    rows.put(assignment)
    rows.put(job, at: place)
    backlog.append(.assignment(id))
  }

  private mutating func scale() {
    let fleet = observeFleet()
    let resizings = ScalingTurn.resizings(
      settings.pools, containers: rows.containers, counts: rows.counts, fleet: fleet, limit: settings.containerPoolSize,
      hosts: scenario.hosts, claims: claims, autoscaler, policies, &history)
    for resizing in resizings {
      memory.note(resizing.plan.history, of: resizing.pool.name)
      note(resizing.verdict, of: "scaling")
      if resizing.plan.create > 0 { ledger.growths += 1 }
      for host in resizing.hosts {
        let container = newContainer(of: resizing.pool, on: host)
        rows.put(container)
        backlog.append(.container(container.id))
        ledger.madeByScaling += 1
      }
      let retired = resizing.plan.retire.compactMap { rows.container($0) }.filter { $0.assignment == nil }
      if !retired.isEmpty { ledger.shrinks += 1 }
      for container in retired {
        ledger.retiredByScaling += 1
        end(container, cause: resizing.plan.reason)
      }
    }
  }

  /// The fleet with its history, as `FleetMemory` keeps it: waits are some seconds old at most.
  private mutating func observeFleet() -> PolicyFleet {
    let now = now
    if now - lastWaits >= Self.waitsPatience {
      lastWaits = now
      begun.removeAll { now - $0.at > FleetHistory.memory }
      memory.waits = PolicyWaits(begun.map { $0.wait })
    }
    let fleet = FleetObserver.fleet(
      pools: settings.pools, counts: rows.counts, queue: rows.classQueues(heads: 1), isDraining: false, now: date, history: memory)
    memory.note(fleet.pools, at: date)
    return fleet
  }

  /// Seconds for which waits are taken as still true.
  private static let waitsPatience = 10.0

  private mutating func newContainer(of pool: Pool, on host: String) -> Container {
    containersMade += 1
    let container = Container(pool: pool, host: host, token: "\(containersMade)", at: date)
    numberOfContainer[container.id] = containersMade
    ledger.made(container, at: now)
    return container
  }

  private mutating func note<Value>(_ verdict: Verdict<Value>, of kind: String) {
    if let cause = verdict.fallbackCause { ledger.fallbacks["\(kind): \(cause)", default: 0] += 1 }
  }

  func move(_ job: inout Job, on event: JobEvent) {
    if case .to(let state) = job.state.transition(on: event) { job.state = state }
  }
}
