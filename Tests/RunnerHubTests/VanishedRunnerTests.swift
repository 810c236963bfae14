import Domain
import Foundation
import Testing

@testable import RunnerHub

/// Runners that end without a job, and registrations whose making nobody lived to tell.
struct VanishedRunnerTests {
  /// A runner that waits for its job until the forge removes its registration; then it ends, with code 0.
  private func vanish(_ assignment: Assignment, in bench: Bench, isRemovedByForge: Bool) async throws {
    if isRemovedByForge { bench.forge.runnerLeft(assignment.id.rawValue) }
    bench.engine.endUse(assignment.containerID, log: "")
    bench.forge.with { $0.jobs[assignment.jobID.forgeNumber] = Bench.report(assignment.jobID.forgeNumber, nil, status: "queued") }
    bench.clock.advance(6)
    await bench.makeReconciler().turn()
  }

  @Test("a registration that the forge removed while idle is no failed try: the job gets a new one") func removed() async throws {
    let bench = try Bench { $0.maximumTries = 1 }
    let first = try await bench.begin(1)
    try await vanish(first, in: bench, isRemovedByForge: true)
    let job = try await bench.job(1)
    #expect(job.state == .queued && job.tries == 0 && job.assignment == nil)
    #expect(job.lastFailure?.contains("removed its runner's registration") == true)
    #expect(try await bench.now(first).phase == .released)
    bench.clock.advance(2)
    try await bench.plan()
    try await bench.work()
    let second = try await bench.assignment(of: 1)
    #expect(second.id != first.id && second.phase == .started)
  }

  @Test("a runner that ended by itself, though its registration stood, is a failed try") func broken() async throws {
    let bench = try Bench { $0.maximumTries = 1 }
    let first = try await bench.begin(1)
    try await vanish(first, in: bench, isRemovedByForge: false)
    #expect(try await bench.job(1).state == .failed)
    #expect(bench.forge.runnerNames.isEmpty)
  }

  @Test("a runner that ended since it had its job is believed: the forge says how the job ended") func ran() async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(1)
    bench.forge.runnerLeft(assignment.id.rawValue)
    bench.engine.endUse(assignment.containerID, log: "")
    bench.forge.with { $0.jobs[1] = Bench.report(1, nil, status: "completed", conclusion: "success", runner: assignment.id.rawValue) }
    bench.clock.advance(6)
    await bench.makeReconciler().turn()
    #expect(try await bench.job(1).state == .completed)
    #expect(try await bench.now(assignment).phase == .releasing)
  }

  @Test("a registration whose answer was lost is removed by its name when the job is taken by another runner") func unknownID() async throws
  {
    let bench = try Bench()
    try await bench.queue(1)
    try await bench.plan()
    bench.forge.set(.unavailable("502"), on: .register)
    try await bench.work()
    let assignment = try await bench.assignment(of: 1)
    #expect(assignment.phase == .bound && assignment.runnerID == nil)
    // The call had its effect all the same.
    bench.forge.set(nil, on: .register)
    _ = try await bench.forge.register(
      RunnerRequest(name: assignment.id.rawValue, jobClass: assignment.jobClass, repository: "acme/shop", installationID: nil))
    try await bench.deliver(Bench.report(1, "in_progress", runner: "thief"))
    #expect(try await bench.now(assignment).phase == .releasing)
    try await bench.work()
    #expect(bench.forge.runnerNames.isEmpty)
    #expect(try await bench.now(assignment).phase == .released)
  }

  @Test("a job of which only the end is heard, from a runner of ours that is released already, ran here and is reported") func endAlone()
    async throws
  {
    let bench = try Bench()
    let assignment = try await bench.begin(1)
    bench.forge.runnerLeft(assignment.id.rawValue)
    try await bench.deliver(Bench.report(1, "completed", conclusion: "cancelled"))
    try await bench.work()
    #expect(try await bench.now(assignment).phase == .released)
    try await bench.deliver(Bench.report(2, "completed", conclusion: "success", runner: assignment.id.rawValue, name: "other"))
    #expect(try await bench.job(2).route == .orchestrator)
    #expect(try await bench.store.dueEffects(at: .distantFuture, limit: 10).contains { $0.key == "status/2" })
    try await bench.deliver(Bench.report(3, "completed", conclusion: "success", runner: "stranger", name: "third"))
    #expect(try await bench.job(3).route == .traditional)
  }
}

extension JobID {
  /// GitHub's number of a first attempt.
  fileprivate var forgeNumber: Int64 { Int64(rawValue.prefix { $0.isNumber }) ?? 0 }
}
