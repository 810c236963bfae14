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
  /// The last difference of the shadow by pool.
  private let told = Shared([String: String]())

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
  /// - Parameter hosts: what each engine that answers gives to containers in all.
  package func turn(
    _ history: inout [String: ScaleHistory], with engine: any PolicyEngine, hosts: [String: Resources] = [:]
  ) async throws(StoreError) {
    let containers = try await transactor.store.liveContainers()
    let queue = try await transactor.store.queue(heads: 1)
    let now = transactor.currentTime
    let fleet = FleetObserver.fleet(
      pools: settings.pools, containers: containers, queue: queue, isDraining: false, now: now,
      history: try await memory.history(from: transactor.store, at: now))
    memory.note(fleet)
    let resizings = Self.resizings(
      settings.pools, containers: containers, fleet: fleet, limit: settings.containerPoolSize, hosts: hosts, autoscaler, engine,
      &history)
    // Made for the first pool that changes: most turns change none.
    var snapshot: DecisionInput?
    for resizing in resizings {
      let (pool, plan) = (resizing.pool, resizing.plan)
      memory.note(plan.history, of: pool.name)
      if plan.isEmpty, !isNews(resizing.verdict, of: pool) { continue }
      if !plan.isEmpty { logger.info("pool \(pool.name): \(plan.reason)") }
      let seen: DecisionInput
      if let snapshot { seen = snapshot } else { seen = try transactor.store.input(of: .fleet(FleetSnapshot(fleet: fleet)), at: now) }
      snapshot = seen
      try await commit(plan, pool, resizing.verdict, seen)
    }
  }

  /// What one turn found for a pool.
  package struct Resizing {
    package var pool: Pool
    package var verdict: Verdict<Int>
    package var plan: ScalePlan
  }

  /// Pure: asks the policy about every pool in configured order, and plans each within its bounds, what is left of the limit over all, and what
  /// its host has left.
  /// - Parameter fleet: as `FleetObserver` sees these pools and containers.
  package static func resizings(
    _ pools: [Pool], containers: [Container], fleet: PolicyFleet, limit: Int, hosts: [String: Resources] = [:], _ autoscaler: Autoscaler,
    _ engine: any PolicyEngine,
    _ history: inout [String: ScaleHistory]
  ) -> [Resizing] {
    var room = limit - containers.count
    var hostRoom = HostRoom(hosts: hosts, containers: containers)
    return zip(pools, fleet.pools).map { pool, facts in
      let verdict = engine.scale(facts, fleet: fleet)
      let plan = autoscaler.plan(
        pool, containers: containers, wanted: verdict.value, because: verdict.reason, room: max(0, min(room, hostRoom.places(for: pool))),
        history: history[pool.name] ?? ScaleHistory(), now: fleet.now)
      history[pool.name] = plan.history
      room -= plan.create
      hostRoom.take(plan.create, of: pool)
      return Resizing(pool: pool, verdict: verdict, plan: plan)
    }
  }

  /// Whether the shadow says something else, and did not do so in the turn before: a pool that only the shadow would change is logged too.
  private func isNews(_ verdict: Verdict<Int>, of pool: Pool) -> Bool {
    let difference = verdict.shadow.flatMap { $0.differs ? "\($0.bundle) \(verdict.value) \($0.output)" : nil }
    return told.withLock { told in
      defer { told[pool.name] = difference }
      return difference != nil && told[pool.name] != difference
    }
  }

  private func commit(_ plan: ScalePlan, _ pool: Pool, _ verdict: Verdict<Int>, _ snapshot: DecisionInput) async throws(StoreError) {
    let tokens = (0..<plan.create).map { _ in identities.token(digits: 6) }
    try await transactor.transact(.poolScaled) { (unit) throws(StoreError) in
      for token in tokens { unit.put(Container(pool: pool, token: token, at: unit.now)) }
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
