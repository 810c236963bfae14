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
}

/// The fleet while a turn is planned: what is free, and what earlier bindings of the turn have taken of it.
struct Fleet {
  let pools: [Pool]
  let limits: PlanningLimits
  /// The longest idle first, then by name.
  private(set) var idle: [IdleContainer] = []
  /// Containers that end and whose room comes free.
  private(set) var ending: [Container] = []
  /// Containers that no job can get, by cause.
  private(set) var unavailable: [String: Int] = [:]
  private(set) var load = FleetLoad()
  private var live: [String: Int] = [:]
  private var liveInAll: Int
  private var taken: [String: Resources] = [:]
  private let poolNamed: [String: Pool]

  init(pools: [Pool], containers: [Container], limits: PlanningLimits) {
    self.pools = pools
    self.limits = limits
    poolNamed = Dictionary(pools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    liveInAll = 0
    for (index, pool) in pools.enumerated() {
      load.poolOrder[pool.name] = index
      load.maximum[pool.name] = pool.maximum
    }
    // By index, and neighbours of one pool together: most are busy, and of those a few fields are enough.
    var first = containers.startIndex
    while first < containers.endIndex {
      var sum: Resources?
      var (count, busy) = (0, 0)
      var next = first
      while next < containers.endIndex, containers[next].pool == containers[first].pool, containers[next].engine == containers[first].engine
      {
        if containers[next].state.isLive {
          sum = sum.map { $0.adding(containers[next].resources) } ?? containers[next].resources
          count += 1
          if containers[next].state == .busy { busy += 1 } else { classify(containers[next]) }
        }
        next += 1
      }
      if let sum { occupy(sum, count: count, pool: containers[first].pool, engine: containers[first].engine) }
      if busy > 0 { hold(containers[first].pool, count: busy) }
      first = next
    }
    idle.sort { ($0.container.idleFrom, $0.candidate.name) < ($1.container.idleFrom, $1.candidate.name) }
  }

  private mutating func classify(_ container: Container) {
    let known = poolNamed[container.pool] != nil
    switch container.state {
    case .ready, .creating:
      guard container.assignment == nil else { return hold(container.pool) }
      guard known else {
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
      idle.append(IdleContainer(container: container, candidate: Candidate(container)))
    case .assigned, .busy: hold(container.pool)
    case .unhealthy: unavailable["unhealthy", default: 0] += 1
    case .draining, .terminating:
      unavailable["ending", default: 0] += 1
      if container.assignment == nil || container.state == .terminating { ending.append(container) }
    case .gone: return
    }
  }

  private mutating func hold(_ pool: String, count: Int = 1) {
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

  func free(on engine: String) -> Resources? {
    limits.hosts[engine].map { host in taken[engine].map { host.subtracting($0) } ?? host }
  }

  /// Everything that keeps a pool from making one container more; empty: it can.
  func shortages(of pool: Pool) -> [Shortage] {
    guard let free = free(on: pool.engine) else { return [.engineSilent(pool.engine)] }
    var found: [Shortage] = []
    if live[pool.name, default: 0] >= pool.maximum { found.append(.poolMaximum(pool.maximum)) }
    if liveInAll >= limits.containerPoolSize { found.append(.poolSize(limits.containerPoolSize)) }
    if !free.covers(pool.resources) { found.append(.host(engine: pool.engine, free: free)) }
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

  /// Finds room for a new container of `pool` that is on its way or that an idle container can give, and reserves it for the caller.
  /// - Returns: the idle container to end; nil where room is coming anyway, or none can be made.
  mutating func makeRoom(for pool: Pool) -> Container? {
    let shortages = shortages(of: pool)
    if let index = ending.firstIndex(where: { helps($0, pool, shortages) }) {
      ending.remove(at: index)
      return nil
    }
    let helpful = idle.indices.filter { index in
      let container = idle[index].container
      guard container.state == .ready, helps(container, pool, shortages) else { return false }
      // Another pool keeps its minimum: its autoscaler would make it again at once.
      return container.pool == pool.name || live[container.pool, default: 0] > (poolNamed[container.pool]?.minimum ?? 0)
    }
    // Used ones first: an unused one fits more jobs. `idle` is ordered by idleness, so the longest idle of either kind is taken.
    guard let victim = helpful.first(where: { idle[$0].container.uses > 0 }) ?? helpful.first else { return nil }
    return idle.remove(at: victim).container
  }

  /// Whether the end of `container` would remove every shortage.
  private func helps(_ container: Container, _ pool: Pool, _ shortages: [Shortage]) -> Bool {
    shortages.allSatisfy { shortage in
      switch shortage {
      case .poolMaximum: container.pool == pool.name
      case .poolSize: true
      case .host(let engine, let free): container.engine == engine && free.adding(container.resources).covers(pool.resources)
      case .engineSilent: false
      }
    }
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

  init(newIn pool: Pool) {
    id = .new(pool: pool.name)
    name = "new in \(pool.name)"
    self.pool = pool.name
    engine = pool.engine
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

extension Resources {
  func adding(_ other: Resources) -> Resources {
    Resources(
      milliCPUs: milliCPUs.addingClamped(other.milliCPUs), memory: ByteCount(bytes: memory.bytes.addingClamped(other.memory.bytes)),
      disk: ByteCount(bytes: disk.bytes.addingClamped(other.disk.bytes)), gpus: gpus.addingClamped(other.gpus))
  }
  func subtracting(_ other: Resources) -> Resources {
    adding(
      Resources(
        milliCPUs: other.milliCPUs.negatedClamped, memory: ByteCount(bytes: other.memory.bytes.negatedClamped),
        disk: ByteCount(bytes: other.disk.bytes.negatedClamped), gpus: other.gpus.negatedClamped))
  }

  /// `2 CPU, 4 GiB`, with GPUs where there are any.
  package var summary: String {
    let cpus = milliCPUs % 1000 == 0 ? "\(milliCPUs / 1000)" : "\(Double(milliCPUs) / 1000)"
    return "\(cpus) CPU, \(memory)" + (gpus > 0 ? ", \(gpus) GPU" : "")
  }
}

extension FixedWidthInteger {
  /// Sums of sizes that come from configuration must not trap.
  fileprivate func addingClamped(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
  fileprivate var negatedClamped: Self { self == .min ? .max : 0 - self }
}
