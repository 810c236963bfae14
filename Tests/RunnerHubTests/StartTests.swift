import Domain
import Foundation
import Scheduling
import Testing

@testable import RunnerHub

@Suite("Starting runners")
struct StartTests {
  @Test("a queued job gets a container, a registration, its files, and the marker")
  func start() async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(7)
    #expect(assignment.phase == .started)
    #expect(try await bench.job(7).state == .starting)
    #expect(bench.forge.runnerNames == [assignment.id.rawValue])
    let box = try #require(bench.engine.box(assignment.containerID))
    #expect(Set(box.files.keys) == [".runner", ".env", ".setup_info", ".runnerhub/started.sh", ".runnerhub-go"])
    #expect(box.use == 1)
  }

  @Test("a job cancelled in the queue never gets a container")
  func cancelledQueued() async throws {
    let bench = try Bench()
    try await bench.queue(7)
    try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled"))
    try await bench.plan()
    #expect(try await bench.store.activeAssignments().isEmpty)
    #expect(try await bench.job(7).state == .cancelled)
  }

  @Test("a warm container whose job was cancelled before anything was put into it is given back unused")
  func givenBack() async throws {
    let bench = try Bench {
      $0.pools = [
        Bench.pool {
          $0.warm = 1; $0.minimum = 1
        }
      ]
    }
    var history: [String: ScaleHistory] = [:]
    try await bench.scaling.turn(&history, with: BuiltInPolicy())
    try await bench.work()
    try await bench.queue(7)
    try await bench.plan()
    let assignment = try await bench.assignment(of: 7)
    #expect(assignment.phase == .bound)
    try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled"))
    try await bench.work()
    let container = try await bench.container(assignment.containerID)
    #expect(container.state == .ready && container.assignment == nil)
    #expect(container.uses == 0 && container.trustScope == nil && !container.isTainted)
    #expect(bench.forge.count(.register) == 0)
    let other = Repository(id: 2, fullName: "acme/other", isPrivate: true, defaultBranch: nil)
    #expect(try await bench.begin(8, repository: other).containerID == container.id)
  }

  @Test("a job cancelled while its container is being made gets no registration")
  func cancelledWhileCreating() async throws {
    let bench = try Bench()
    try await bench.queue(7)
    try await bench.plan()
    bench.engine.with { state in
      state.duringCreate = { [bench] in
        do {
          try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled"))
        } catch {
          Issue.record(error)
        }
      }
    }
    let assignment = try await bench.assignment(of: 7)
    try await bench.work()
    #expect(try await bench.now(assignment).phase == .released)
    #expect(bench.forge.count(.register) == 0)
    #expect(try await bench.container(assignment.containerID).state == .ready)
  }

  @Test("a container that has a cancelled job's files is ended, after its runner is removed")
  func cancelledStarting() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.reuse = ReuseRule(maximumUses: 5, maximumAgeSeconds: 3600) }] }
    let assignment = try await bench.begin(7)
    try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled"))
    try await bench.work()
    #expect(bench.forge.runnerNames.isEmpty)
    #expect(try await bench.container(assignment.containerID).state == .gone)
    #expect(bench.engine.containers.isEmpty)
  }

  @Test("a removal that finds the runner busy keeps everything")
  func busy() async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(7)
    bench.forge.with { _ = $0.busy.insert(assignment.id.rawValue) }
    await #expect(throws: ComeBack.self) { try await bench.start.fail(assignment, cause: "silent", container: .terminate) }
    #expect(try await bench.now(assignment).phase == .started)
    #expect(try await bench.job(7).assignment == assignment.id)
    #expect(bench.engine.containers == [assignment.containerID])
  }

  // MARK: Failures by class

  @Test(
    "an engine's fault puts the job back with its cause and a wait, and costs a try where it may be the job's own",
    arguments: [
      (FakeEngine.Call.create, EngineError.invalid("no image")), (.create, .unavailable("disk full")), (.start, .unavailable("no answer")),
      (.put, .invalid("gone")),
    ])
  func engineFault(call: FakeEngine.Call, error: EngineError) async throws {
    let bench = try Bench()
    bench.engine.set(error, on: call)
    try await bench.queue(7)
    try await bench.plan()
    let assignment = try await bench.assignment(of: 7)
    try await bench.work()
    let job = try await bench.job(7)
    let isJobsOwn = if case .unavailable = error { false } else { true }
    #expect(job.state == .queued && job.tries == (isJobsOwn ? 1 : 0) && job.assignment == nil)
    #expect(job.lastFailure?.contains(error.description) == true)
    let notBefore = try #require(job.notBefore)
    #expect(notBefore >= bench.clock.now && notBefore <= bench.clock.now + (isJobsOwn ? 2 : 5))
    let row = try await bench.now(assignment)
    #expect(row.phase == .released && row.releaseCause == job.lastFailure)
    try await bench.work()
    #expect(bench.engine.containers.isEmpty)
    #expect(bench.forge.runnerNames.isEmpty)
  }

  @Test("a job whose starts all fail is given up after the bounded number of tries")
  func bounded() async throws {
    let bench = try Bench { $0.maximumTries = 3 }
    bench.engine.set(.invalid("no image"), on: .create)
    try await bench.queue(7)
    for _ in 0..<10 {
      try await bench.plan()
      try await bench.work()
      bench.clock.advance(120)
    }
    let job = try await bench.job(7)
    #expect(job.state == .failed && job.tries == 3)
    #expect(job.lastFailure == "container: invalid: no image")
    #expect(try await bench.store.assignments(ofJob: job.id).count == 3)
    #expect(try await bench.store.liveContainers().isEmpty)
    try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled"))
    #expect(try await bench.job(7).state == .cancelled)
  }

  @Test(
    "a forge that cannot answer costs no try",
    arguments: [
      ForgeError.unavailable("502"), .throttled(until: Date(timeIntervalSince1970: 1_777_000_060), "slow down"),
    ])
  func forgeSilent(error: ForgeError) async throws {
    let bench = try Bench()
    bench.forge.set(error, on: .register)
    try await bench.queue(7)
    try await bench.plan()
    #expect(try await bench.work().count == 1)
    #expect(try await bench.job(7).state == .assigned)
    #expect(try await bench.job(7).tries == 0)
    bench.forge.set(nil, on: .register)
    try await bench.work()
    #expect(try await bench.job(7).state == .starting)
  }

  @Test("a registration that is refused costs a try, and its container is given back")
  func forbidden() async throws {
    let bench = try Bench()
    bench.forge.set(.forbidden("no permission"), on: .register)
    try await bench.queue(7)
    try await bench.plan()
    let assignment = try await bench.assignment(of: 7)
    try await bench.work()
    #expect(try await bench.job(7).lastFailure == "registration: not allowed: no permission")
    #expect(try await bench.job(7).tries == 1)
    let container = try await bench.container(assignment.containerID)
    #expect(container.state == .ready && container.uses == 0)
  }

  @Test("a warm container that cannot be made is not taken from the job that was bound to it meanwhile")
  func boundWhileWarming() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.minimum = 1 }] }
    var history: [String: ScaleHistory] = [:]
    try await bench.scaling.turn(&history, with: BuiltInPolicy())
    let id = try #require(try await bench.store.liveContainers().first).id
    try await bench.queue(7)
    bench.engine.set(.invalid("no image"), on: .create)
    bench.engine.with { state in
      state.duringCreate = { [bench] in
        bench.engine.with { $0.duringCreate = nil }
        do { try await bench.plan() } catch { Issue.record(error) }
      }
    }
    try await bench.makeManager().tend(id)
    let container = try await bench.container(id)
    let bound = try await bench.job(7).assignment
    #expect(container.state == .creating && container.assignment == bound)
    #expect(container.assignment != nil)
  }

  // MARK: Restarts

  @Test("a start that was cut off between registration and hand-over is repeated with another runner")
  func restartRegistered() async throws {
    let bench = try Bench()
    let assignment = try await registered(bench)
    try await bench.work()
    let job = try await bench.job(7)
    #expect(job.state == .queued && job.tries == 0 && job.notBefore == nil)
    #expect(bench.forge.runnerNames.isEmpty)
    try await bench.work()
    #expect(try await bench.container(assignment.containerID).state == .gone)
    try await bench.plan()
    try await bench.work()
    #expect(try await bench.assignment(of: 7).phase == .started)
  }

  @Test("a start that was cut off goes on when the forge says that its runner works")
  func restartBusy() async throws {
    let bench = try Bench()
    let assignment = try await registered(bench)
    bench.forge.with { _ = $0.busy.insert(assignment.id.rawValue) }
    try await bench.work()
    #expect(try await bench.now(assignment).phase == .started)
    #expect(try await bench.job(7).state == .starting)
  }

  @Test("a start that was cut off after the hand-over is not repeated when its runner has done the job meanwhile")
  func restartDone() async throws {
    let bench = try Bench()
    let assignment = try await registered(bench)
    bench.engine.endUse(assignment.containerID)
    bench.forge.runnerLeft(assignment.id.rawValue)
    bench.forge.set(.unavailable("502"), on: .job)
    #expect(try await bench.work().count == 1)
    #expect(try await bench.now(assignment).phase == .registered)
    bench.forge.set(nil, on: .job)
    bench.forge.with { $0.jobs[7] = Bench.report(7, nil, status: "completed", conclusion: "success", runner: assignment.id.rawValue) }
    try await bench.work()
    #expect(try await bench.job(7).state == .completed)
    #expect(try await bench.now(assignment).phase == .released)
    #expect(bench.forge.count(.register) == 1)
  }

  @Test("a registration whose answer was lost goes when its job is cancelled, by its name", arguments: [true, false])
  func answerLost(isBusy: Bool) async throws {
    let bench = try Bench()
    try await bench.queue(7)
    try await bench.plan()
    let assignment = try await bench.assignment(of: 7)
    bench.forge.set(.unavailable("the answer is lost"), on: .register)
    try await bench.work()
    bench.forge.set(nil, on: .register)
    _ = try await bench.forge.register(
      RunnerRequest(name: assignment.id.rawValue, jobClass: assignment.jobClass, repository: "acme/shop", installationID: nil))
    if isBusy { bench.forge.with { _ = $0.busy.insert(assignment.id.rawValue) } }
    try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled"))
    #expect(try await bench.work().count == (isBusy ? 1 : 0))
    #expect(bench.forge.runnerNames.isEmpty == !isBusy)
    #expect(try await bench.now(assignment).phase == (isBusy ? .releasing : .released))
    #expect(try await bench.container(assignment.containerID).state == (isBusy ? .assigned : .ready))
  }

  @Test("a job that was cancelled before its container was made costs the forge no question")
  func neverMade() async throws {
    let bench = try Bench()
    try await bench.queue(7)
    try await bench.plan()
    try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled"))
    try await bench.work()
    #expect(bench.forge.count(.removeNamed) == 0)
    #expect(bench.forge.count(.register) == 0)
  }

  @Test("started and running assignments are left alone by a new manager, and a registration cut off is made again")
  func restartOthers() async throws {
    let bench = try Bench()
    let running = try await bench.running(7)
    let started = try await bench.begin(8)
    try await bench.queue(9)
    try await bench.plan()
    let bound = try await bench.assignment(of: 9)
    // The forge has the registration, the store does not: the process ended between the two.
    _ = try await bench.forge.register(
      RunnerRequest(name: bound.id.rawValue, jobClass: bound.jobClass, repository: "acme/shop", installationID: nil))
    try await bench.work()
    #expect(try await bench.now(running) == running)
    #expect(try await bench.now(started) == started)
    #expect(try await bench.now(bound).phase == .started)
    #expect(bench.forge.with { $0.runners.count } == 3)
  }

  /// An assignment as a process leaves it that ends right after committing the registration.
  private func registered(_ bench: Bench) async throws -> Assignment {
    bench.engine.set(.unavailable("the process ends here"), on: .put)
    bench.forge.set(.unavailable("the process ends here"), on: .remove)
    try await bench.queue(7)
    try await bench.plan()
    try await bench.work()
    bench.engine.set(nil, on: .put)
    bench.forge.set(nil, on: .remove)
    let assignment = try await bench.assignment(of: 7)
    try #require(assignment.phase == .registered)
    return assignment
  }
}
