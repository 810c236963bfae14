import Contracts
import Domain
import Foundation
import Scheduling
import Testing

@testable import RunnerHub

@Suite("Health and reconciliation")
struct HealthTests {
  /// A bench with one idle container.
  private func warm() async throws -> (Bench, ContainerID) {
    let bench = try Bench { $0.pools = [Bench.pool { $0.minimum = 1 }] }
    var history: [String: ScaleHistory] = [:]
    try await bench.scaling.turn(&history, with: BuiltInPolicy())
    try await bench.work()
    return (bench, try #require(try await bench.store.liveContainers().first).id)
  }

  @Test("a silent engine isolates after enough checks, and good checks bring the container back")
  func hysteresis() async throws {
    let (bench, id) = try await warm()
    let health = bench.makeHealth()
    bench.engine.set(.unavailable("no answer"), on: .list)
    for expected in [ContainerState.ready, .ready, .unhealthy, .unhealthy] {
      await health.check(bench.engine)
      #expect(try await bench.container(id).state == expected)
    }
    bench.engine.set(nil, on: .list)
    for expected in [ContainerState.unhealthy, .ready] {
      await health.check(bench.engine)
      #expect(try await bench.container(id).state == expected)
    }
  }

  /// Runs the monitor, whose next check of its own is hours away.
  private func watching(_ bench: Bench, _ body: @Sendable @escaping () async throws -> Void) async throws {
    let health = bench.makeHealth()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await health.run() }
      group.addTask { try await body() }
      try await group.next()
      group.cancelAll()
    }
  }

  @Test("an engine's hint makes it look at once")
  func hint() async throws {
    let (bench, id) = try await warm()
    try await watching(bench) {
      _ = try await eventually("the first look") { try await bench.container(id).lastHeartbeat == bench.clock.now ? true : nil }
      bench.engine.kill(id)
      bench.engine.event.notify()
      _ = try await eventually("the end of the container's row") { try await bench.container(id).state == .terminating ? true : nil }
    }
  }

  @Test("when an engine's events break off it is watched again, and what was missed is seen")
  func brokenEvents() async throws {
    let (bench, id) = try await warm()
    try await watching(bench) {
      _ = try await eventually("the first look") { try await bench.container(id).lastHeartbeat == bench.clock.now ? true : nil }
      bench.engine.set(.unavailable("the stream ended"), on: .watch)
      bench.engine.event.notify()
      _ = try await eventually("the break") { bench.engine.with { $0.breaks } == 1 ? true : nil }
      bench.engine.kill(id)
      bench.engine.set(nil, on: .watch)
      _ = try await eventually("the end of the container's row") { try await bench.container(id).state == .terminating ? true : nil }
      _ = try await eventually("another watch") { bench.engine.with { $0.watches } >= 2 ? true : nil }
    }
  }

  @Test("a job whose container ran out of memory is told so once, while it runs")
  func wantOfMemory() async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(7)
    bench.engine.with { $0.boxes[assignment.containerID]?.isOutOfMemory = true }
    for _ in 0..<2 { await bench.makeHealth().check(bench.engine) }
    let story = try await bench.store.timeline(ofJob: assignment.jobID).map(\.text)
    #expect(story.count { $0.contains("want of memory") } == 1, "\(story)")
    #expect(try await bench.job(7).lastFailure?.contains("want of memory") == true)
  }

  @Test("a good check is a heartbeat")
  func heartbeat() async throws {
    let (bench, id) = try await warm()
    bench.clock.advance(30)
    await bench.makeHealth().check(bench.engine)
    #expect(try await bench.container(id).lastHeartbeat == bench.clock.now)
  }

  @Test("an idle container that is gone is noted, one whose PID 1 ended is ended, and a stranger is removed")
  func idle() async throws {
    let (bench, id) = try await warm()
    let stranger = ContainerID(rawValue: "rh-p-stranger")
    bench.engine.plant(stranger)
    bench.engine.kill(id)
    await bench.makeHealth().check(bench.engine)
    let row = try await bench.container(id)
    #expect(row.state == .terminating && row.endReason?.contains("137") == true)
    #expect(bench.engine.containers == [id])
    let (other, lost) = try await warm()
    other.engine.lose(lost)
    await other.makeHealth().check(other.engine)
    #expect(try await other.container(lost).state == .gone)
  }

  @Test(
    "a container that is lost before its job began sends the job back, once the forge says that it is still queued",
    arguments: [true, false])
  func lostStarting(isKilled: Bool) async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(7)
    if isKilled { bench.engine.kill(assignment.containerID) } else { bench.engine.lose(assignment.containerID) }
    bench.forge.set(.unavailable("502"), on: .job)
    await bench.makeHealth().check(bench.engine)
    #expect(try await bench.now(assignment).phase == .started)
    bench.forge.set(nil, on: .job)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "queued") }
    await bench.makeHealth().check(bench.engine)
    #expect(try await bench.job(7).state == .queued)
    #expect(try await bench.job(7).tries == 1)
    #expect(bench.forge.runnerNames.isEmpty)
  }

  @Test("a short job whose events are late is not started again")
  func lateEvents() async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(7)
    bench.engine.endUse(assignment.containerID)
    bench.forge.runnerLeft(assignment.id.rawValue)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "completed", conclusion: "success", runner: assignment.id.rawValue) }
    await bench.makeHealth().check(bench.engine)
    #expect(try await bench.job(7).state == .completed)
    #expect(try await bench.now(assignment).endedWithJob)
  }

  @Test("a runner that waits for another use has ended all the same: its job is asked for long before the limit for starts")
  func endedReusable() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.reuse = ReuseRule(maximumUses: 5, maximumAgeSeconds: 3600) }] }
    let assignment = try await bench.begin(7)
    bench.engine.endUse(assignment.containerID)
    bench.forge.runnerLeft(assignment.id.rawValue)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "completed", conclusion: "success", runner: assignment.id.rawValue) }
    let reconciler = bench.makeReconciler()
    await reconciler.turn()
    #expect(try await bench.job(7).state == .starting)
    bench.clock.advance(bench.settings.reconcileAfter + 1)
    await reconciler.turn()
    #expect(try await bench.job(7).state == .completed)
    #expect(try await bench.now(assignment).endedWithJob)
  }

  @Test("a job whose container is lost stays the forge's to end, with the cause")
  func lostRunning() async throws {
    let bench = try Bench()
    let assignment = try await bench.running(7)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "in_progress", runner: assignment.id.rawValue) }
    bench.engine.lose(assignment.containerID)
    await bench.makeHealth().check(bench.engine)
    let job = try await bench.job(7)
    #expect(job.state == .running && job.lastFailure?.contains("is gone from engine") == true)
    try await bench.deliver(Bench.report(7, "completed", conclusion: "failure", runner: assignment.id.rawValue))
    try await bench.work()
    #expect(try await bench.now(assignment).phase == .released)
    #expect(try await bench.container(assignment.containerID).state == .gone)
  }

  // MARK: Reconciliation

  @Test("a lost in_progress and a lost completed are made good by asking")
  func lostEvents() async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(7)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "in_progress", runner: assignment.id.rawValue) }
    bench.clock.advance(121)
    await bench.makeReconciler().turn()
    #expect(try await bench.job(7).state == .running)
    bench.engine.endUse(assignment.containerID)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "completed", conclusion: "success", runner: assignment.id.rawValue) }
    bench.clock.advance(61)
    await bench.makeReconciler().turn()
    #expect(try await bench.job(7).state == .completed)
  }

  @Test("a silent runner is given up after the limit only when the forge still has its job queued")
  func silent() async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(7)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "queued") }
    bench.clock.advance(119)
    await bench.makeReconciler().turn()
    #expect(try await bench.now(assignment).phase == .started)
    bench.clock.advance(2)
    bench.forge.set(.throttled(until: bench.clock.now + 60, "slow down"), on: .job)
    await bench.makeReconciler().turn()
    #expect(try await bench.now(assignment).phase == .started)
    bench.forge.set(nil, on: .job)
    await bench.makeReconciler().turn()
    #expect(try await bench.now(assignment).phase == .released)
    #expect(try await bench.job(7).state == .queued)
  }

  @Test("the lost end of a job that others run, and a lost approval, are found by asking")
  func others() async throws {
    let bench = try Bench()
    try await bench.deliver(Bench.report(7, "in_progress", runner: "theirs"), Bench.report(8, "waiting"))
    bench.forge.with {
      $0.jobs[7] = Bench.report(7, nil, status: "completed", conclusion: "success", runner: "theirs")
      $0.jobs[8] = Bench.report(8, nil, status: "queued")
    }
    bench.clock.advance(601)
    await bench.makeReconciler().turn()
    #expect(try await bench.job(7).state == .completed)
    #expect(try await bench.job(8).state == .received)
  }
}
