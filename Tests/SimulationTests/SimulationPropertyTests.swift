import Domain
import Foundation
import RunnerHub
import Simulation
import Testing

@Suite("A simulation, whatever the traffic")
struct SimulationPropertyTests {
  @Test("every job ends once, and no bound is passed", arguments: 0..<40)
  func bounds(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    func up(to limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
    let jobs = (0..<(5 + up(to: 60))).map { number in
      Sample.job(
        Int64(number), at: Double(up(to: 300)), takes: Double(up(to: 120)), repository: "acme/r\(up(to: 4))",
        labels: [["self-hosted", "linux"], ["linux"], ["docker", "deploy"], ["windows"]][up(to: 4)],
        environment: up(to: 10) == 0 ? "production" : nil)
    }
    let linux = Sample.pool(
      maximum: 1 + up(to: 8), warm: up(to: 3), reuse: ReuseRule(maximumUses: 1 + up(to: 4), maximumAgeSeconds: 120))
    var deploy = Sample.pool(maximum: 1 + up(to: 3))
    deploy.name = "deploy"
    deploy.labels = ["docker", "deploy"]
    // Larger than the others: it needs the room of several of them.
    deploy.resources.milliCPUs = 3000 + 1000 * up(to: 2)
    var conditions = Conditions()
    conditions.containerFailure = 0.1
    conditions.runnerLoss = 0.05
    conditions.jobLoss = 0.05
    conditions.limits = [RegistrationLimit(count: 5 + up(to: 40), seconds: 60)]
    var scenario = Sample.scenario([linux, deploy], conditions, seed: seed)
    scenario.settings.containerPoolSize = 2 + up(to: 9)
    scenario.settings.maximumConcurrentJobs = 1 + up(to: 9)
    scenario.settings.maximumTries = 50
    let cores = 4 + 2 * up(to: 5)
    scenario.hosts["process"]?.milliCPUs = cores * 1000
    let comparison = try Sample.comparison(Trace(name: "random", jobs: jobs), scenario)
    let side = try #require(comparison.sides.first)
    #expect(side.endings.all == jobs.count, "each job ends")
    #expect(side.endings.endedTwice == 0, "and only once")
    #expect(side.endings.forwarded == jobs.count { $0.labels == ["windows"] })
    #expect(side.endings.abandoned == 0)
    let most = min(linux.maximum + deploy.maximum, scenario.settings.containerPoolSize, cores / 2)
    #expect(side.peakContainers <= most)
    #expect(side.peakRunning <= min(most, scenario.settings.maximumConcurrentJobs))
    #expect(side.registrations.peakPerMinute <= scenario.conditions.limits[0].count)
    #expect(side.utilisation <= 1)
    #expect(side.waits.allSatisfy { $0.quantiles.p50 >= 0 && $0.quantiles.largest < 86_400 })
  }

  @Test("the same seed gives the same bytes, another one others")
  func deterministic() throws {
    func bytes(_ seed: UInt64) throws -> Data {
      var workload = try #require(Workload(named: "flaky-engine"))
      workload.hours = 0.05
      let scenario = Scenario(settings: workload.settings, conditions: workload.conditions, pacing: workload.pacing, seed: seed)
      let comparison = try Sample.comparison(workload.trace(seed: seed), scenario)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      return try encoder.encode(comparison) + Data(comparison.text.utf8) + Data(comparison.page.utf8)
    }
    let first = try bytes(7)
    #expect(try bytes(7) == first)
    #expect(try bytes(8) != first)
  }

  @Test("what fails, fails about as often as was stated")
  func rates() throws {
    let jobs = (0..<600).map { Sample.job(Int64($0), at: Double($0) * 2, takes: 10) }
    var conditions = Sample.certain
    conditions.containerFailure = 0.2
    conditions.jobLoss = 0.1
    conditions.lockTime = 30
    var scenario = Sample.scenario(Sample.pool(maximum: 200), conditions)
    scenario.settings.maximumTries = 100
    let side = try Sample.outcome(Trace(name: "rates", jobs: jobs), scenario)
    #expect(side.endings.completed + side.endings.lost == 600)
    #expect(abs(Double(side.failures.jobs) / 600 - 0.1) < 0.04)
    #expect(abs(Double(side.failures.containers) / Double(side.containersMade) - 0.2) < 0.05)
  }

  @Test("a policy that puts deployments first lowers their wait in a full pool, and one that puts them last raises it")
  func betterPolicyWins() throws {
    // Deployments have labels of their own, and share the host with all others.
    var jobs = (0..<80).map { Sample.job(Int64($0), at: Double($0), takes: 60) }
    jobs += (0..<8).map {
      Sample.job(100 + Int64($0), at: 20 + Double($0) * 8, takes: 20, labels: ["docker", "deploy"], environment: "production")
    }
    var deploy = Sample.pool(maximum: 4)
    deploy.name = "deploy"
    deploy.labels = ["docker", "deploy"]
    var scenario = Sample.scenario([Sample.pool(maximum: 8), deploy])
    scenario.settings.containerPoolSize = 6
    let trace = Trace(name: "deploys", jobs: jobs)
    let contenders = [
      Contender(name: "flat", bundle: "flat", policies: LevelPolicy { _ in .normal }),
      Contender(name: "deploys first", bundle: "first", policies: BuiltInPolicy()),
      Contender(name: "deploys last", bundle: "last", policies: LevelPolicy { $0.environment == nil ? .normal : .low }),
    ]
    let comparison = try #require(Comparison(trace, in: scenario, contenders))
    let waits = comparison.sides.prefix(3).compactMap { $0.wait("CRITICAL")?.p99 }
    try #require(waits.count == 3)
    #expect(waits[1] < 0.5 * waits[0])
    #expect(waits[2] > waits[0])
    #expect(comparison.sides.prefix(3).allSatisfy { $0.wait("CRITICAL")?.count == 8 }, "the same jobs on every side")
  }

  @Test("each workload gives about as many jobs as it says, in the order of their creation", arguments: Workload.names)
  func workloads(name: String) throws {
    let workload = try #require(Workload(named: name))
    let trace = workload.trace(seed: 3)
    #expect(trace == workload.trace(seed: 3))
    #expect(trace.jobs != workload.trace(seed: 4).jobs)
    #expect(zip(trace.jobs, trace.jobs.dropFirst()).allSatisfy { $0.createdAt <= $1.createdAt })
    #expect(Set(trace.jobs.map(\.id)).count == trace.jobs.count)
    let minutes = zip(workload.rate, workload.rate.dropFirst())
    let expected = minutes.reduce(0) { $0 + ($1.1.minute - $1.0.minute) * ($1.0.jobsPerMinute + $1.1.jobsPerMinute) / 2 }
    let all = expected + Double(workload.bursts.reduce(0) { $0 + $1.jobs })
    #expect(abs(Double(trace.jobs.count) / all - 1) < 0.15)
  }
}

/// The built-in rule, but for the level.
private final class LevelPolicy: PolicyEngine {
  private let builtIn = BuiltInPolicy()
  private let level: (PolicyJob) -> Priority
  init(_ level: @escaping (PolicyJob) -> Priority) { self.level = level }

  func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> { builtIn.route(job, fleet: fleet) }
  func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> { Verdict(level(job), reason: "a test") }
  func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    builtIn.place(job, candidates: candidates, now: now)
  }
  func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> { builtIn.scale(pool, fleet: fleet) }
}
