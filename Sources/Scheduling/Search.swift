import Domain
import Foundation

/// All places that the host's rules allow a job, and why the others are left out.
struct Search {
  let job: Job
  let need: Resources
  let forks: Bool
  let rules: ClassRules
  private(set) var candidates: [Candidate] = []
  /// Unused containers of one pool are alike: so many of them, the longest idle, stand for the others.
  static let alikeLimit = 16
  /// Places left out, by cause.
  private(set) var filtered: [String: Int]
  /// Pools whose containers would do, were there room.
  private(set) var fitting: [Pool] = []
  private var shortages: [(Pool, [Shortage])] = []
  private var misfits: [(Pool, ClassRules.Misfit)] = []

  init(job: Job, line rules: ClassRules, isRefusal: Bool, fleet: Fleet, now: Date) {
    self.job = job
    self.rules = rules
    // A refused job's own code never runs: only what else its runner might get counts.
    need = isRefusal ? rules.need ?? Resources(milliCPUs: 0, memory: ByteCount(bytes: 0), disk: ByteCount(bytes: 0)) : rules.need(of: job)
    forks = rules.holdsForkJob || (!isRefusal && job.isFromFork)
    filtered = fleet.unavailable
    var alike: [Likeness: Int] = [:]
    for idle in fleet.idle {
      guard let pool = fleet.pool(idle.container.pool) else { continue }
      let likeness = Likeness(pool: pool.name, readiness: idle.candidate.readiness)
      if idle.container.uses == 0, alike[likeness, default: 0] >= Self.alikeLimit {
        filtered["like others of \(pool.name)", default: 0] += 1
        continue
      }
      if let cause = rules.misfit(idle, pool: pool, job: job, need: need, forks: forks, now: now) {
        filtered[cause, default: 0] += 1
      } else {
        candidates.append(idle.candidate)
        if idle.container.uses == 0 { alike[likeness, default: 0] += 1 }
      }
    }
    for pool in fleet.pools { consider(pool, fleet) }
  }

  private struct Likeness: Hashable {
    var pool: String
    var readiness: Candidate.Readiness
  }

  private mutating func consider(_ pool: Pool, _ fleet: Fleet) {
    if let misfit = rules.misfit(pool, need: need, forks: forks) {
      misfits.append((pool, misfit))
      filtered["new in \(pool.name): \(text(of: misfit))", default: 0] += 1
      return
    }
    fitting.append(pool)
    for host in pool.hosts {
      let missing = fleet.shortages(of: pool, on: host)
      if missing.isEmpty {
        candidates.append(Candidate(newIn: pool, on: host))
      } else {
        shortages.append((pool, missing))
        filtered["new in \(pool.name): no room", default: 0] += 1
      }
    }
  }

  private func text(of misfit: ClassRules.Misfit) -> String {
    switch misfit {
    case .labels: "other labels"
    case .forks: "not for jobs of forks"
    case .size: "too small"
    }
  }

  /// Why there is no place: the nearest obstacle first.
  var waitingReason: String {
    if !shortages.isEmpty {
      // A bound of the pool or of all holds on each of its hosts.
      var seen: Set<String> = []
      return shortages.map(describe).filter { seen.insert($0).inserted }.joined(separator: "; ")
    }
    let small = misfits.filter { $0.1 == .size }.map(\.0)
    if let largest = small.max(by: { ($0.resources.milliCPUs, $0.resources.memory) < ($1.resources.milliCPUs, $1.resources.memory) }) {
      return "too large: its class wants \(need.summary), and the largest of its pools, \(largest.name), has \(largest.resources.summary)"
    }
    if misfits.contains(where: { $0.1 == .forks }) { return "no pool for \(rules.jobClass.labels) accepts jobs of forks" }
    return "no pool offers \(rules.jobClass.labels)\(rules.jobClass.source.map { " to \($0)" } ?? "")"
  }

  private func describe(_ pool: Pool, _ shortages: [Shortage]) -> String {
    switch shortages.first {
    case .poolMaximum(let maximum): "pool \(pool.name) is at its maximum of \(maximum)"
    case .poolSize(let size): "limit of \(size) containers over all pools"
    case .host(let engine, let free):
      "the host of engine \(engine) has \(free.summary) left, and pool \(pool.name) wants \(pool.resources.summary)"
    case .closed(let place): "\(place) is cordoned"
    case .engineSilent(let engine): "engine \(engine) of pool \(pool.name) does not answer"
    case nil: "pool \(pool.name) has room"
    }
  }
}
