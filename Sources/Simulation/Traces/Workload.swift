import Domain
import Foundation
package import RunnerHub

/// Traffic that is made up: seeded, so that the same seed gives the same jobs, and shaped like an organisation's.
package struct Workload: Sendable {
  package var name: String
  package var summary: String
  /// Hours of traffic.
  package var hours: Double
  /// Jobs a minute at points of time (minutes from the start), straight lines between them.
  package var rate: [RatePoint]
  package var repositories: Int
  /// Share of the n-th repository: 1/n to this power (Zipf).
  package var skew: Double
  /// Jobs that come at one moment beside all that.
  package var bursts: [Burst]
  /// How long jobs take, in seconds; nil: what their kinds take.
  package var length: Distribution?
  package var conditions: Conditions
  package var settings: Settings
  /// Seconds between two turns of the planner at least, while much changes.
  package var pacing: Pacing

  package struct RatePoint: Hashable, Sendable {
    package var minute: Double
    package var jobsPerMinute: Double
  }

  package struct Burst: Hashable, Sendable {
    package var minute: Double
    package var jobs: Int
    /// Minutes over which they come.
    package var spread: Double
    /// nil: of all repositories.
    package var repository: Int?
  }

  package static let names = ["steady", "morning-burst", "burst-1000", "concurrent-10000", "noisy-neighbour", "flaky-engine"]
  package static var all: [Workload] { names.compactMap { Workload(named: $0) } }

  /// A built-in workload, or nil.
  package init?(named name: String) {
    self.init(name)
    switch name {
    case "steady":
      summary = "one hour of 100 jobs a minute from 300 repositories"
    case "morning-burst":
      summary = "two and a half hours: 20 jobs a minute, 160 from the 45th minute on, then back to 50"
      hours = 2.5
      rate = Self.line([(0, 20), (30, 20), (45, 160), (75, 160), (105, 70), (150, 50)])
      settings = Self.settings(linux: (10, 700), large: (2, 150))
    case "burst-1000":
      summary = "1,000 jobs at one moment into 5 jobs a minute"
      rate = Self.line([(0, 5), (60, 5)])
      bursts = [Burst(minute: 5, jobs: 1000, spread: 0, repository: nil)]
      settings = Self.settings(linux: (10, 1200), large: (2, 200))
    case "concurrent-10000":
      summary = "10,000 jobs within 65 minutes that take two to three hours each, so that all run at once"
      hours = 65.0 / 60
      rate = Self.line([(0, 160), (65, 160)])
      length = .uniform(from: 2 * 3600, to: 3 * 3600)
      settings = Self.settings(linux: (10, 11_000), large: (2, 2000))
      pacing = Pacing(planning: 1, scaling: 5)
    case "noisy-neighbour":
      summary = "40 jobs a minute, and one repository that sends 1,500 within ten minutes, in a pool of 220"
      hours = 1.5
      rate = Self.line([(0, 40), (90, 40)])
      bursts = [Burst(minute: 15, jobs: 1500, spread: 10, repository: 250)]
      settings = Self.settings(linux: (10, 220), large: (2, 40))
    case "flaky-engine":
      summary = "60 jobs a minute on an engine that fails to make one container in seven, and loses others"
      rate = Self.line([(0, 60), (60, 60)])
      conditions.containerFailure = 0.15
      conditions.containerStart = .logNormal(median: 3, sigma: 0.9)
      conditions.runnerLoss = 0.02
      conditions.jobLoss = 0.01
    default: return nil
    }
  }

  private init(_ name: String) {
    self.name = name
    summary = ""
    hours = 1
    rate = Self.line([(0, 100), (60, 100)])
    repositories = 300
    skew = 0.8
    bursts = []
    length = nil
    conditions = Conditions()
    settings = Self.settings(linux: (10, 600), large: (2, 150))
    pacing = Pacing()
  }

  private static func line(_ points: [(Double, Double)]) -> [RatePoint] { points.map { RatePoint(minute: $0, jobsPerMinute: $1) } }

  /// Two pools of the product's defaults: no reuse, a container for each job, some kept warm.
  private static func settings(linux: (minimum: Int, maximum: Int), large: (minimum: Int, maximum: Int)) -> Settings {
    let small = Resources(milliCPUs: 2000, memory: ByteCount(gibibytes: 4), disk: ByteCount(gibibytes: 20))
    let big = Resources(milliCPUs: 4000, memory: ByteCount(gibibytes: 8), disk: ByteCount(gibibytes: 40))
    var settings = Settings(
      scope: .organization("acme"),
      pools: [
        Pool(
          name: "linux", engine: "docker", image: "runner", labels: ["self-hosted", "linux", "docker", "deploy"], resources: small,
          minimum: linux.minimum, maximum: linux.maximum, warm: linux.minimum),
        Pool(
          name: "large", engine: "docker", image: "runner", labels: ["docker", "large-runner"], resources: big,
          minimum: large.minimum, maximum: large.maximum, warm: large.minimum),
      ])
    settings.containerPoolSize = linux.maximum + large.maximum
    settings.maximumConcurrentJobs = linux.maximum + large.maximum
    settings.startsByEngine = ["docker": 16]
    return settings
  }

  /// Pools for traffic of which nothing else is known: they offer every label that asks neither for Windows nor for macOS, in one organisation,
  /// and are as large as its jobs ask.
  package static func settings(servingEvery trace: Trace) -> Settings {
    var settings = settings(linux: (10, 1000), large: (2, 200))
    let asked = trace.jobs.map { Labels($0.labels) }.filter { !$0.contains("windows") && !$0.contains("macos") }
    let ordinary = asked.filter { !$0.contains("large-runner") && !$0.contains("xlarge-runner") }
    settings.pools[0].labels = Labels(settings.pools[0].labels.values + ordinary.flatMap(\.values))
    settings.pools[1].labels = Labels(settings.pools[0].labels.values + settings.pools[1].labels.values + asked.flatMap(\.values))
    for job in trace.jobs {
      let place = Labels(job.labels).isSatisfied(by: settings.pools[0].labels) ? 0 : 1
      guard let need = Job(job, settings: settings).estimate?.resources else { continue }
      settings.pools[place].resources = settings.pools[place].resources.union(need)
    }
    for place in settings.pools.indices { settings.pools[place].acceptsForks = trace.jobs.contains(where: \.isFromFork) }
    return settings
  }

  /// Jobs a minute at a minute of the traffic.
  func jobsPerMinute(at minute: Double) -> Double {
    guard let after = rate.firstIndex(where: { $0.minute >= minute }) else { return rate.last?.jobsPerMinute ?? 0 }
    guard after > 0 else { return rate[0].jobsPerMinute }
    let (a, b) = (rate[after - 1], rate[after])
    let share = b.minute > a.minute ? (minute - a.minute) / (b.minute - a.minute) : 0
    return a.jobsPerMinute + share * (b.jobsPerMinute - a.jobsPerMinute)
  }
}

/// How often the planner looks while much changes. The standard is the product's own.
package struct Pacing: Hashable, Sendable {
  /// Seconds from one turn to the next at least: what changes meanwhile shares it.
  package var planning: Double
  /// Seconds between two turns of scaling at least.
  package var scaling: Double
  package init(planning: Double = 0.1, scaling: Double = PlannerService.spacing) {
    self.planning = planning
    self.scaling = scaling
  }
}
