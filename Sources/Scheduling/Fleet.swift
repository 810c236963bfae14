import Domain
import Foundation

/// An idle container and how it is offered.
struct IdleContainer {
  var container: Container
  var candidate: Candidate
}

/// Why a pool cannot make another container now.
enum Shortage: Hashable {
  case poolMaximum(Int)
  case poolSize(Int)
  case host(engine: String, free: Resources)
  case engineSilent(String)
  /// An operator has closed the pool or the host.
  case closed(String)
}

/// The fleet while a turn is planned: what is free, and what earlier bindings of the turn have taken of it.
struct Fleet {
  let pools: [Pool]
  let limits: PlanningLimits
  /// The longest idle first, then by name.
  private(set) var idle: [IdleContainer] = []
  /// Containers that no job can get, by cause.
  private(set) var unavailable: [String: Int] = [:]
  private(set) var load = FleetLoad()
  private var live: [String: Int] = [:]
  private var liveInAll: Int
  private var taken: [String: Resources] = [:]
  /// Containers that end: they still take their room, which then comes free.
  private var coming = Tally()
  /// Containers for jobs that wait until room has come: nobody else gets it.
  private var claimed = Tally()
  private let poolNamed: [String: Pool]

  init(pools: [Pool], containers: [Container], limits: PlanningLimits) {
    self.pools = pools
    self.limits = limits
    poolNamed = Dictionary(pools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    liveInAll = 0
    for pool in pools {
      for host in pool.hosts { load.order[.init(pool: pool.name, host: host)] = load.order.count }
      load.maximum[pool.name] = pool.maximum
    }
    // By index: most are busy, and of those a few fields are enough.
    var lots: [Lot] = []
    var place = 0
    for index in containers.indices where containers[index].state.isLive {
      place = lots.place(of: containers[index].pool, on: containers[index].engine, after: place)
      lots[place].add(containers[index].resources)
      let isHeld = containers[index].assignment != nil
      switch containers[index].state {
      case .assigned, .busy: lots[place].held += 1
      case .ready, .creating: if isHeld { lots[place].held += 1 } else { offer(containers[index]) }
      case .unhealthy, .draining, .terminating, .gone: leaveOut(containers[index])
      }
    }
    for lot in lots {
      occupy(lot.resources, count: lot.count, pool: lot.pool, engine: lot.engine)
      if lot.held > 0 { hold(lot.pool, count: lot.held) }
    }
    idle.sort { ($0.container.idleFrom, $0.candidate.name) < ($1.container.idleFrom, $1.candidate.name) }
  }

  private mutating func offer(_ container: Container) {
    guard poolNamed[container.pool] != nil else {
      unavailable["of a pool that is not configured", default: 0] += 1
      return
    }
    guard container.health.isHealthy else {
      unavailable["failing health checks", default: 0] += 1
      return
    }
    guard limits.hosts[container.engine] != nil else {
      unavailable["on an engine that does not answer", default: 0] += 1
      return
    }
    guard container.cordonedAt == nil, limits.cordons.mode(pool: container.pool, host: container.engine) == nil else {
      unavailable["cordoned", default: 0] += 1
      return
    }
    idle.append(IdleContainer(container: container, candidate: Candidate(container)))
  }

  private mutating func leaveOut(_ container: Container) {
    unavailable[container.state == .unhealthy ? "unhealthy" : "ending", default: 0] += 1
    if container.givesRoomBack { coming.add(container.resources, pool: container.pool, engine: container.engine) }
  }

  private mutating func hold(_ pool: String, count: Int) {
    load.busy[pool, default: 0] += count
    unavailable["busy", default: 0] += count
  }

  private mutating func occupy(_ resources: Resources, count: Int = 1, pool: String, engine: String) {
    live[pool, default: 0] += count
    liveInAll += count
    let sum = taken[engine].map { $0.adding(resources) } ?? resources
    taken[engine] = sum
    if let host = limits.hosts[engine], host.milliCPUs > 0 { load.hostShare[engine] = Double(sum.milliCPUs) / Double(host.milliCPUs) }
  }

  func pool(_ name: String) -> Pool? { poolNamed[name] }

  /// What is left for a container that is made now, without what waiting jobs have claimed beyond what comes free.
  func free(on engine: String) -> Resources? {
    guard let host = limits.hosts[engine] else { return nil }
    let left = taken[engine].map { host.subtracting($0) } ?? host
    guard let claims = claimed.byEngine[engine] else { return left }
    return left.subtracting((coming.byEngine[engine].map { claims.subtracting($0) } ?? claims).positivePart)
  }

  /// Everything that keeps a pool from making one container more on one of its hosts; empty: it can.
  func shortages(of pool: Pool, on host: String) -> [Shortage] {
    if limits.cordons.pools[pool.name] != nil { return [.closed("pool \(pool.name)")] }
    if limits.cordons.hosts[host] != nil { return [.closed("host \(host)")] }
    guard let free = free(on: host) else { return [.engineSilent(host)] }
    var found: [Shortage] = []
    let awaited = max(0, claimed.byPool[pool.name, default: 0] - coming.byPool[pool.name, default: 0])
    if live[pool.name, default: 0] + awaited >= pool.maximum { found.append(.poolMaximum(pool.maximum)) }
    if liveInAll + max(0, claimed.count - coming.count) >= limits.containerPoolSize { found.append(.poolSize(limits.containerPoolSize)) }
    if !free.covers(pool.resources) { found.append(.host(engine: host, free: free)) }
    return found
  }

  /// Takes a place for a job.
  mutating func take(_ candidate: Candidate) {
    load.busy[candidate.pool, default: 0] += 1
    switch candidate.id {
    case .warm: idle.removeAll { $0.candidate.id == candidate.id }
    case .new: occupy(candidate.resources, pool: candidate.pool, engine: candidate.engine)
    }
    unavailable["busy", default: 0] += 1
  }

  /// Finds room for a new container of `pool` on one of its hosts that is on its way or that idle containers can give, and claims it for the caller.
  /// - Returns: the idle containers to end, none where enough is coming anyway; nil: not even all of them would do, so none is ended.
  mutating func makeRoom(for pool: Pool, on host: String) -> [Container]? {
    guard limits.hosts[host] != nil, limits.cordons.mode(pool: pool.name, host: host) == nil else { return nil }
    var after = coming
    var lack = lack(of: pool, on: host, after: after)
    var victims: [Int] = []
    if !lack.isNone {
      // Used ones first: an unused one fits more jobs. `idle` is ordered by idleness, so the longest idle of either kind come first.
      let ready = idle.indices.filter { idle[$0].container.state == .ready }
      for index in ready.filter({ idle[$0].container.uses > 0 }) + ready.filter({ idle[$0].container.uses == 0 }) {
        let container = idle[index].container
        guard lack.isEased(by: container, for: pool, on: host), mayEnd(container, for: pool, after: after) else { continue }
        after.add(container.resources, pool: container.pool, engine: container.engine)
        victims.append(index)
        lack = self.lack(of: pool, on: host, after: after)
        if lack.isNone { break }
      }
    }
    guard lack.isNone else { return nil }
    // A later one may be enough without those before it.
    for index in victims {
      let container = idle[index].container
      var without = after
      without.remove(container.resources, pool: container.pool, engine: container.engine)
      guard self.lack(of: pool, on: host, after: without).isNone else { continue }
      after = without
      victims.removeAll { $0 == index }
    }
    coming = after
    claimed.add(pool.resources, pool: pool.name, engine: host)
    let ended = victims.map { idle[$0].container }
    for index in victims.sorted(by: >) { idle.remove(at: index) }
    return ended
  }

  /// Another pool keeps its minimum: its autoscaler would make it again at once.
  private func mayEnd(_ container: Container, for pool: Pool, after ends: Tally) -> Bool {
    if container.pool == pool.name { return true }
    return live[container.pool, default: 0] - ends.byPool[container.pool, default: 0] > (poolNamed[container.pool]?.minimum ?? 0)
  }

  /// What would still keep `pool` from one container more when all of `ends` are gone and all that is claimed is taken.
  private func lack(of pool: Pool, on host: String, after ends: Tally) -> Lack {
    var free = limits.hosts[host] ?? .nothing
    if let taken = taken[host] { free = free.subtracting(taken) }
    if let claims = claimed.byEngine[host] { free = free.subtracting(claims) }
    if let more = ends.byEngine[host] { free = free.adding(more) }
    let inPool = live[pool.name, default: 0] - ends.byPool[pool.name, default: 0] + claimed.byPool[pool.name, default: 0]
    return Lack(
      pool: inPool >= pool.maximum, all: liveInAll - ends.count + claimed.count >= limits.containerPoolSize,
      host: !free.covers(pool.resources))
  }
}

/// Which bounds a new container would pass.
private struct Lack {
  var pool: Bool
  var all: Bool
  var host: Bool

  var isNone: Bool { !pool && !all && !host }

  func isEased(by container: Container, for wanting: Pool, on engine: String) -> Bool {
    all || (pool && container.pool == wanting.name) || (host && container.engine == engine)
  }
}

extension Container {
  /// Since when it has nothing to do.
  fileprivate var idleFrom: Date { idleSince ?? readyAt ?? createdAt }
}

extension Candidate {
  init(_ container: Container) {
    id = .warm(container.id)
    name = container.name
    pool = container.pool
    engine = container.engine
    image = container.image
    labels = container.labels
    resources = container.resources
    uses = container.uses
    repository = container.trustScope
    lastJob = container.lastJob
    failedChecks = container.health.failures
    createdAt = container.createdAt
    idleSince = container.idleFrom
    readiness = container.state == .ready ? .ready : .creating
  }

  init(newIn pool: Pool, on host: String) {
    id = .new(pool: pool.name, host: host)
    name = pool.hosts.count > 1 ? "new in \(pool.name) on \(host)" : "new in \(pool.name)"
    self.pool = pool.name
    engine = host
    image = pool.image
    labels = pool.labels
    resources = pool.resources
    uses = 0
    repository = nil
    lastJob = nil
    failedChecks = 0
    createdAt = nil
    idleSince = nil
    readiness = .new
  }
}
