import Domain
import Foundation
import Testing

@testable import RunnerHub

@Suite("Reconciliation of many waiting jobs")
struct WaitingJobsTests {
  @Test("every waiting job is asked for in its turn, a few at a time, and none twice in ten minutes")
  func sweep() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.maximum = 0 }] }
    for id in 1...25 { try await bench.queue(Int64(id)) }
    let reconciler = bench.makeReconciler()
    await reconciler.turn()
    #expect(bench.forge.count(.job) == 0, "young jobs are not asked for")
    bench.clock.advance(700)
    for _ in 0..<4 {
      let before = bench.forge.count(.job)
      await reconciler.turn()
      #expect(bench.forge.count(.job) - before <= 10)
    }
    #expect(bench.forge.count(.job) == 25)
    await reconciler.turn()
    #expect(bench.forge.count(.job) == 25)
    bench.clock.advance(601)
    for _ in 0..<5 { await reconciler.turn() }
    #expect(bench.forge.count(.job) == 50)
  }

  @Test("a runner's hook fails a refused job only once the forge has said that it is still queued")
  func overdueRefusal() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.definition = .required }] }
    try await bench.queue(7)
    #expect(try await bench.job(7).state == .refused)
    let reconciler = bench.makeReconciler()
    func action(after fault: ForgeError?) async throws -> Job.RefusalAction? {
      bench.forge.set(fault, on: .job)
      bench.clock.advance(700)
      await reconciler.turn()
      return try await bench.job(7).refusalAction
    }
    #expect(try await action(after: .unavailable("down")) == nil)
    #expect(try await action(after: .notFound("job 7")) == nil)
    #expect(bench.forge.count(.job) == 2)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "queued") }
    #expect(try await action(after: nil) == .failByHook)
  }

  @Test("many jobs of our own do not keep jobs of others from being asked for")
  func others() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.maximum = 0 }] }
    for id in 1...30 { try await bench.queue(Int64(id)) }
    try await bench.queue(99, labels: ["windows"])
    #expect(try await bench.job(99).state == .forwarded)
    var changed = Bench.report(99, "in_progress", runner: "elsewhere", labels: ["windows"])
    changed.action = nil
    bench.forge.with { [changed] in $0.jobs[99] = changed }
    bench.clock.advance(700)
    await bench.makeReconciler().turn()
    #expect(try await bench.job(99).state == .running)
  }
}
