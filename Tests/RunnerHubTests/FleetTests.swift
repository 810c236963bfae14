import Domain
import Foundation
import Logging
import Scheduling
import Synchronization
import Testing

@testable import RunnerHub

/// The built-in rule, but for what a test has it say otherwise.
private final class Answers: PolicyEngine, Sendable {
  private let builtIn = BuiltInPolicy()
  let weight: Double
  /// Whether a job may be placed now.
  private let mayPlace: @Sendable (Date) -> Bool

  init(weight: Double = 0, mayPlace: @escaping @Sendable (Date) -> Bool = { _ in true }) {
    self.weight = weight
    self.mayPlace = mayPlace
  }

  func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> { builtIn.route(job, fleet: fleet) }
  func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> {
    var verdict = builtIn.prioritise(job, fleet: fleet)
    verdict.weight = weight
    return verdict
  }
  func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    if mayPlace(now) { return builtIn.place(job, candidates: candidates, now: now) }
    let none = candidates.map { _ in CandidateVerdict(score: nil, reason: "not yet") }
    return Verdict(Placement(candidates: none, strategy: nil), reason: "not yet")
  }
  func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> { builtIn.scale(pool, fleet: fleet) }
}

private struct AnswerSource: PolicySource {
  let engine: Answers
  var activeBundle: String { "answers" }
  func makeEngine() -> any PolicyEngine { engine }
  var status: PolicyStatus { PolicyStatus(bundle: activeBundle) }
}

@Suite("The fleet as policies see it")
struct FleetTests {
  @Test("has its queue by class, what repositories hold, and containers by what they do")
  func picture() async throws {
    let bench = try Bench {
      $0.pools = [
        Bench.pool(),
        Bench.pool {
          $0.name = "gpu"; $0.labels = ["self-hosted", "gpu"]
        },
      ]
    }
    _ = try await bench.begin(1)
    try await bench.queue(2, name: "deploy", labels: ["self-hosted", "linux", "x64"])
    try await bench.queue(3, labels: ["self-hosted", "gpu"])
    try await bench.queue(4, labels: ["self-hosted", "gpu"])
    bench.clock.advance(30)
    let fleet = try await bench.observer.fleet()
    #expect(fleet.queue.map(\.labels) == [["self-hosted", "linux", "x64"], ["self-hosted", "gpu"]])
    #expect(fleet.queue.map(\.count) == [1, 2] && fleet.queue.map(\.priority) == [.critical, .normal])
    #expect(fleet.queue.map(\.pool) == ["p", "gpu"] && fleet.classes == 2 && fleet.pending == 3)
    #expect(fleet.now.timeIntervalSince(try #require(fleet.queue.first).queuedAt) == 30)
    #expect(fleet.repositories == [PolicyUse(repository: "acme/shop", active: 1)])
    let pool = try #require(fleet.pools.first)
    #expect(pool.total == 1 && pool.busy == 1 && pool.idle == 0 && pool.template.image == "runner:1" && pool.pending == 1)
  }

  @Test("has the waits of jobs that started lately, read once in some seconds")
  func waits() async throws {
    let bench = try Bench()
    #expect(try await bench.observer.fleet().waits == PolicyWaits())
    bench.clock.advance(11)
    let assignment = try await bench.begin(1)
    bench.clock.advance(7)
    try await bench.deliver(Bench.report(1, "in_progress", runner: assignment.id.rawValue))
    #expect(try await bench.observer.fleet().waits.count == 0)
    bench.clock.advance(5)
    let waits = try await bench.observer.fleet().waits
    #expect(waits.count == 1 && waits.p50 == 7 && waits.p95 == 7)
  }

  @Test("has failed starts, growth and samples of each pool")
  func history() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.minimum = 2 }] }
    var scales: [String: ScaleHistory] = [:]
    try await bench.scaling.turn(&scales, with: BuiltInPolicy())
    bench.engine.set(.invalid("no image"), on: .start)
    try await bench.queue(7)
    try await bench.plan()
    try await bench.work()
    bench.clock.advance(60)
    let pool = try #require(try await bench.observer.fleet().pools.first)
    #expect(pool.startFailures == 1)
    #expect(pool.grownAt == bench.clock.now - 60 && pool.shrunkAt == nil)
    #expect(pool.history.map(\.total) == [0])
    #expect(try await bench.observer.fleet().pools.first?.history.count == 2)
  }

  @Test("a history is bounded, and forgets")
  func bounded() {
    var history = FleetHistory()
    let start = Date(timeIntervalSince1970: 1_777_000_000)
    var pool = PolicyPool(name: "p", minimum: 0, maximum: 9, warm: 0, total: 0, idle: 0, busy: 0, pending: 0, active: 0)
    for second in 0..<3600 {
      pool.pending = second
      history.note([pool], at: start + Double(second))
      history.noteStartFailure(in: "p", at: start + Double(second))
    }
    history.complete(&pool, at: start + 3599)
    #expect(pool.history.map(\.pending) == (50..<60).map { $0 * 60 })
    #expect(pool.startFailures == 600)
    history.complete(&pool, at: start + 7200)
    #expect(pool.history.isEmpty && pool.startFailures == 0)
  }

  @Test("of many classes the most urgent hundred are shown, and all are counted")
  func manyClasses() {
    let start = Date(timeIntervalSince1970: 1_777_000_000)
    let queue = (0..<250).map { number in
      var job = Job(
        id: JobID(rawValue: "\(number)"), forgeID: Int64(number), runID: 1, runAttempt: 1, repository: Bench.repository, name: "build",
        labels: ["run-\(number)"], headSHA: "a", createdAt: start, receivedAt: start)
      job.orderKey = Double(1000 - number)
      let jobClass = JobClass(scope: "acme", labels: Labels(job.labels))
      return ClassQueue(jobClass: jobClass, count: 1, heads: [job], holdsForkJob: false, largest: nil)
    }
    let fleet = FleetObserver.fleet(pools: [Bench.pool()], containers: [], queue: queue, isDraining: false, now: start)
    #expect(fleet.queue.count == 100 && fleet.classes == 250 && fleet.pending == 250)
    #expect(fleet.queue.first?.labels == ["run-249"])
  }
}

@Suite("What policies answer in time")
struct PolicyTimingTests {
  @Test("a weight moves a job within its level, for good")
  func weight() async throws {
    let bench = try Bench()
    try await bench.queue(1)
    try await bench.deliver(Bench.report(2, "queued"))
    try await bench.decide(with: Answers(weight: 10))
    let (first, second) = (try await bench.job(1), try await bench.job(2))
    #expect(try #require(first.orderKey) - #require(second.orderKey) == 600)
    #expect(second.priority == first.priority)
  }

  @Test("a job that affinity says \"not yet\" to waits with the reason, and goes on when time has come")
  func notYet() async throws {
    let bench = try Bench()
    let evening = bench.clock.now + 3600
    let policy = Answers { $0 >= evening }
    try await bench.queue(7)
    try await bench.plan(with: policy)
    #expect(try await bench.job(7).state == .queued)
    #expect(try await bench.job(7).placementReason == "affinity left out all 1 places: not yet")
    bench.clock.advance(3600)
    try await bench.plan(with: policy)
    #expect(try await bench.job(7).state == .assigned)
  }

  @Test("the planner asks again though nothing happens")
  func asksAgain() async throws {
    let bench = try Bench()
    try await bench.queue(7)
    let asked = Mutex(0)
    let policy = Answers { _ in
      asked.withLock { asked in
        asked += 1
        return asked > 4
      }
    }
    let planner = PlannerService(
      planning: bench.planning, scaling: bench.scaling, policies: AnswerSource(engine: policy), signals: bench.transactor.signals,
      drain: bench.drain, interval: 0.02, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let loop = Task { try await planner.run() }
    let deadline = ContinuousClock.now + .seconds(10)
    while try await bench.job(7).state != .assigned, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    loop.cancel()
    try await loop.value
    #expect(try await bench.job(7).state == .assigned)
    #expect(asked.withLock { $0 } == 5)
  }
}
