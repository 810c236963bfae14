import Domain
import Foundation
import Logging
import RunnerHub
import Scheduling
import ServiceLifecycle
import Testing

@Suite("Draining and loops")
struct DrainTests {
  @Test("while RunnerHub drains the planner binds nothing more")
  func noBinding() async throws {
    let bench = try Bench()
    try await bench.queue(7)
    bench.drain.turnOn()
    let planner = bench.planner
    let loop = Task { try await planner.run() }
    bench.transactor.signals.changed()
    for _ in 0..<100 { await Task.yield() }
    loop.cancel()
    try await loop.value
    #expect(try await bench.job(7).state == .queued)
    #expect(try await bench.store.activeAssignments().isEmpty)
  }

  @Test("the planner binds what waits and keeps pools at their size by itself")
  func planner() async throws {
    let bench = try Bench()
    try await bench.queue(7)
    let planner = bench.planner
    let loop = Task { try await planner.run() }
    let deadline = ContinuousClock.now + .seconds(10)
    while try await bench.job(7).state != .assigned, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    loop.cancel()
    try await loop.value
    #expect(try await bench.job(7).state == .assigned)
    #expect(try await bench.store.liveContainers().count <= bench.settings.pools[0].maximum)
  }

  @Test("the manager carries what it finds in the store to its end by itself")
  func manager() async throws {
    let bench = try Bench()
    try await bench.queue(7)
    try await bench.plan()
    let manager = bench.makeManager()
    let loop = Task { try await manager.run() }
    let deadline = ContinuousClock.now + .seconds(10)
    while try await bench.job(7).state != .starting, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    let assignment = try await bench.assignment(of: 7)
    try await bench.deliver(Bench.report(7, "in_progress", runner: assignment.id.rawValue))
    try await bench.finish(7, on: assignment)
    while try await !bench.store.liveContainers().isEmpty, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    loop.cancel()
    try await loop.value
    #expect(try await bench.now(assignment).phase == .released)
    #expect(bench.engine.containers.isEmpty)
  }

  @Test("a drain ends idle containers, waits for running jobs, and then stops by itself")
  func drain() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.minimum = 1 }] }
    let running = try await bench.running(7)
    var history: [String: ScaleHistory] = [:]
    try await bench.scaling.turn(&history, with: BuiltInPolicy())
    try await bench.deliver(Bench.report(8, "queued"))
    try await bench.decide()
    try await bench.plan()
    let manager = bench.makeManager()
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let orchestrator = RunnerOrchestrator(
      transactor: bench.transactor, loops: [("assignments", { try await manager.run() })], drain: bench.drain,
      monitor: OrchestratorMonitor(startedAt: bench.clock.now), drainLimit: 3600, logger: logger)
    let group = ServiceGroup(services: [orchestrator], logger: logger)
    let service = Task { try await group.run() }
    await group.triggerGracefulShutdown()
    let deadline = ContinuousClock.now + .seconds(10)
    while try await bench.job(8).state != .starting, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    // Bound before the drain: it still gets its runner, and ends as every other.
    let second = try await bench.assignment(of: 8)
    try await bench.deliver(Bench.report(8, "in_progress", runner: second.id.rawValue))
    #expect(bench.engine.containers.isSuperset(of: [running.containerID, second.containerID]))
    try await bench.finish(8, on: second)
    try await bench.finish(7, on: running)
    try await service.value
    #expect(bench.drain.isOn)
    #expect(try await bench.store.liveContainers().isEmpty)
    #expect(bench.engine.containers.isEmpty)
  }
}
