import Domain
import Foundation
import Logging
import Storage
import Testing

@testable import RunnerHub

@Suite("Alerts and who is told of them")
struct AlertKeeperTests {
  /// Says what a test wants it to say.
  private final class Source: AlertSource {
    let keys = Shared<[String]>([])
    let failure = Shared<StoreError?>(nil)
    func alerts(at now: Date) async throws(StoreError) -> AlertReading {
      if let failure = failure.withLock({ $0 }) { throw failure }
      let conditions = keys.withLock { $0 }.map { AlertCondition(key: $0, severity: .warning, title: "T\n\u{202e}", text: "x") }
      return AlertReading(scope: "test/", conditions: conditions)
    }
  }

  /// Notifiers that note what they are told, and fail as they are told to.
  private final class Pager: NotifierRoster, Notifier {
    let told = Shared<[String]>([])
    let failure = Shared<NotifierFailure?>(nil)
    let names = Shared<Set<String>>(["slack"])
    var notifiers: [String: any Notifier] { names.withLock { $0 }.reduce(into: [:]) { $0[$1] = self } }
    func notify(_ moment: AlertMoment, of alert: Alert, url: String?) async throws(NotifierFailure) {
      told.withLock { $0.append("\(moment) \(alert.key)") }
      if let failure = failure.withLock({ $0 }) { throw failure }
    }
  }

  private let bench: Bench
  private let source = Source()
  private let pager = Pager()
  private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
  init() throws { bench = try Bench() }

  /// Made anew each time, as after a restart.
  private func look() async {
    var book: AlertBook?
    await keeper.turn(&book)
  }
  private var keeper: AlertKeeper {
    AlertKeeper(
      store: bench.store, sources: [source], roster: pager, signals: bench.transactor.signals, identities: bench.identities,
      logger: logger, now: { [clock = bench.clock] in clock.now })
  }
  private func deliver() async throws {
    try await NotificationCourier(
      store: bench.store, roster: pager, wakeUp: WakeUp(), logger: logger, now: { [clock = bench.clock] in clock.now }, random: { 0.999 }
    ).turn()
  }

  @Test("an alert is raised once and told once, over restarts, and so is its end")
  func once() async throws {
    source.keys.withLock { $0 = ["test/a"] }
    for _ in 0..<3 {
      await look()
      try await deliver()
    }
    #expect(pager.told.withLock { $0 } == ["raised test/a"])
    let alert = try #require(try await bench.store.openAlerts().first)
    #expect(alert.title == "T  ")
    source.keys.withLock { $0 = [] }
    bench.clock.advance(60)
    for _ in 0..<3 {
      await look()
      try await deliver()
    }
    #expect(pager.told.withLock { $0 } == ["raised test/a", "resolved test/a"])
    #expect(try await bench.store.openAlerts().isEmpty)
    source.keys.withLock { $0 = ["test/a"] }
    await look()
    let again = try #require(try await bench.store.openAlerts().first)
    #expect(again.id != alert.id)
  }

  @Test("while a source cannot say, its alerts stay as they are")
  func blind() async throws {
    source.keys.withLock { $0 = ["test/a"] }
    await look()
    source.failure.withLock { $0 = .unavailable("disk") }
    await look()
    #expect(try await bench.store.openAlerts().count == 1)
  }

  @Test("a notification that fails is kept and tried again; the end is told after the beginning")
  func retried() async throws {
    source.keys.withLock { $0 = ["test/a"] }
    pager.failure.withLock { $0 = .unavailable("502", after: nil) }
    await look()
    try await deliver()
    try await deliver()
    #expect(pager.told.withLock { $0.count } == 1, "not before its time")
    source.keys.withLock { $0 = [] }
    await look()
    bench.clock.advance(6)
    try await deliver()
    #expect(pager.told.withLock { $0 } == ["raised test/a", "raised test/a"])
    pager.failure.withLock { $0 = nil }
    bench.clock.advance(60)
    try await deliver()
    try await deliver()
    #expect(pager.told.withLock { Array($0.suffix(2)) } == ["raised test/a", "resolved test/a"])
    let id = try #require(try await bench.store.recentAlerts(limit: 1).first).id
    #expect(try await bench.store.notifications(ofAlert: id).map(\.status) == [.delivered, .delivered])
  }

  @Test("what a notifier refuses is given up and stays to be seen")
  func refused() async throws {
    source.keys.withLock { $0 = ["test/a"] }
    pager.failure.withLock { $0 = .refused("no such channel") }
    await look()
    try await deliver()
    try await deliver()
    let id = try #require(try await bench.store.openAlerts().first).id
    let notification = try #require(try await bench.store.notifications(ofAlert: id).first)
    #expect(notification.status == .givenUp && notification.failure == "no such channel")
    #expect(pager.told.withLock { $0.count } == 1)
  }

  @Test("a notifier that is not there yet is waited for")
  func absent() async throws {
    source.keys.withLock { $0 = ["test/a"] }
    await look()
    pager.names.withLock { $0 = [] }
    try await deliver()
    pager.names.withLock { $0 = ["slack"] }
    bench.clock.advance(6)
    try await deliver()
    #expect(pager.told.withLock { $0 } == ["raised test/a"])
  }

  @Test("the courier delivers what is owed while it runs, and a slow notifier holds up no other", .timeLimit(.minutes(1)))
  func running() async throws {
    struct Stuck: Notifier {
      func notify(_ moment: AlertMoment, of alert: Alert, url: String?) async throws(NotifierFailure) {
        do { try await Task.sleep(for: .seconds(3600)) } catch { throw .unavailable("cancelled", after: nil) }
      }
    }
    struct Roster: NotifierRoster {
      let pager: Pager
      var notifiers: [String: any Notifier] { ["slack": pager, "a-stuck": Stuck()] }
    }
    source.keys.withLock { $0 = ["test/a", "test/b", "test/c"] }
    let signals = bench.transactor.signals
    let roster = Roster(pager: pager)
    let keeper = AlertKeeper(store: bench.store, sources: [source], roster: roster, signals: signals, logger: logger)
    let courier = NotificationCourier(store: bench.store, roster: roster, wakeUp: signals.notifications, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await courier.run() }
      var book: AlertBook?
      await keeper.turn(&book)
      while pager.told.withLock({ $0.count }) < 3 { try await Task.sleep(for: .milliseconds(5)) }
      group.cancelAll()
    }
    #expect(Set(pager.told.withLock { $0 }) == ["raised test/a", "raised test/b", "raised test/c"])
    // Cut off by the end, it is owed as before.
    let pending = try await bench.store.pendingNotifications(limit: 9).filter { $0.notification.notifier == "a-stuck" }
    #expect(pending.count == 3 && pending.allSatisfy { $0.notification.tries == 0 })
  }

  @Test("jobs that were given up are one alert of their repository, until GitHub has ended them")
  func givenUp() async throws {
    let source = GivenUpJobAlerts(store: bench.store)
    #expect(try await source.alerts(at: bench.clock.now).conditions.isEmpty)
    for id in 1...5 as ClosedRange<Int64> {
      try await bench.queue(id, name: "build-\(id)")
      let job = try await bench.job(id).id
      try await bench.transactor.transact(.startFailed) { (unit) throws(StoreError) in
        guard var job = try await unit.job(job) else { return }
        job.state = .failed
        job.lastFailure = "no image"
        unit.put(job)
      }
    }
    let conditions = try await source.alerts(at: bench.clock.now).conditions
    #expect(conditions.map(\.key) == ["job/given-up/acme/shop"])
    #expect(conditions.first?.text.hasSuffix("and 2 more") == true)
    for id in 1...5 as ClosedRange<Int64> { try await bench.deliver(Bench.report(id, "completed", conclusion: "cancelled")) }
    #expect(try await source.alerts(at: bench.clock.now).conditions.isEmpty)
  }

  @Test("a part that fails is an alert after its hold-off; one of which nothing is known is not over")
  func components() async throws {
    let now = bench.clock.now
    let monitor = OrchestratorMonitor(startedAt: now)
    let source = ComponentAlerts(monitor: monitor)
    monitor.report(.engine, failing: "no host", at: now)
    monitor.report(.store, failing: "disk full", at: now)
    let reading = try await source.alerts(at: now)
    #expect(reading.conditions.map(\.key) == ["component/engine"] && reading.conditions.first?.text == "no host")
    #expect(reading.unknown == ["component/forge", "component/policies"])
    #expect(reading.holdOff == ComponentAlerts.holdOff)
  }
}
