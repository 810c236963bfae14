import Domain

/// What a strategy may look at besides the candidates.
struct FleetLoad {
  /// A pool on one of its engine hosts.
  struct Place: Hashable {
    var pool: String
    var host: String
  }

  /// Place of each pool, with each of its hosts, in the configuration.
  var order: [Place: Int] = [:]
  /// Containers that hold a job, by pool.
  var busy: [String: Int] = [:]
  var maximum: [String: Int] = [:]
  /// CPU of the engine's host that containers have taken, 0…1.
  var hostShare: [String: Double] = [:]
}

extension FleetLoad {
  /// Of a host that is not the pool's any more: the first.
  func order(of candidate: Candidate) -> Int { order[Place(pool: candidate.pool, host: candidate.engine)] ?? 0 }
}

/// Chooses among candidates that are equally good. Pure.
protocol TieBreaker {
  /// - Parameters:
  ///   - tied: indices of `candidates`; the longest idle first.
  ///   - cursor: where round-robin goes on.
  /// - Returns: one of `tied`; nil where there is none.
  func choose(_ tied: [Int], of candidates: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int?
}

extension LoadBalancingStrategy {
  var tieBreaker: any TieBreaker {
    switch self {
    case .roundRobin: RoundRobin()
    case .leastLoaded: LeastLoaded()
    case .resourceAware: ResourceAware()
    case .affinity: ByAffinity()
    }
  }
}

/// Pool after pool and host after host in configured order; within these the longest idle.
struct RoundRobin: TieBreaker {
  func choose(_ tied: [Int], of candidates: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int? {
    let count = max(1, load.order.count)
    let from = cursor % count
    func distance(_ index: Int) -> Int { (load.order(of: candidates[index]) - from + count) % count }
    guard let index = tied.min(by: { distance($0) < distance($1) }) else { return nil }
    cursor = (load.order(of: candidates[index]) + 1) % count
    return index
  }
}

/// The pool with the smallest share of busy containers, then the host with the smallest share of its CPU taken.
struct LeastLoaded: TieBreaker {
  func choose(_ tied: [Int], of candidates: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int? {
    func weight(_ index: Int) -> (Double, Double, Int) {
      let (pool, engine) = (candidates[index].pool, candidates[index].engine)
      let share = Double(load.busy[pool] ?? 0) / Double(max(1, load.maximum[pool] ?? 1))
      return (share, load.hostShare[engine] ?? 0, load.order(of: candidates[index]))
    }
    return tied.min { weight($0) < weight($1) }
  }
}

/// Best fit: the smallest leftover, then the fullest host, so that large places stay free for large jobs.
struct ResourceAware: TieBreaker {
  func choose(_ tied: [Int], of candidates: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int? {
    func weight(_ index: Int) -> (Double, Double) {
      (leftover(candidates[index].resources, need), -(load.hostShare[candidates[index].engine] ?? 0))
    }
    return tied.min { weight($0) < weight($1) }
  }

  /// In units of about one core: 4 GiB of memory, 100 GiB of disk or a sixteenth of a GPU weigh as much as a core.
  private func leftover(_ offered: Resources, _ need: Resources) -> Double {
    let gibibyte = Double(1 << 30)
    let cores = Double(offered.milliCPUs - need.milliCPUs) / 1000
    let memory = Double(offered.memory.bytes - need.memory.bytes) / gibibyte / 4
    let disk = Double(offered.disk.bytes - need.disk.bytes) / gibibyte / 100
    return cores + memory + disk + Double(offered.gpus - need.gpus) * 16
  }
}

/// The planner hands over the tied ones by falling score: affinity alone decides, to the point.
struct ByAffinity: TieBreaker {
  func choose(_ tied: [Int], of candidates: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int? { tied.first }
}
