import Domain
import Foundation

extension Workload {
  /// Monday, 7 September 2026, 08:00 UTC.
  private static let start = Date(timeIntervalSince1970: 1_788_768_000)

  /// The jobs that a seed gives.
  package func trace(seed: UInt64) -> Trace {
    var maker = TrafficMaker(self, seed: seed)
    return Trace(name: name, jobs: maker.jobs(), span: hours * 3600)
  }

  fileprivate var first: Date { Self.start }
}

/// Runs of workflows, one after another, and the jobs of each.
private struct TrafficMaker {
  /// A kind of workflow.
  struct Kind {
    var workflow: String
    var event: String
    /// Share of all runs.
    var share: Double
    /// A run has from one of them to all.
    var jobs: [(name: String, median: Double)]
    /// Into which its deploy goes.
    var environment: String?
  }

  static let kinds = [
    Kind(
      workflow: "CI", event: "push", share: 0.30, jobs: [("lint", 45), ("build", 210), ("unit-tests", 180), ("integration-tests", 330)]),
    Kind(
      workflow: "Pull request", event: "pull_request", share: 0.52,
      jobs: [("lint", 45), ("unit-tests", 180), ("build (debug)", 200), ("build (release)", 240)]),
    Kind(workflow: "Release", event: "push", share: 0.06, jobs: [("package", 150), ("deploy", 120)], environment: "production"),
    Kind(workflow: "Nightly", event: "schedule", share: 0.08, jobs: [("fuzz", 600), ("audit", 120)]),
    Kind(workflow: "Hotfix checks", event: "push", share: 0.04, jobs: [("unit-tests", 180)]),
  ]

  let workload: Workload
  var random: SplitMix64
  let cumulative: [Double]
  /// How much longer or shorter the jobs of a repository take.
  let factors: [Double]
  var made: [TraceJob] = []
  var runID: Int64 = 900_000

  init(_ workload: Workload, seed: UInt64) {
    self.workload = workload
    random = SplitMix64(state: workload.name.utf8.reduce(seed &* 0x2545_F491_4F6C_DD1D) { $0 &* 31 &+ UInt64($1) })
    var sum = 0.0
    cumulative = (1...max(1, workload.repositories)).map { rank in
      sum += pow(Double(rank), -workload.skew)
      return sum
    }
    var factors: [Double] = []
    for _ in 0..<max(1, workload.repositories) { factors.append(random.sample(.logNormal(median: 1, sigma: 0.35))) }
    self.factors = factors
  }

  mutating func jobs() -> [TraceJob] {
    let seconds = workload.hours * 3600
    let peak = workload.rate.map(\.jobsPerMinute).max() ?? 0
    let jobsOfRun = Self.kinds.reduce(0) { $0 + $1.share * Double($1.jobs.count + 1) / 2 }
    var moment = 0.0
    // A Poisson process thinned from its peak.
    while peak > 0 {
      moment += random.sample(.exponential(mean: 60 * jobsOfRun / peak))
      if moment >= seconds { break }
      if random.unit() < workload.jobsPerMinute(at: moment / 60) / peak { run(at: moment, repository: repository(), limit: .max) }
    }
    for burst in workload.bursts {
      let before = made.count
      while made.count - before < burst.jobs {
        let moment = burst.minute * 60 + random.unit() * burst.spread * 60
        run(at: moment, repository: burst.repository ?? repository(), limit: burst.jobs - (made.count - before))
      }
    }
    return made
  }

  private mutating func repository() -> Int {
    let chance = random.unit() * (cumulative.last ?? 1)
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] < chance { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func run(at moment: Double, repository: Int, limit: Int) {
    var chance = random.unit()
    let kind =
      Self.kinds.first { kind in
        chance -= kind.share
        return chance < 0
      } ?? Self.kinds[0]
    runID += 1
    let count = min(limit, 1 + Int(random.unit() * Double(kind.jobs.count)))
    let isHotfix = kind.workflow == "Hotfix checks"
    let branch = isHotfix ? "hotfix/\(runID)" : kind.event == "pull_request" ? "feature/\(runID)" : "main"
    // A run's last jobs are its heavy ones: a short run has the first only, but a release always deploys.
    for job in kind.environment == nil ? kind.jobs.prefix(count) : kind.jobs.suffix(count) {
      let deploys = job.name == "deploy"
      var labels = ["self-hosted", "linux"]
      let size = random.unit()
      // Labels that no other job's are part of: GitHub would give a runner of [self-hosted, linux, deploy] any job of [self-hosted, linux].
      if deploys { labels = ["docker", "deploy"] } else if size < 0.1 { labels = ["docker", "large-runner"] }
      if !deploys, size > 0.97 { labels = ["windows"] }
      let length = workload.length ?? .logNormal(median: job.median * factors[repository], sigma: 0.6)
      let failed = random.unit() < 0.12
      made.append(
        TraceJob(
          id: 40_000_000 + Int64(made.count), runID: runID, createdAt: workload.first.addingTimeInterval((moment * 1000).rounded() / 1000),
          repository: "acme/\(Self.word(repository))", workflow: kind.workflow, name: job.name, labels: labels, event: kind.event,
          branch: branch, environment: deploys ? kind.environment : nil,
          duration: (min(TraceJob.longest, random.sample(length)) * 1000).rounded() / 1000,
          conclusion: failed ? .failure : .success))
    }
  }

  private static func word(_ number: Int) -> String {
    let words = ["store", "cart", "search", "billing", "docs", "api", "web", "mobile", "auth", "media"]
    return "\(words[number % words.count])-\(number / words.count + 1)"
  }
}
