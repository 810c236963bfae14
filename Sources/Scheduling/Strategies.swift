import Domain

/// What a strategy may look at besides the candidates.
struct FleetLoad {
  /// Place of each pool in the configuration.
  var poolOrder: [String: Int] = [:]
  /// Containers that hold a job, by pool.
  var busy: [String: Int] = [:]
  var maximum: [String: Int] = [:]
  /// CPU of the engine's host that containers have taken, 0…1.
  var hostShare: [String: Double] = [:]
}

/// Chooses among candidates that are equally good. Pure.
protocol TieBreaker {
  /// - Parameters:
  ///   - tied: not empty; the longest idle first.
  ///   - cursor: where round-robin goes on.
  /// - Returns: an index of `tied`.
  func choose(_ tied: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int
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

/// Pool after pool in configured order; within a pool the longest idle.
struct RoundRobin: TieBreaker {
  func choose(_ tied: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int {
    let count = max(1, load.poolOrder.count)
    let from = cursor % count
    func distance(_ candidate: Candidate) -> Int {
      ((load.poolOrder[candidate.pool] ?? 0) - from + count) % count
    }
    let index = tied.indices.min { distance(tied[$0]) < distance(tied[$1]) } ?? 0
    cursor = ((load.poolOrder[tied[index].pool] ?? 0) + 1) % count
    return index
  }
}

/// The pool with the smallest share of busy containers, then the host with the smallest share of its CPU taken.
struct LeastLoaded: TieBreaker {
  func choose(_ tied: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int {
    func weight(_ candidate: Candidate) -> (Double, Double, Int) {
      let share = Double(load.busy[candidate.pool] ?? 0) / Double(max(1, load.maximum[candidate.pool] ?? 1))
      return (share, load.hostShare[candidate.engine] ?? 0, load.poolOrder[candidate.pool] ?? 0)
    }
    return tied.indices.min { weight(tied[$0]) < weight(tied[$1]) } ?? 0
  }
}

/// Best fit: the smallest leftover, so that large places stay free for large jobs.
struct ResourceAware: TieBreaker {
  func choose(_ tied: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int {
    tied.indices.min { leftover(tied[$0].resources, need) < leftover(tied[$1].resources, need) } ?? 0
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
  func choose(_ tied: [Candidate], need: Resources, load: FleetLoad, cursor: inout Int) -> Int { 0 }
}
