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
      pools: pools, containers: containers, queue: queue, isDraining: drain.isOn, now: now,
      history: try await memory.history(from: store, at: now))
    memory.note(fleet)
    return fleet
  }

  /// Pure. A class counts as pending for the first pool that offers its labels.
  package static func fleet(
    pools: [Pool], containers: [Container], queue: [ClassQueue], isDraining: Bool, now: Date, history: FleetHistory = FleetHistory()
  ) -> PolicyFleet {
    let classes = queue.map { entry in (entry, pools.first { $0.offers(entry.jobClass.labels, of: entry.jobClass.source) }?.name) }
    var pending: [String: Int] = [:]
    for case (let entry, let pool?) in classes { pending[pool, default: 0] += entry.count }
    let rows = pools.map { pool in
      var own = Counts()
      // By index: a look at a few fields spares the copy of a row, and this is asked with each decision.
      for index in containers.indices where containers[index].pool == pool.name {
        own.add(containers[index].state, isHeld: containers[index].assignment != nil)
      }
      var row = PolicyPool(
        name: pool.name, minimum: pool.minimum, maximum: pool.maximum, warm: pool.warm, template: .init(pool), total: own.total,
        idle: own.idle, busy: own.held, creating: own.creating, unhealthy: own.unhealthy, ending: own.ending,
        pending: pending[pool.name] ?? 0, active: own.held)
      history.complete(&row, at: now)
      return row
    }
    return PolicyFleet(
      now: now, pools: rows, queue: mostUrgent(classes), classes: queue.count, repositories: uses(containers), waits: history.waits,
      pending: queue.reduce(0) { $0 + $1.count }, active: rows.reduce(0) { $0 + $1.active }, isDraining: isDraining)
  }

  /// Containers of one pool by what they do.
  private struct Counts {
    var (total, held, idle, creating, unhealthy, ending) = (0, 0, 0, 0, 0, 0)

    mutating func add(_ state: ContainerState, isHeld: Bool) {
      // One that ends is no capacity: a policy that wants as many as there are must not have it replaced.
      if isHeld || state.isUseful { total += 1 }
      if isHeld { held += 1 } else if state == .ready { idle += 1 }
      switch state {
      case .creating: creating += 1
      case .unhealthy: unhealthy += 1
      case .draining, .terminating: ending += 1
      default: break
      }
    }
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

  private static func uses(_ containers: [Container]) -> [PolicyUse] {
    var active: [String: Int] = [:]
    for index in containers.indices where containers[index].assignment != nil {
      if let repository = containers[index].trustScope { active[repository, default: 0] += 1 }
    }
    return active.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(PolicyFleet.listLimit)
      .map { PolicyUse(repository: $0.key, active: $0.value) }
  }
}

extension Job {
  /// Its key in the queue; smaller goes first.
  fileprivate var urgency: Double { orderKey ?? (queuedAt ?? receivedAt).timeIntervalSince1970 }
}
