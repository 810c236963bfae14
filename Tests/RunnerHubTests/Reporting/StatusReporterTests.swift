import Domain
import Foundation
import Logging
import RunnerHub
import ServiceLifecycle
import Synchronization
import Testing

@Suite("The reporter", .timeLimit(.minutes(1)))
struct StatusReporterTests {
  private let store = MemoryStore()
  private let forge = RecordingForge()
  private let time = ManualTime()
  private let wakeUp = WakeUp()
  private let monitor = OrchestratorMonitor(startedAt: Sample.start)

  private func reporter(width: Int = 4) -> StatusReporter {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return StatusReporter(
      store: store, forge: forge, wakeUp: wakeUp, monitor: monitor, logger: logger, width: width, now: { [time] in time.now },
      random: { 0.5 })
  }
  private func owe(_ effects: OutboxEffect...) async throws {
    var changes = Changes()
    changes.effects = effects
    try await store.commit(changes, at: .deliveriesApplied)
  }
  private func owe(_ update: StatusUpdate) async throws { try await owe(.status(update, dueAt: time.now)) }
  private var published: [StatusUpdate] { forge.state.withLock { $0.published.map(\.update) } }

  @Test("an owed status is published once, its handle is kept, and the next one uses it")
  func handle() async throws {
    let reporter = reporter()
    try await owe(Sample.update(1))
    #expect(await reporter.turn() == nil)
    try await owe(Sample.update(1, .completed))
    _ = await reporter.turn()
    _ = await reporter.turn()
    #expect(forge.state.withLock { $0.published.map(\.handle) } == [nil, "check-1"])
    #expect(try await store.value(forKey: StatusReporter.handleKey(Sample.update(1).jobID)) == "check-1")
    #expect(try await store.effectCount() == 0)
  }

  @Test("a forge that does not answer is tried again later, and its health says so")
  func outage() async throws {
    forge.state.withLock { $0.failures = [.unavailable("connection refused")] }
    let reporter = reporter()
    try await owe(Sample.update(1, .completed))
    let again = await reporter.turn()
    #expect(again == time.now.addingTimeInterval(0.5))
    #expect(published.isEmpty)
    #expect(monitor.health(at: time.now).components.first { $0.component == .forge }?.status == .failing)
    time.advance(1)
    _ = await reporter.turn()
    #expect(published == [Sample.update(1, .completed)])
    #expect(monitor.health(at: time.now).components.first { $0.component == .forge }?.status == .ok)
  }

  @Test("of a long backlog as much is told as leaves room for ends; the rest stays in the store as it is until there is room again")
  func backlog() async throws {
    let reporter = reporter()
    for id in 1...200 { try await owe(Sample.update(Int64(id))) }
    try await owe(Sample.update(500, .completed))
    let settings = StatusOutbox.Settings()
    let again = await reporter.turn()
    let told = published.count
    #expect(published.contains(Sample.update(500, .completed)))
    #expect(told > 1 && told < settings.writesPerMinute, "\(told) were told")
    #expect(again == time.now.addingTimeInterval(settings.postponement))
    #expect(try await store.effectCount() == 201 - told)
    let commits = store.rows.withLock { $0.commits }
    _ = await reporter.turn()
    #expect(store.rows.withLock { $0.commits } == commits, "nothing is written where nothing is told")
    try await owe(Sample.update(501, .completed))
    _ = await reporter.turn()
    #expect(published.last == Sample.update(501, .completed) && published.count == told + 1)
    time.advance(61)
    _ = await reporter.turn()
    #expect(published.count > told + 1)
  }

  @Test("while throttled nothing is sent, and afterwards the ends arrive first")
  func throttled() async throws {
    forge.state.withLock { $0.failures = [.throttled(until: Sample.start.addingTimeInterval(100), "secondary limit")] }
    let reporter = reporter(width: 1)
    try await owe(Sample.update(1, .completed))
    _ = await reporter.turn()
    try await owe(Sample.update(2))
    try await owe(Sample.update(3, .completed))
    time.advance(50)
    #expect(await reporter.turn() == Sample.start.addingTimeInterval(100))
    #expect(published.isEmpty)
    time.advance(50)
    _ = await reporter.turn()
    #expect(Set(published.prefix(2).map(\.jobID.rawValue)) == ["1", "3"])
    #expect(try await store.effectCount() == 0)
  }

  @Test("a newer status that is committed while an older one is on its way stays owed")
  func replaced() async throws {
    let reporter = reporter()
    try await owe(Sample.update(1))
    let old = try await store.dueEffects(at: time.now, limit: 1)
    try await owe(Sample.update(1, .completed))
    var stale = Changes()
    stale.finishedEffects = old
    try await store.commit(stale, at: .deliveriesApplied)
    _ = await reporter.turn()
    #expect(published == [Sample.update(1, .completed)])
  }

  @Test("a status that the forge will never take is given up, and the job's story says so")
  func givenUp() async throws {
    forge.state.withLock { $0.failures = [.invalid("head_sha is no commit")] }
    let reporter = reporter()
    try await owe(Sample.update(1))
    _ = await reporter.turn()
    #expect(try await store.effectCount() == 0)
    #expect(
      store.rows.withLock { $0.timeline.map(\.text) } == ["its status (queued) was not reported: refused as invalid: head_sha is no commit"]
    )
  }

  @Test("calls to the forge are bounded, and many updates share a commit")
  func bounded() async throws {
    let reporter = reporter(width: 4)
    for id in Int64(1)...20 { try await owe(Sample.update(id, .completed)) }
    let before = store.rows.withLock { $0.commits }
    _ = await reporter.turn()
    #expect(published.count == 20)
    #expect(forge.state.withLock { $0.mostAtOnce } <= 4)
    #expect(store.rows.withLock { $0.commits } - before == 5)
  }

  @Test("a run is cancelled where that is allowed")
  func cancels() async throws {
    let reporter = reporter()
    let job = Sample.job(state: .refused)
    try await refuse(job)
    _ = await reporter.turn()
    #expect(forge.state.withLock { $0.cancelled } == [77])
    #expect(try await store.job(job.id)?.refusalAction == nil)
    #expect(try await store.effectCount() == 0)
  }

  @Test("a run that may not be cancelled is handed to a runner's hook, also when the job changes meanwhile")
  func failsByHook() async throws {
    let reporter = reporter()
    let job = Sample.job(state: .refused)
    try await refuse(job)
    forge.state.withLock { $0.failures = [.forbidden("actions:write is missing")] }
    store.rows.withLock { $0.conflicts = 2 }
    _ = await reporter.turn()
    #expect(try await store.job(job.id)?.refusalAction == .failByHook)
    #expect(try await store.effectCount() == 0)
    #expect(forge.state.withLock { $0.cancelled }.isEmpty)
  }

  @Test("a cancellation is tried again while the forge does not answer")
  func cancelsLater() async throws {
    let reporter = reporter()
    try await refuse(Sample.job(state: .refused))
    forge.state.withLock { $0.failures = [.unavailable("502")] }
    #expect(await reporter.turn() == time.now.addingTimeInterval(0.5))
    time.advance(1)
    _ = await reporter.turn()
    #expect(forge.state.withLock { $0.cancelled } == [77])
  }

  @Test("a store that cannot be read is asked again later")
  func storeOutage() async throws {
    let reporter = reporter()
    try await owe(Sample.update(1))
    store.rows.withLock { $0.outages = 1 }
    #expect(await reporter.turn() == time.now.addingTimeInterval(0.5))
    #expect(await reporter.turn() == nil)
    #expect(published.count == 1)
  }

  @Test("the service is woken by a notification, and ends when it is asked to")
  func service() async throws {
    let reporter = reporter()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let group = ServiceGroup(services: [reporter], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await owe(Sample.update(1))
      wakeUp.notify()
      while published.isEmpty { await Task.yield() }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
    #expect(published == [Sample.update(1)])
  }

  private func refuse(_ job: Job) async throws {
    var changes = Changes()
    changes.jobs = [job]
    changes.effects = [
      OutboxEffect(
        key: "cancel/\(job.id)", kind: .cancelRun(jobID: job.id, repository: job.repository.fullName, runID: job.runID), dueAt: time.now)
    ]
    try await store.commit(changes, at: .deliveriesApplied)
  }
}
