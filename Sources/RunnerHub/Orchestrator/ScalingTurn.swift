package import Domain
import Foundation
package import Logging
package import Scheduling

/// Keeps every pool at the size that its bounds, its warm target and the scaling policy ask for.
package struct ScalingTurn: Sendable {
  private let transactor: Transactor
  private let settings: Settings
  private let identities: any IdentitySource
  private let autoscaler: Autoscaler
  private let memory: FleetMemory
  private let logger: Logger
  /// The differences of the shadow that were logged, by pool.
  private let told = Shared([String: DifferencePace]())

  package init(
    transactor: Transactor, settings: Settings, identities: any IdentitySource, autoscaler: Autoscaler = Autoscaler(),
    memory: FleetMemory = FleetMemory(), logger: Logger
  ) {
    self.transactor = transactor
    self.settings = settings
    self.identities = identities
    self.autoscaler = autoscaler
    self.memory = memory
    self.logger = logger
  }

  /// One turn over all pools.
  /// - Parameters:
  ///   - hosts: what each engine that answers gives to containers in all; pools of others do not grow. nil: no host is a bound.
  ///   - claims: room that the planner keeps for waiting jobs.
  package func turn(
    _ history: inout [String: ScaleHistory], with engine: any PolicyEngine, hosts: [String: Resources]? = nil, claims: [Plan.Claim] = []
  ) async throws(StoreError) {
    let containers = try await transactor.store.liveContainers()
    let queue = try await transactor.store.queue(heads: 1)
    let marks = try await transactor.store.fleetMarks()
    let pools = marks.applied(to: settings.pools)
    let now = transactor.currentTime
    let counts = FleetCounts(containers)
    let fleet = FleetObserver.fleet(
      pools: pools, counts: counts, queue: queue, isDraining: false, now: now,
      history: try await memory.history(from: transactor.store, at: now))
    memory.note(fleet)
    let resizings = Self.resizings(
      pools, containers: containers, counts: counts, fleet: fleet, limit: settings.containerPoolSize, hosts: hosts,
      claims: claims, marks: marks, autoscaler, engine, &history)
    // Made for the first pool that changes: most turns change none.
    var snapshot: DecisionInput?
    for resizing in resizings {
      let (pool, plan) = (resizing.pool, resizing.plan)
      memory.note(plan.history, of: pool.name)
      if plan.isEmpty, !isNews(resizing.verdict, of: pool, at: now) { continue }
      if !plan.isEmpty { logger.info("pool \(pool.name): \(plan.reason)") }
      let seen: DecisionInput
      if let snapshot { seen = snapshot } else { seen = try transactor.store.input(of: .fleet(FleetSnapshot(fleet: fleet)), at: now) }
      snapshot = seen
      try await commit(resizing, seen)
    }
  }

  /// What one turn found for a pool.
  package struct Resizing {
    package var pool: Pool
    package var verdict: Verdict<Int>
    package var plan: ScalePlan
    /// Where each container that the plan makes goes.
    package var hosts: [String]
  }

  /// Pure: asks the policy about every pool in configured order, and plans each within its bounds, what is left of the limit over all, and what
  /// its host has left. What pools lack to their minimum is set aside first, so that no pool's warm target takes another one's minimum.
  /// - Parameters:
  ///   - counts: of these containers.
  ///   - fleet: as `FleetObserver` sees these pools and containers.
  ///   - hosts: nil: no host is a bound; one that is missing has no room.
  ///   - marks: pools and hosts that get nothing new, where what idles on those that drain is ended; and pools whose older containers are replaced.
  ///     Its sizes are those of `pools` already.
  package static func resizings(
    _ pools: [Pool], containers: [Container], counts: FleetCounts, fleet: PolicyFleet, limit: Int, hosts: [String: Resources]? = nil,
    claims: [Plan.Claim] = [], marks: FleetMarks = FleetMarks(), _ autoscaler: Autoscaler, _ engine: any PolicyEngine,
    _ history: inout [String: ScaleHistory]
  ) -> [Resizing] {
    var room = HostRoom(hosts: hosts, load: counts.load, limit: limit, claims: claims, cordons: marks.cordons)
    let censuses = autoscaler.censuses(of: pools, containers: containers, marks: marks, now: fleet.now)
    let setAside = zip(pools, censuses).map { pool, census in
      room.take(min(autoscaler.shortfall(of: pool, census), room.places(for: pool)), of: pool)
    }
    var resizings: [Resizing] = []
    for (index, (pool, facts)) in zip(pools, fleet.pools).enumerated() {
      let own = setAside[index]
      let verdict = engine.scale(facts, fleet: fleet)
      let plan = autoscaler.plan(
        pool, censuses[index], wanted: verdict.value, because: verdict.reason, room: own.count + room.places(for: pool),
        history: history[pool.name] ?? ScaleHistory(), now: fleet.now)
      history[pool.name] = plan.history
      // At least its own: a plan never stays below the minimum where there is room.
      let hosts = own + room.take(plan.create - own.count, of: pool)
      resizings.append(Resizing(pool: pool, verdict: verdict, plan: plan, hosts: Array(hosts.prefix(plan.create))))
    }
    return resizings
  }

  /// Whether the log is to hold what the shadow says of a pool that nobody changes.
  private func isNews(_ verdict: Verdict<Int>, of pool: Pool, at now: Date) -> Bool {
    guard let shadow = verdict.shadow else { return false }
    let values = shadow.differs ? "\(verdict.value) \(shadow.output)" : nil
    let bundles = "\(verdict.bundle) \(shadow.bundle)"
    return told.withLock { $0[pool.name, default: DifferencePace()].isNews(values, between: bundles, at: now) }
  }

  private func commit(_ resizing: Resizing, _ snapshot: DecisionInput) async throws(StoreError) {
    let (pool, plan, verdict) = (resizing.pool, resizing.plan, resizing.verdict)
    let places = resizing.hosts.map { (host: $0, token: identities.token(digits: 10)) }
    try await transactor.transact(.poolScaled) { (unit) throws(StoreError) in
      for place in places { unit.put(Container(pool: pool, host: place.host, token: place.token, at: unit.now)) }
      for id in plan.retire {
        guard var container = try await unit.container(id), container.assignment == nil else { continue }
        container.release(.terminate, cause: plan.reason, at: unit.now)
        unit.put(container)
      }
      try unit.record(
        DecisionRecord(kind: "scaling", verdict, output: "\(verdict.value)", jobID: nil, pool: pool.name, at: unit.now), job: nil,
        snapshot: snapshot)
    }
  }
}
