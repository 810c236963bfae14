package import Domain
package import Foundation

/// Makes the picture of the fleet that policies see, from the store.
package struct FleetObserver: Sendable {
  private let store: any Store
  private let pools: [Pool]
  private let drain: DrainSwitch
  private let memory: FleetMemory
  private let now: @Sendable () -> Date

  package init(
    store: any Store, pools: [Pool], drain: DrainSwitch, memory: FleetMemory = FleetMemory(),
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.store = store
    self.pools = pools
    self.drain = drain
    self.memory = memory
    self.now = now
  }

  /// The fleet as it stands. Costs by containers and classes, not by waiting jobs.
  package func fleet() async throws(StoreError) -> PolicyFleet {
    let containers = try await store.liveContainers()
    let queue = try await store.queue(heads: 1)
    let now = now()
    let fleet = Self.fleet(
      pools: try await store.fleetMarks().applied(to: pools), containers: containers, queue: queue, isDraining: drain.isOn, now: now,
      history: try await memory.history(from: store, at: now))
    memory.note(fleet)
    return fleet
  }

  /// Pure. A class counts as pending for the first pool that offers its labels.
  package static func fleet(
    pools: [Pool], containers: [Container], queue: [ClassQueue], isDraining: Bool, now: Date, history: FleetHistory = FleetHistory()
  ) -> PolicyFleet {
    fleet(pools: pools, counts: FleetCounts(containers), queue: queue, isDraining: isDraining, now: now, history: history)
  }

  /// The same of containers that were counted before. Costs by pools and classes.
  package static func fleet(
    pools: [Pool], counts: FleetCounts, queue: [ClassQueue], isDraining: Bool, now: Date, history: FleetHistory = FleetHistory()
  ) -> PolicyFleet {
    let classes = queue.map { entry in (entry, pools.first { $0.offers(entry.jobClass.labels, of: entry.jobClass.source) }?.name) }
    var pending: [String: Int] = [:]
    for case (let entry, let pool?) in classes { pending[pool, default: 0] += entry.count }
    let rows = pools.map { pool in
      let own = counts.byPool[pool.name] ?? FleetCounts.OfPool()
      var row = PolicyPool(
        name: pool.name, minimum: pool.minimum, maximum: pool.maximum, warm: pool.warm, template: .init(pool), total: own.total,
        idle: own.idle, busy: own.held, creating: own.creating, unhealthy: own.unhealthy, ending: own.ending,
        pending: pending[pool.name] ?? 0, active: own.held)
      history.complete(&row, at: now)
      return row
    }
    return PolicyFleet(
      now: now, pools: rows, queue: mostUrgent(classes), classes: queue.count, repositories: counts.uses.largest, waits: history.waits,
      pending: queue.reduce(0) { $0 + $1.count }, active: rows.reduce(0) { $0 + $1.active }, isDraining: isDraining)
  }

  private static func mostUrgent(_ classes: [(ClassQueue, String?)]) -> [PolicyQueue] {
    let heads = classes.compactMap { entry, pool in entry.heads.first.map { (entry: entry, pool: pool, head: $0, key: $0.urgency) } }
    return heads.sorted { ($0.key, $0.entry.jobClass) < ($1.key, $1.entry.jobClass) }.prefix(PolicyFleet.listLimit).map { item in
      PolicyQueue(
        scope: item.entry.jobClass.scope, group: item.entry.jobClass.group, labels: item.entry.jobClass.labels, count: item.entry.count,
        pool: item.pool, priority: item.head.priority, queuedAt: item.head.queuedAt ?? item.head.receivedAt,
        holdsForkJob: item.entry.holdsForkJob)
    }
  }
}

extension Job {
  /// Its key in the queue; smaller goes first.
  fileprivate var urgency: Double { orderKey ?? (queuedAt ?? receivedAt).timeIntervalSince1970 }
}
