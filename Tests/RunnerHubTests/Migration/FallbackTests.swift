import Domain
import Foundation
import Logging
import Testing

@testable import RunnerHub

@Suite("Fallback to traditional runners after the limit")
struct FallbackTests {
  private func bench(_ traditional: Labels = ["self-hosted", "linux"]) throws -> Bench {
    try Bench { $0.migration = MigrationSettings(traditionalLabels: traditional, fallbackAfter: 60) }
  }

  private func turn(_ bench: Bench) -> FallbackTurn {
    FallbackTurn(
      transactor: bench.transactor, drain: bench.drain, settings: bench.settings,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  @Test("a job that waited past the limit is left to others, and the forge is told")
  func fallBack() async throws {
    let bench = try bench()
    try await bench.queue(1)
    bench.clock.advance(59)
    try await turn(bench).turn()
    #expect(try await bench.job(1).state == .queued)
    bench.clock.advance(2)
    try await turn(bench).turn()
    let job = try await bench.job(1)
    #expect(job.state == .forwarded && job.route == .traditional && job.routeCause == .waitedTooLong)
    #expect(job.routeReason?.hasPrefix("no container within 60 s") == true)
    #expect(try await bench.store.queue(heads: 1).isEmpty)
    let effects = try await bench.store.dueEffects(at: .distantFuture, limit: 9)
    guard case .status(let update)? = effects.first(where: { $0.key.hasPrefix("status/") })?.kind else {
      Issue.record("\(effects)")
      return
    }
    #expect(update.status == .completed && update.conclusion == .neutral)
    #expect(update.title.hasPrefix("Left to traditional runners: no container within"))
  }

  @Test("a job that no traditional runner could take stays, however long it waits, and hides nobody behind it")
  func stays() async throws {
    let bench = try bench(["self-hosted"])
    for id in 1...300 { try await bench.deliver(Bench.report(Int64(id), "queued")) }
    while try await bench.triage.turn(with: BuiltInPolicy()).decided > 0 {}
    try await bench.queue(301, labels: ["self-hosted"])
    bench.clock.advance(100)
    let turn = turn(bench)
    for _ in 0..<2 { try await turn.turn() }
    #expect(try await bench.job(1).state == .queued)
    #expect(try await bench.job(301).state == .forwarded)
  }

  @Test("a job that was left to others keeps its class in mind, whoever left it, where a pool offers its labels")
  func classes() async throws {
    let bench = try bench()
    try await bench.queue(1)
    bench.clock.advance(61)
    try await turn(bench).turn()
    let jobClass = JobClass(scope: "acme/shop", labels: ["linux", "self-hosted"])
    #expect(try await bench.job(1).jobClass == jobClass)
    bench.drain.turnOn()
    try await bench.queue(2)
    try await bench.queue(3, labels: ["windows"])
    #expect(try await bench.job(2).state == .forwarded)
    #expect(try await bench.job(2).jobClass == jobClass)
    #expect(try await bench.job(3).jobClass == nil)
  }

  @Test("a fork's job is never left to others by waiting, only by a drain")
  func forks() async throws {
    let bench = try Bench {
      $0.pools = [Bench.pool { $0.acceptsForks = true }]
      $0.migration = MigrationSettings(traditionalLabels: ["self-hosted", "linux"], fallbackAfter: 60)
    }
    let commit = String(repeating: "a", count: 40)
    bench.forge.with {
      $0.runs[100] = RunReport(
        action: nil, id: 100, attempt: 1, repository: "acme/shop", headSHA: commit, status: "queued", conclusion: nil,
        context: RunContext(event: "pull_request", path: ".github/workflows/ci.yml", headRepositoryID: 99, actor: nil),
        definitionRefs: [commit])
    }
    try await bench.queue(1)
    #expect(try await bench.job(1).isFromFork)
    bench.clock.advance(100)
    try await turn(bench).turn()
    #expect(try await bench.job(1).state == .queued)
    bench.drain.turnOn()
    try await turn(bench).turn()
    #expect(try await bench.job(1).state == .forwarded)
    #expect(try await bench.job(1).routeCause == .draining)
  }

  @Test("as a drain begins, what waits and others can take is left to them at once, wherever the walk stands and without a limit")
  func draining() async throws {
    let bench = try Bench {
      $0.pools = [Bench.pool { $0.labels = ["self-hosted", "linux", "arm"] }]
      $0.migration = MigrationSettings(traditionalLabels: ["self-hosted", "linux"])
    }
    for id in 1...300 { try await bench.deliver(Bench.report(Int64(id), "queued")) }
    while try await bench.triage.turn(with: BuiltInPolicy()).decided > 0 {}
    try await bench.queue(301, labels: ["self-hosted", "arm"])
    let turn = turn(bench)
    #expect(try await turn.turn() == 0)
    bench.drain.turnOn()
    try await turn.leaveAll()
    let job = try await bench.job(300)
    #expect(job.state == .forwarded && job.routeCause == .draining && job.routeReason == "RunnerHub is draining")
    #expect(try await bench.store.jobCounts()[.forwarded] == 300)
    #expect(try await bench.job(301).state == .queued)
  }

  @Test("a job that has its runner is not left to others")
  func assigned() async throws {
    let bench = try bench()
    _ = try await bench.begin(1)
    bench.clock.advance(100)
    try await turn(bench).turn()
    #expect(try await bench.job(1).state == .starting)
  }

  @Test("the forge may give it to a runner of ours that was made for another job: then it runs here, and that job waits again")
  func runsHereYet() async throws {
    let bench = try bench()
    try await bench.queue(1)
    bench.clock.advance(61)
    try await turn(bench).turn()
    let assignment = try await bench.begin(2)
    try await bench.deliver(Bench.report(1, "in_progress", runner: assignment.id.rawValue))
    let job = try await bench.job(1)
    #expect(job.state == .running && job.route == .orchestrator && job.side == .orchestrator && job.routeCause == .takenFirst)
    #expect(try await bench.job(2).state == .queued)
    try await bench.finish(1, on: assignment)
    let row = try #require(try await bench.store.migrationRows(by: .all, since: .distantPast, limit: 1).first)
    #expect(row.orchestrator.jobs == 2 && row.orchestrator.succeeded == 1 && row.traditional.jobs == 0)
  }

  @Test("a job that a traditional runner takes is followed to its end")
  func observed() async throws {
    let bench = try bench()
    try await bench.queue(1)
    bench.clock.advance(61)
    try await turn(bench).turn()
    bench.clock.advance(5)
    try await bench.deliver(Bench.report(1, "in_progress", runner: "old-1"))
    bench.clock.advance(30)
    try await bench.deliver(Bench.report(1, "completed", conclusion: "failure", runner: "old-1"))
    let side = try #require(try await bench.store.migrationRows(by: .all, since: .distantPast, limit: 1).first).traditional
    #expect(side.jobs == 1 && side.failed == 1 && side.waitP50 == 66 && side.runP50 == 30)
    #expect(try await bench.store.traditionalWork(since: .distantPast, limit: 9).map(\.runner) == ["old-1"])
  }
}
