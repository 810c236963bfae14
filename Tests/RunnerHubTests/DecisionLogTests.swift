import Domain
import Foundation
import Logging
import Testing

@testable import RunnerHub
@testable import Scheduling

@Suite("The decision log")
struct DecisionLogTests {
  @Test("every decision on a job can be made again from what is stored: job, fleet and candidates")
  func replayable() async throws {
    let bench = try Bench()
    try await bench.queue(1)
    bench.clock.advance(3)
    try await bench.plan()
    let decisions = try await bench.store.decisions(ofJob: try await bench.job(1).id)
    #expect(decisions.map(\.kind) == ["routing", "priority", "affinity"])
    #expect(Set(decisions.map(\.input)).count == 1)
    let builtIn = BuiltInPolicy()
    for decision in decisions {
      guard case .job(let job)? = try await bench.store.decisionInput(try #require(decision.input))?.content,
        case .fleet(let snapshot)? = try await bench.store.decisionInput(try #require(decision.snapshot))?.content
      else {
        Issue.record("an input of \(decision.kind) is missing")
        return
      }
      #expect(job.id == decision.jobID)
      switch decision.kind {
      case "routing": #expect(builtIn.route(job, fleet: snapshot.fleet).value.rawValue == decision.output)
      case "priority": #expect(builtIn.prioritise(job, fleet: snapshot.fleet).value.word == decision.output)
      default:
        #expect(snapshot.fleet.pending == 1)
        #expect(snapshot.containers.map(\.name) == decision.candidates.map(\.name) && decision.candidates.map(\.name) == ["new in p"])
        let again = builtIn.place(job, candidates: snapshot.containers, now: snapshot.fleet.now)
        #expect(again.value.candidates.map(\.score) == decision.candidates.map(\.score))
      }
    }
  }

  /// Leaves out every candidate.
  private final class PickyPolicy: PolicyEngine {
    private let builtIn = BuiltInPolicy()
    func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> { builtIn.route(job, fleet: fleet) }
    func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> { builtIn.prioritise(job, fleet: fleet) }
    func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
      Verdict(Placement(candidates: candidates.map { _ in .init(score: nil, reason: "kept") }, strategy: nil), reason: "picky")
    }
    func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> { builtIn.scale(pool, fleet: fleet) }
  }

  @Test("that affinity left out all places of a job is a decision too, once while nothing changes")
  func leftOut() async throws {
    let bench = try Bench()
    try await bench.queue(1)
    var memory = PlanningTurn.Memory()
    for _ in 0..<3 {
      bench.clock.advance(100)
      _ = try await bench.planning.turn(&memory, with: PickyPolicy())
    }
    let decisions = try await bench.store.decisions(ofJob: try await bench.job(1).id).filter { $0.kind == "affinity" }
    #expect(decisions.map(\.output) == ["none"] && decisions.first?.pool == nil)
    #expect(decisions.first?.candidates.map(\.reason) == ["kept"] && decisions.first?.snapshot != nil)
    try await bench.plan()
    #expect(try await bench.store.decisions(ofJob: try await bench.job(1).id).last?.candidates.map(\.name) == ["new in p"])
  }

  @Test("jobs decided in one turn share one snapshot of the fleet")
  func sharedSnapshot() async throws {
    let bench = try Bench()
    try await bench.deliver((1...3).map { Bench.report($0, "queued") })
    try await bench.decide()
    let decisions = try await bench.store.decisions(since: .distantPast, after: 0, limit: 99).map(\.record)
    #expect(decisions.count == 6)
    #expect(Set(decisions.map(\.snapshot)).count == 1)
    #expect(Set(decisions.map(\.input)).count == 3)
  }

  @Test("a change of a pool's size is a decision with the fleet that it was made from")
  func scaling() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.minimum = 2 }] }
    var history: [String: ScaleHistory] = [:]
    try await bench.scaling.turn(&history, with: BuiltInPolicy())
    let decisions = try await bench.store.decisions(since: .distantPast, after: 0, limit: 99).map(\.record)
    #expect(decisions.map(\.kind) == ["scaling"])
    let digest = try #require(decisions.first?.snapshot)
    guard case .fleet(let snapshot)? = try await bench.store.decisionInput(digest)?.content else {
      Issue.record("no snapshot")
      return
    }
    #expect(snapshot.fleet.pools.map(\.name) == ["p"] && decisions[0].input == nil)
  }

  @Test("a record holds the best candidates first, at most the limit, and always the chosen one", arguments: [nil, 0, 59])
  func candidates(chosen: Int?) throws {
    let containers = (0..<60).map { number in
      PolicyContainer(
        id: "c\(number)", name: "warm-\(number)", pool: "p", isNew: false, labels: [], resources: Bench.pool().resources, uses: 0,
        repository: nil, createdAt: nil, idleSince: nil)
    }
    // The last are the best but for a filtered one; equal scores keep their order.
    let verdicts = (0..<60).map { CandidateVerdict(score: $0 == 30 ? nil : Double($0 / 2), reason: "r\($0)") }
    let question = AffinityQuestion(
      job: PolicyJob(try Self.job()), containers: containers, verdict: Verdict(Placement(candidates: verdicts, strategy: nil), reason: ""))
    let binding = Plan.Binding(
      jobID: JobID(rawValue: "1"), jobClass: JobClass(scope: "", labels: []),
      candidate: chosen.map { .warm(ContainerID(rawValue: "c\($0)")) } ?? .new(pool: "p", host: "process"), pool: "p", isRefusal: false,
      strategy: .leastLoaded, reason: "", considered: [], filtered: [:])
    let answered = question.answered(with: binding)
    #expect(answered.candidates.count == DecisionRecord.candidateLimit)
    #expect(answered.candidates.map(\.id) == answered.containers.map(\.id))
    #expect(answered.candidates.prefix(3).map(\.id) == ["c58", "c59", "c56"])
    if let chosen { #expect(answered.candidates.contains { $0.id == "c\(chosen)" }) }
    let scores = answered.candidates.map { $0.score ?? -1 }
    #expect(scores == scores.sorted(by: >))
  }

  private static func job() throws -> Job {
    Job(
      id: JobID(rawValue: "1"), forgeID: 1, runID: 1, runAttempt: 1, repository: Bench.repository, workflow: nil, name: "build", labels: [],
      headSHA: "", state: .queued, createdAt: .distantPast, receivedAt: .distantPast)
  }

  @Test("a job that did not change is encoded once, and one that failed to start again")
  func encodedOnce() throws {
    let log = CountingLog()
    let inputs = JobInputs(log: log)
    var job = try Self.job()
    let first = try inputs.input(of: PolicyJob(job), at: .distantPast)
    #expect(try inputs.input(of: PolicyJob(job), at: .distantPast) == first)
    job.tries = 1
    _ = try inputs.input(of: PolicyJob(job), at: .distantPast)
    #expect(log.count.withLock { $0 } == 2)
  }

  @Test("recent values forget the oldest and keep what is used")
  func recentValues() {
    var values = RecentValues<Int, Int>(capacity: 10)
    for number in 0..<100 {
      values[number] = number
      #expect(values[0] == 0)
      #expect(values.count <= 10)
    }
    #expect(values[99] == 99 && values[96] == 96 && values[50] == nil)
  }

  @Test("retention removes what is too old and what is too much, step by step")
  func retention() async throws {
    let bench = try Bench {
      $0.decisionRetention = 100
      $0.maximumDecisions = 300
    }
    try await bench.store.commit(Self.decisions(600, at: bench.clock.now), at: .jobDecided)
    let retention = DecisionRetention(transactor: bench.transactor, settings: bench.settings, logger: Logger(label: "test"))
    #expect(try await retention.turn())
    #expect(try await bench.store.decisionCount() == 350)
    #expect(try await !retention.turn())
    #expect(try await bench.store.decisionCount() == 300)
    bench.clock.advance(101)
    while try await retention.turn() {}
    #expect(try await bench.store.decisionCount() == 0)
  }

  private static func decisions(_ count: Int, at now: Date) -> Changes {
    var changes = Changes()
    changes.decisions = (0..<count).map { _ in
      DecisionRecord(
        kind: "routing", jobID: nil, pool: nil, output: "orchestrator", reason: "", bundle: "built-in", fallbackCause: nil, microseconds: 1,
        at: now)
    }
    return changes
  }
}

/// Counts how often something is encoded.
private final class CountingLog: DecisionLog {
  let count = Shared(0)
  func input(of content: DecisionInput.Content, at now: Date) throws(StoreError) -> DecisionInput {
    count.withLock { $0 += 1 }
    return DecisionInput(digest: "\(count.withLock { $0 })", content: content, at: now)
  }
  func decisions(since: Date, after id: Int64, limit: Int) async throws(StoreError) -> [(id: Int64, record: DecisionRecord)] { [] }
  func decisionInput(_ digest: String) async throws(StoreError) -> DecisionInput? { nil }
  func forgetDecisions(before time: Date, keeping: Int, limit: Int) async throws(StoreError) -> ForgottenDecisions {
    ForgottenDecisions(decisions: 0, inputs: 0)
  }
}
