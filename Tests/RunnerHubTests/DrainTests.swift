import Domain
import Foundation
import RunnerHub
import Testing

@Suite("Draining and loops")
struct DrainTests {
  @Test("while RunnerHub drains the planner binds nothing more")
  func noBinding() async throws {
    let bench = try Bench()
    try await bench.queue(7)
    bench.drain.turnOn()
    let loop = Task { try await bench.planning.run() }
    bench.transactor.signals.changed()
    for _ in 0..<100 { await Task.yield() }
    loop.cancel()
    try await loop.value
    #expect(try await bench.job(7).state == .queued)
    #expect(try await bench.store.activeAssignments().isEmpty)
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
}
