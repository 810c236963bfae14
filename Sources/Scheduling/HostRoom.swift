package import Domain

/// What the engines' hosts and the limit over all pools have left beside the containers that live there. Pure.
///
/// Sizes of pools are bound by it as jobs' places are: else a warm container would be made again on a full host as soon as the planner had
/// one ended for a job, which then never got the room. For the same reason, what waiting jobs have claimed is not given out.
package struct HostRoom: Sendable {
  /// By engine host; nil: nothing is known of hosts, and they bound nothing.
  private var free: [String: Resources]?
  private var count: Int
  private let cordons: Cordons

  /// - Parameters:
  ///   - hosts: what each engine that answers gives to containers in all; one that is missing has no room. nil: no host is a bound.
  ///   - load: what lives there.
  ///   - limit: containers that may exist at once, all pools together.
  ///   - claims: of the plan before.
  ///   - cordons: pools and hosts that take nothing new.
  package init(
    hosts: [String: Resources]?, load: HostLoad, limit: Int, claims: [Plan.Claim] = [], cordons: Cordons = Cordons()
  ) {
    self.cordons = cordons
    let (taken, coming) = (load.taken, load.coming)
    var claimed = Tally()
    for claim in claims { claimed.add(claim.resources, pool: claim.pool, engine: claim.engine) }
    count = limit - taken.count - max(0, claimed.count - coming.count)
    free = hosts.map { hosts in
      var free = hosts
      for (engine, host) in hosts {
        var left = host
        if let sum = taken.byEngine[engine] { left = left.subtracting(sum) }
        if let claims = claimed.byEngine[engine] {
          left = left.subtracting((coming.byEngine[engine].map { claims.subtracting($0) } ?? claims).positivePart)
        }
        free[engine] = left
      }
      return free
    }
  }

  /// Further containers of a pool that fit on its hosts.
  package func places(for pool: Pool) -> Int {
    let inAll = max(0, count)
    return min(inAll, pool.hosts.reduce(0) { sum, host in Self.sum(sum, min(inAll, places(for: pool, on: host))) })
  }

  private func places(for pool: Pool, on host: String) -> Int {
    if cordons.mode(pool: pool.name, host: host) != nil { return 0 }
    guard let free else { return .max }
    guard let left = free[host] else { return 0 }
    let need = pool.resources
    return min(
      Self.times(need.milliCPUs, in: left.milliCPUs), Self.times(need.memory.bytes, in: left.memory.bytes),
      Self.times(need.disk.bytes, in: left.disk.bytes), Self.times(need.gpus, in: left.gpus))
  }

  /// Takes the room of that many containers, each on the host of the pool that has most of it left.
  /// - Returns: their hosts.
  @discardableResult
  package mutating func take(_ number: Int, of pool: Pool) -> [String] {
    guard number > 0, let first = pool.hosts.first else { return [] }
    count -= number
    // Without a second host there is nothing to choose.
    if pool.hosts.count == 1 {
      guard var left = free?[first] else { return Array(repeating: first, count: number) }
      for _ in 0..<number { left = left.subtracting(pool.resources) }
      free?[first] = left
      return Array(repeating: first, count: number)
    }
    return (0..<number).map { _ in
      var (chosen, most) = (first, Int.min)
      for host in pool.hosts {
        let places = places(for: pool, on: host)
        if places > most { (chosen, most) = (host, places) }
      }
      if let left = free?[chosen] { free?[chosen] = left.subtracting(pool.resources) }
      return chosen
    }
  }

  private static func sum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }

  private static func times<Number: BinaryInteger>(_ need: Number, in left: Number) -> Int {
    need > 0 ? Int(clamping: max(0, left) / need) : .max
  }
}

/// What live containers take of their hosts, and what of it comes free soon. Of a list at once, or kept in step row by row.
package struct HostLoad: Sendable {
  private(set) var taken = Tally()
  private(set) var coming = Tally()

  package init(_ containers: [Container] = []) {
    var lots: [Lot] = []
    var place = 0
    for index in containers.indices where containers[index].state.isLive {
      place = lots.place(of: containers[index].pool, on: containers[index].engine, after: place)
      lots[place].add(containers[index].resources)
      if containers[index].givesRoomBack {
        coming.add(containers[index].resources, pool: containers[index].pool, engine: containers[index].engine)
      }
    }
    for lot in lots { taken.add(lot.resources, count: lot.count, pool: lot.pool, engine: lot.engine) }
  }

  package mutating func add(_ container: Container) {
    guard container.state.isLive else { return }
    taken.add(container.resources, pool: container.pool, engine: container.engine)
    if container.givesRoomBack { coming.add(container.resources, pool: container.pool, engine: container.engine) }
  }

  /// Takes back what `add` did for the same row.
  package mutating func remove(_ container: Container) {
    guard container.state.isLive else { return }
    taken.remove(container.resources, pool: container.pool, engine: container.engine)
    if container.givesRoomBack { coming.remove(container.resources, pool: container.pool, engine: container.engine) }
  }
}

/// Containers summed up.
struct Tally {
  private(set) var count = 0
  private(set) var byPool: [String: Int] = [:]
  private(set) var byEngine: [String: Resources] = [:]

  mutating func add(_ resources: Resources, count: Int = 1, pool: String, engine: String) {
    self.count += count
    byPool[pool, default: 0] += count
    byEngine[engine] = byEngine[engine].map { $0.adding(resources) } ?? resources
  }

  mutating func remove(_ resources: Resources, pool: String, engine: String) {
    count -= 1
    byPool[pool, default: 0] -= 1
    byEngine[engine] = byEngine[engine].map { $0.subtracting(resources) }
  }
}

extension Container {
  /// It ends, and no job keeps it: its room comes free soon.
  var givesRoomBack: Bool {
    switch state {
    case .draining: assignment == nil
    case .terminating: true
    default: false
    }
  }
}
