package import Domain
package import Foundation

/// Makes the picture of the fleet that policies see, from the store.
package struct FleetObserver: Sendable {
  private let store: any Store
  private let pools: [Pool]
  private let drain: DrainSwitch
  private let now: @Sendable () -> Date

  package init(store: any Store, pools: [Pool], drain: DrainSwitch, now: @escaping @Sendable () -> Date = { Date() }) {
    self.store = store
    self.pools = pools
    self.drain = drain
    self.now = now
  }

  /// The fleet as it stands. Costs by containers and classes, not by waiting jobs.
  package func fleet() async throws(StoreError) -> PolicyFleet {
    let containers = try await store.liveContainers()
    let queue = try await store.queue(heads: 1)
    return Self.fleet(pools: pools, containers: containers, queue: queue, isDraining: drain.isOn, now: now())
  }

  /// Pure. A class counts as pending for the first pool that offers its labels.
  package static func fleet(pools: [Pool], containers: [Container], queue: [ClassQueue], isDraining: Bool, now: Date) -> PolicyFleet {
    var pending: [String: Int] = [:]
    for entry in queue {
      guard let pool = pools.first(where: { entry.jobClass.labels.isSatisfied(by: $0.labels) }) else { continue }
      pending[pool.name, default: 0] += entry.count
    }
    // One that ends is no capacity: a policy that wants as many as there are must not have it replaced.
    let rows = pools.map { pool in
      var (total, idle, held) = (0, 0, 0)
      // By index: a look at three fields spares the copy of a row, and this is asked with each decision.
      for index in containers.indices where containers[index].pool == pool.name {
        let isHeld = containers[index].assignment != nil
        guard isHeld || containers[index].state.isUseful else { continue }
        total += 1
        if isHeld { held += 1 } else if containers[index].state == .ready { idle += 1 }
      }
      return PolicyPool(
        name: pool.name, minimum: pool.minimum, maximum: pool.maximum, warm: pool.warm, total: total, idle: idle, busy: held,
        pending: pending[pool.name] ?? 0, active: held)
    }
    return PolicyFleet(
      now: now, pools: rows, pending: queue.reduce(0) { $0 + $1.count }, active: rows.reduce(0) { $0 + $1.active }, isDraining: isDraining)
  }
}
