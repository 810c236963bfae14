import Domain
import Foundation
import RunnerHub
import Scheduling
import Simulation
import Testing

@Suite("A simulation, by hand")
struct SimulationTests {
  @Test("three jobs on one container that is made anew for each wait for each other")
  func threeJobsOneContainer() throws {
    let trace = Trace(
      name: "tiny", jobs: [Sample.job(1, at: 0, takes: 60), Sample.job(2, at: 0, takes: 60), Sample.job(3, at: 0, takes: 60)])
    let outcome = try Sample.outcome(trace, Sample.scenario(Sample.pool(maximum: 1)))
    // A delivery takes 1 s, a container 2 s, a registration 1 s, a connection 3 s: the first job begins after 7 s. The runner ends 1 s
    // after its job, its container is gone 1 s later, and then the next one is made: 2 + 1 + 3.
    #expect(outcome.endings.completed == 3)
    let waits = try #require(outcome.wait("all"))
    #expect(abs(waits.p50 - (7 + 60 + 2 + 6)) < 0.5)
    #expect(abs(waits.largest - (7 + 2 * (60 + 2 + 6))) < 1)
    #expect(outcome.peakContainers == 1)
    #expect(outcome.peakRunning == 1)
    #expect(outcome.containersMade == 3)
    #expect(outcome.reuse == 0)
  }

  @Test("a container that may be used again serves the jobs of its repository without being made anew")
  func reuse() throws {
    let trace = Trace(name: "tiny", jobs: (0..<3).map { Sample.job(Int64($0), at: Double($0) * 100, takes: 60) })
    let pool = Sample.pool(maximum: 1, warm: 1, reuse: ReuseRule(maximumUses: 5, maximumAgeSeconds: 3600))
    let outcome = try Sample.outcome(trace, Sample.scenario(pool))
    #expect(outcome.containersMade == 1)
    #expect(abs(outcome.reuse - 2.0 / 3) < 0.001)
    // The later ones need no container: delivery, registration, connection.
    #expect(abs(try #require(outcome.wait("all")).p50 - 5) < 0.3)
    let strangers = Trace(
      name: "tiny", jobs: (0..<3).map { Sample.job(Int64($0), at: Double($0) * 100, takes: 60, repository: "acme/r\($0)") })
    #expect(try Sample.outcome(strangers, Sample.scenario(pool)).reuse == 0)
  }

  @Test("utilisation is busy by existing seconds, and the baseline has a runner for each repository all the time")
  func utilisation() throws {
    let trace = Trace(name: "tiny", jobs: [Sample.job(1, at: 0, takes: 90), Sample.job(2, at: 0, takes: 30, repository: "acme/other")])
    let comparison = try Sample.comparison(trace, Sample.scenario(Sample.pool(maximum: 4)))
    let side = try #require(comparison.sides.first)
    // Each exists from its binding at 1 s: 6 s until its job begins, and 2 s after it.
    #expect(abs(side.busyHours * 3600 - 120) < 0.01)
    #expect(abs(side.utilisation - 120.0 / (120 + 2 * 8 - 2)) < 0.02)
    let baseline = try #require(comparison.baseline)
    #expect(abs(comparison.window - 97) < 0.5)
    #expect(abs(baseline.utilisation - 120 / (2 * comparison.window)) < 0.001)
    #expect(baseline.wait("all")?.largest == 0)
  }

  @Test("a runner for each repository serves that repository's jobs in order")
  func baselineOrder() throws {
    let jobs = [
      Sample.job(1, at: 0, takes: 50), Sample.job(2, at: 10, takes: 50), Sample.job(3, at: 20, takes: 50, repository: "acme/other"),
    ]
    let baseline = try #require(try Sample.comparison(Trace(name: "tiny", jobs: jobs), Sample.scenario(Sample.pool(maximum: 4))).baseline)
    #expect(baseline.wait("all")?.largest == 40)
    #expect(baseline.wait("all")?.p50 == 0)
    #expect(baseline.peakContainers == 2)
  }

  @Test("GitHub's limits hold registrations back, in the order of asking")
  func registrationLimits() throws {
    let trace = Trace(name: "tiny", jobs: (0..<10).map { Sample.job(Int64($0), at: 0, takes: 5) })
    var scenario = Sample.scenario(Sample.pool(maximum: 20))
    scenario.conditions.limits = [RegistrationLimit(count: 4, seconds: 60)]
    let outcome = try Sample.outcome(trace, scenario)
    #expect(outcome.registrations.count == 10)
    #expect(outcome.registrations.peakPerMinute == 4)
    #expect(outcome.registrations.delayed == 6)
    #expect(abs(outcome.registrations.longestDelay - 120) < 0.5)
    #expect(try #require(outcome.wait("all")).largest > 120)
  }

  @Test("GitHub gives a free runner the oldest job of its class, whatever job it was made for")
  func oldestFirst() throws {
    // The second is made for the urgent job, which is of the same class: GitHub gives it the older one.
    var jobs = (0..<4).map { Sample.job(Int64($0), at: Double($0), takes: 100) }
    jobs.append(Sample.job(9, at: 10, takes: 100, environment: "production"))
    let outcome = try Sample.outcome(Trace(name: "tiny", jobs: jobs), Sample.scenario(Sample.pool(maximum: 1)))
    #expect(outcome.endings.completed == 5)
    let critical = try #require(outcome.wait("CRITICAL"))
    #expect(critical.largest == outcome.wait("all")?.largest)
  }

  @Test("policies see the last minutes as they do live: sizes, failed starts, growth and waits")
  func history() throws {
    let trace = Trace(name: "minutes", jobs: (0..<30).map { Sample.job(Int64($0), at: Double($0) * 20, takes: 15) })
    var scenario = Sample.scenario(Sample.pool(maximum: 4, warm: 1))
    scenario.conditions.runnerLoss = 0.3
    scenario.settings.maximumTries = 100
    let watcher = HistoryWatcher()
    _ = try Sample.outcome(trace, scenario, watcher)
    #expect(watcher.samples >= 5)
    #expect(watcher.startFailures > 0)
    #expect(watcher.hasGrown)
    #expect(watcher.waits > 0)
  }

  @Test("a large job gets the room of several small idle containers, which their pool does not take again")
  func roomOfSeveral() throws {
    var small = Sample.pool(maximum: 8, warm: 4)
    small.resources.milliCPUs = 1000
    var big = Sample.pool(maximum: 1)
    big.name = "big"
    big.labels = ["docker", "deploy"]
    big.resources.milliCPUs = 4000
    var scenario = Sample.scenario([small, big])
    scenario.hosts["process"]?.milliCPUs = 4000
    let trace = Trace(name: "large", jobs: [Sample.job(1, at: 60, takes: 30, labels: ["docker", "deploy"])])
    let outcome = try Sample.outcome(trace, scenario)
    #expect(outcome.endings.completed == 1)
    #expect(try #require(outcome.wait("all")).largest < 20)
  }

  @Test("a job that no pool can hold is forwarded, and one that waits for a day is cancelled by GitHub")
  func endings() throws {
    let jobs = [
      Sample.job(1, at: 0, takes: 5, labels: ["windows"]), Sample.job(2, at: 0, takes: 5, labels: ["linux", "gpu"]),
      Sample.job(3, at: 0, takes: 5, labels: ["linux", "cpu-64"]), Sample.job(4, at: 0, takes: 5),
    ]
    let pool = Sample.pool(maximum: 2)
    let wide = Pool(
      name: "wide", engine: "process", image: "", labels: ["linux", "cpu-64"], resources: pool.resources, minimum: 0, maximum: 1, warm: 0)
    let outcome = try Sample.outcome(Trace(name: "tiny", jobs: jobs), Sample.scenario([pool, wide]))
    #expect(outcome.endings.forwarded == 2)
    #expect(outcome.endings.abandoned == 1)
    #expect(outcome.endings.completed == 1)
  }
}

/// The built-in rule, which looks at what history it is shown.
private final class HistoryWatcher: PolicyEngine {
  private let builtIn = BuiltInPolicy()
  private(set) var samples = 0
  private(set) var startFailures = 0
  private(set) var hasGrown = false
  private(set) var waits = 0

  func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> { builtIn.route(job, fleet: fleet) }
  func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> { builtIn.prioritise(job, fleet: fleet) }
  func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    builtIn.place(job, candidates: candidates, now: now)
  }
  func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> {
    samples = max(samples, pool.history.count)
    startFailures = max(startFailures, pool.startFailures)
    hasGrown = hasGrown || pool.grownAt != nil
    waits = max(waits, fleet.waits.count)
    return builtIn.scale(pool, fleet: fleet)
  }
}
