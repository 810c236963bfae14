import Domain
import Foundation
import Testing

@testable import RunnerHub

@Suite("How far the move from traditional runners is")
struct MigrationDeskTests {
  private func desk(_ bench: Bench, limit: Int = 10_000) -> MigrationDesk {
    let clock = bench.clock
    return MigrationDesk(
      transactor: bench.transactor, policies: BuiltInSource(),
      fleet: FleetObserver(store: bench.store, pools: bench.settings.pools, drain: bench.drain, now: { clock.now }),
      settings: bench.settings, limit: limit)
  }

  private func traditional(_ bench: Bench, _ id: Int64, labels: [String], runner: String, name: String = "build") async throws {
    try await bench.queue(id, name: name, labels: labels)
    try await bench.deliver(Bench.report(id, "in_progress", runner: runner, labels: labels))
    try await bench.deliver(Bench.report(id, "completed", conclusion: "success", runner: runner, labels: labels))
  }

  @Test("a label set without a pool keeps its runners, and a runner whose label sets are all served may go")
  func judged() async throws {
    let bench = try Bench()
    try await traditional(bench, 1, labels: ["self-hosted", "windows"], runner: "win-1")
    try await traditional(bench, 2, labels: ["self-hosted", "linux"], runner: "lin-1")
    try await traditional(bench, 3, labels: ["ubuntu-latest"], runner: "GitHub Actions 12")
    let status = try await desk(bench).status(since: .distantPast)
    #expect(status.blockers.map(\.kind) == [.noPool])
    #expect(status.blockers.first?.reason == "no pool offers [self-hosted, windows]")
    #expect(status.hosted == 1)
    #expect(status.runners.map(\.name).sorted() == ["lin-1", "win-1"])
    #expect(status.runners.first { $0.name == "lin-1" }?.mayGo == true)
    #expect(status.runners.first { $0.name == "win-1" }?.reasons.count == 1)
  }

  @Test("complete refuses and says what is missing, agrees where a scope has all it needs, and both are written down")
  func complete() async throws {
    let bench = try Bench()
    try await traditional(bench, 1, labels: ["self-hosted", "windows"], runner: "win-1")
    let desk = desk(bench)
    let refused = try await desk.complete(scope: nil, since: .distantPast, actor: "api")
    #expect(!refused.isComplete && refused.blockers.count == 1 && refused.decommission.isEmpty)
    let other = try await desk.complete(scope: "other/shop", since: .distantPast, actor: "api")
    #expect(other.isComplete && other.decommission.isEmpty)
    #expect(try await !desk.complete(scope: "ACME", since: .distantPast, actor: "api").isComplete)
    let events = try await bench.store.auditEvents(limit: 9)
    #expect(events.map(\.action) == ["migration-refused", "migration-completed", "migration-refused"])
    #expect(events.last?.detail == "everything: 1 workflows still need traditional runners")
  }

  @Test("jobs of GitHub's own machines stand against nothing, though some were cancelled before one took them or wait for one")
  func hosted() async throws {
    let bench = try Bench()
    try await traditional(bench, 1, labels: ["ubuntu-latest"], runner: "GitHub Actions 12")
    try await bench.queue(2, labels: ["ubuntu-latest"])
    try await bench.deliver(Bench.report(2, "completed", conclusion: "cancelled", labels: ["ubuntu-latest"]))
    try await bench.queue(3, labels: ["ubuntu-latest"])
    let completion = try await desk(bench).complete(scope: nil, since: .distantPast, actor: "api")
    #expect(completion.isComplete, "\(completion.blockers)")
  }

  @Test("what was not looked at stands against every scope, and no runner may go")
  func truncated() async throws {
    let bench = try Bench()
    try await traditional(bench, 1, labels: ["self-hosted", "linux"], runner: "lin-1")
    try await traditional(bench, 2, labels: ["self-hosted", "linux"], runner: "lin-2")
    #expect(try await desk(bench).complete(scope: nil, since: .distantPast, actor: "api").decommission.count == 2)
    let runners = try await desk(bench, limit: 1).complete(scope: "other/shop", since: .distantPast, actor: "api")
    #expect(!runners.isComplete && runners.decommission.isEmpty && runners.blockers.map(\.kind) == [.unseen])
    try await traditional(bench, 3, labels: ["linux"], runner: "lin-1")
    let workflows = try await desk(bench, limit: 1).status(since: .distantPast)
    #expect(workflows.blockers.map(\.kind) == [.unseen, .unseen] && workflows.runners.allSatisfy { !$0.mayGo })
  }

  @Test("no runner of ours counts as a traditional one: neither of a job that was cancelled before it began, nor one that was released")
  func ownRunners() async throws {
    let bench = try Bench()
    _ = try await bench.begin(1)
    try await bench.deliver(Bench.report(1, "completed", conclusion: "cancelled"))
    #expect(try await bench.job(1).runnerName == nil)
    let released = try await bench.running(2)
    try await bench.finish(2, on: released)
    try await bench.deliver(Bench.report(3, "completed", conclusion: "success", runner: released.id.rawValue))
    #expect(try await bench.job(3).side == .orchestrator)
    #expect(try await bench.store.traditionalWork(since: .distantPast, limit: 9).isEmpty)
    try await bench.queue(4)
    try await bench.deliver(Bench.report(4, "completed", conclusion: "success", runner: "old-1"))
    #expect(try await bench.job(4).side == .traditional)
    #expect(try await bench.store.traditionalWork(since: .distantPast, limit: 9).map(\.runner) == ["old-1"])
  }

  @Test("jobs that are routed here now and still wait for a traditional runner keep it; ended ones do not")
  func open() async throws {
    let bench = try Bench { $0.migration = MigrationSettings(traditionalLabels: ["self-hosted", "linux"]) }
    bench.drain.turnOn()
    try await bench.queue(1)
    #expect(try await bench.job(1).routeCause == .draining)
    let waiting = try await desk(bench).status(since: .distantPast)
    #expect(waiting.blockers.map(\.kind) == [.open])
    try await bench.deliver(Bench.report(1, "completed", conclusion: "success", runner: "old-1"))
    let status = try await desk(bench).status(since: .distantPast)
    #expect(status.blockers.isEmpty && status.runners.map(\.mayGo) == [true])
  }

  @Test("the report adds up, and says loudly which open jobs nobody is known for")
  func report() async throws {
    let bench = try Bench()
    try await traditional(bench, 1, labels: ["self-hosted", "windows"], runner: "win-1")
    try await bench.queue(2, labels: ["macos"])
    let assignment = try await bench.running(3)
    try await bench.finish(3, on: assignment)
    let report = try await desk(bench).report(since: .distantPast, by: .label)
    #expect(report.rows.reduce(0) { $0 + $1.jobs } == report.total.jobs && report.total.jobs == 3)
    #expect(report.total.orchestrator.succeeded == 1 && report.total.traditional.open == 1)
    #expect(report.warnings.count == 1 && report.warnings.first?.contains("1 job is left to traditional runners") == true)
    #expect(report.warnings.first?.contains("[macos]") == true)
  }
}
