internal import Domain
internal import Foundation
internal import JSON
internal import Logging
internal import RunnerHub

/// One plugin, from the look at its folder to the end of its last process. One loop drives it, a turn at a time; wishes and news only wake it.
actor PluginSupervisor {
  nonisolated let name: String
  nonisolated let folder: URL
  nonisolated let connection: SteadyConnection
  nonisolated let log: PluginLog
  private nonisolated let wake = WakeUp()
  private nonisolated let display: PluginDisplay
  private nonisolated let launcher: PluginLauncher
  private nonisolated let surroundings: PluginSurroundings
  private nonisolated let watch: PluginWatch
  private var pace: PluginPace { surroundings.pace }

  /// What an operator wants beyond the configuration.
  private struct Wishes {
    var isHeld = false
    var restarts = false
    var isLifted = false
    /// A secret of its configuration is another one.
    var hasNewSecrets = false
  }
  /// What is looked at for changes.
  private struct Seen: Hashable {
    var plan: PluginPlan
    var files: PluginFiles
  }

  private var plan: PluginPlan?
  private var wishes: Wishes
  private var seen: Seen?
  private var running: LivePlugin?
  private var failures = FailureRecord()
  private var retryAt: Date?
  private var checkAt = Date.distantPast
  private var weighAt = Date.distantPast
  private var badChecks = 0
  /// The adapter was told of it.
  private var isKnown = false
  /// Former processes on their way out, by their number.
  private var retiring: [Int: Task<Void, Never>] = [:]
  private var retired = 0
  /// Processes that may be on their way out when another one is started beside.
  private static let mostRetiring = 2
  /// Before which no process is started for new secrets.
  private var renewAt = Date.distantPast
  /// Why the last takeover failed, as its state says; nil: it did not.
  private var missed: (reason: String, wasForSecrets: Bool)?
  private var waiters: [CheckedContinuation<Void, Never>] = []

  init(
    name: String, folder: URL, isHeld: Bool, connection: SteadyConnection, surroundings: PluginSurroundings, watch: PluginWatch,
    changed: @escaping @Sendable () -> Void
  ) {
    self.name = name
    self.folder = folder
    self.surroundings = surroundings
    self.watch = watch
    wishes = Wishes(isHeld: isHeld)
    self.connection = connection
    var logger = surroundings.logger
    logger[metadataKey: "plugin"] = "\(name)"
    log = PluginLog(logger: logger)
    display = PluginDisplay(name: name, folder: folder, connection: connection, log: log, tell: surroundings.publish, changed: changed)
    launcher = PluginLauncher(
      name: name, folder: folder, connection: connection, log: log, wake: wake, surroundings: surroundings)
  }

  nonisolated var status: PluginStatus { display.status }

  // MARK: - Wishes

  /// What the configuration says now; nil: it does not name the plugin.
  func follow(_ plan: PluginPlan?) {
    guard plan != self.plan else { return }
    self.plan = plan
    wake.notify()
  }

  /// A secret of its configuration has changed: it is taken over as a new version is.
  func renewSecrets() {
    wishes.hasNewSecrets = true
    wake.notify()
  }

  /// Its folder may have changed.
  nonisolated func lookAgain() { wake.notify() }

  /// Returns once the loop has acted on it.
  func disable() async {
    wishes.isHeld = true
    await turned()
  }

  func enable() async {
    wishes.isHeld = false
    wishes.isLifted = true
    await turned()
  }

  func restart() async {
    wishes.restarts = true
    wishes.isLifted = true
    await turned()
  }

  private func turned() async {
    await withCheckedContinuation { continuation in
      waiters.append(continuation)
      wake.notify()
    }
  }

  // MARK: - The loop

  /// Runs until cancelled, and ends with the plugin.
  func run() async {
    while !Task.isCancelled {
      let served = waiters
      waiters = []
      let next = await turn()
      for waiter in served { waiter.resume() }
      if waiters.isEmpty { await wake.wait(until: next) }
    }
    // Not cancelled itself: to end in order takes calls.
    await Task { await stop() }.value
    for waiter in waiters { waiter.resume() }
    waiters = []
  }

  /// Does what is to be done now.
  /// - Returns: when to look again at the latest.
  private func turn() async -> Date {
    await noticeEnd()
    guard let plan else {
      await leave(.forgotten, "runnerhub.yaml does not name it")
      // Whether it is there, and what it is, may change all the same.
      display.show { $0.abilities = [] }
      display.describe()
      return Date(timeIntervalSinceNow: watch.interval)
    }
    guard plan.isEnabled, !wishes.isHeld else {
      await leave(.disabled, wishes.isHeld ? "by an operator; runnerhub plugin enable \(name)" : "by \(plan.place)")
      display.describe()
      return Date(timeIntervalSinceNow: watch.interval)
    }
    let isChanged = await look(plan)
    // Nothing is begun any more; and the look was cut short.
    if Task.isCancelled { return Date() }
    if isChanged || wishes.isLifted {
      failures.forgive()
      retryAt = nil
    }
    let wasWished = wishes.restarts || wishes.isLifted
    let renews = await isToBeRenewed(plan)
    let replaces = isChanged || wishes.restarts || renews
    wishes.restarts = false
    wishes.isLifted = false
    switch status.state {
    case .running, .degraded:
      if replaces {
        await replace(plan, renews: renews)
      } else if checkAt <= Date() {
        await checkHealth()
      } else if weighAt <= Date() {
        await weigh()
      }
    case .backingOff:
      if renews || retryAt.map({ $0 <= Date() }) ?? true { await start(plan) }
    case .quarantined where renews:
      failures.forgive()
      await start(plan)
    case .quarantined, .stopped:
      if isChanged || wasWished { await start(plan) }
    case .available, .disabled, .starting: await start(plan)
    }
    let next = running == nil ? nil : min(checkAt, weighAt)
    let renewal = wishes.hasNewSecrets ? renewAt : nil
    return [Date(timeIntervalSinceNow: watch.interval), retryAt, next, renewal].compactMap { $0 }.min() ?? Date()
  }

  /// Whether a process is to be started for new secrets now: they are others than those that it was greeted with, or it does not run, maybe for the old
  /// ones.
  private func isToBeRenewed(_ plan: PluginPlan) async -> Bool {
    guard wishes.hasNewSecrets, renewAt <= Date() else { return false }
    // Before they are read: what changes meanwhile is another wish.
    wishes.hasNewSecrets = false
    if let running {
      do {
        if try await launcher.settle(plan) == running.configuration {
          if missed?.wasForSecrets == true { forgetMissed() }
          return false
        }
      } catch {
        log.add("(a secret of its configuration has changed, and cannot be read; tried again: \(error))", level: .warning)
        wishes.hasNewSecrets = true
        renewAt = Date(timeIntervalSinceNow: pace.renewal)
        return false
      }
    }
    renewAt = Date(timeIntervalSinceNow: pace.renewal)
    return true
  }

  private func forgetMissed() {
    guard let reason = missed?.reason else { return }
    missed = nil
    display.show { status in
      if status.reason == reason { status.reason = nil }
    }
  }

  /// Whether files or configuration are others than at the last look. Waits until nothing changes any more, at the first look too: files come one after
  /// the other.
  private func look(_ plan: PluginPlan) async -> Bool {
    var now = Seen(plan: plan, files: PluginFiles(folder: folder))
    guard now != seen else { return false }
    for _ in 0..<20 {
      // Cancelled: the loop ends anyway.
      do { try await Task.sleep(for: pace.stillness) } catch { return false }
      let next = Seen(plan: plan, files: PluginFiles(folder: folder))
      if next == now { break }
      now = next
    }
    seen = now
    return true
  }

  // MARK: - Start

  private func start(_ plan: PluginPlan) async {
    retryAt = nil
    let checked: CheckedPlugin
    do {
      checked = try CheckedPlugin.check(folder: folder, plan: plan)
    } catch {
      display.describe()
      return await refuse("\(error)")
    }
    display.describe(checked.manifest)
    move(.start, nil)
    do {
      await install(try await launcher.launch(checked))
    } catch {
      await fail("\(error)")
    }
  }

  /// Files, configuration, grants or secrets changed, or an operator wants it: the new process takes over before the old one ends.
  /// - Parameter renews: whether it is for new secrets, and is tried again where it fails.
  private func replace(_ plan: PluginPlan, renews: Bool) async {
    // Each has its memory, and takes as long as its calls.
    while retiring.count >= Self.mostRetiring, let oldest = retiring.min(by: { $0.key < $1.key })?.value { await oldest.value }
    do {
      let checked = try CheckedPlugin.check(folder: folder, plan: plan)
      let new = try await launcher.launch(checked)
      let old = running
      await install(new)
      display.describe(checked.manifest)
      forgetMissed()
      display.publish("upgraded", "version \(checked.manifest.version) has taken over")
      if let process = old?.process {
        retire(process)
      }
    } catch let refusal as PluginRefusal {
      // Gone, or not granted any more: what runs must not go on.
      await refuse("\(refusal)")
    } catch {
      log.add("(the new version was not taken over, the old one goes on: \(error))", level: .error)
      let reason = "the new version was not taken over: \(error)"
      missed = (reason, renews)
      display.show { $0.reason = reason }
      if renews { wishes.hasNewSecrets = true }
    }
  }

  private func install(_ new: (running: LivePlugin, plugin: RunningPlugin)) async {
    running = new.running
    badChecks = 0
    checkAt = Date(timeIntervalSinceNow: pace.health)
    weighAt = Date(timeIntervalSinceNow: pace.weigh)
    if let process = new.running.process { connection.lead(to: process) }
    isKnown = true
    // First: who waits for the state may need the adapter.
    await surroundings.adapters[new.plugin.manifest.kind]?.started(new.plugin)
    move(.greeted, nil)
  }

  // MARK: - Health and failures

  private func checkHealth() async {
    checkAt = Date(timeIntervalSinceNow: pace.health)
    guard let process = running?.process else { return }
    let detail: String
    do {
      let health: PluginHealth = try await process.ask("health", PluginNothing(), limit: pace.healthLimit)
      let said = health.detail.map { PluginText.line($0, limit: 300) }
      switch health.status {
      case .ok:
        badChecks = 0
        return move(.well, nil)
      case .degraded:
        badChecks = 0
        return move(.unwell, said ?? "it says that it does not do well")
      case .failing: detail = said ?? "it says that it fails"
      }
    } catch {
      detail = "asked for its health: \(error)"
    }
    // One that has ended is seen by its end.
    guard running?.listener.ended == nil else { return }
    badChecks += 1
    move(.unwell, detail)
    guard badChecks >= pace.badChecks else { return }
    await stop(process, "it was not well \(badChecks) times in a row: \(detail)")
  }

  /// Looks at what all of it takes.
  private func weigh() async {
    weighAt = Date(timeIntervalSinceNow: pace.weigh)
    guard let running, let process = running.process else { return }
    let holdings = PluginHoldings(
      name: name, directory: running.directory, bounds: running.checked.plan.bounds, kind: running.checked.manifest.kind)
    guard let excess = await holdings.excess(keeper: process.keeper) else { return }
    await stop(process, excess)
  }

  /// Ends it, which counts as its failure.
  private func stop(_ process: ProcessConnection, _ reason: String) async {
    process.end(reason)
    await process.waitForEnd()
    await noticeEnd()
  }

  private func noticeEnd() async {
    guard let end = running?.listener.ended else { return }
    running = nil
    await fail("\(end)")
  }

  private func fail(_ reason: String) async {
    connection.interrupt(reason)
    let verdict = failures.failed(at: Date(), pace.restart, jitter: Double.random(in: 0...1))
    display.count()
    switch verdict {
    case .again(let pause):
      retryAt = Date(timeIntervalSinceNow: pause)
      move(.failed, reason)
    case .quarantine:
      let policy = pace.restart
      let span = Duration.seconds(policy.window).formatted(.units(allowed: [.hours, .minutes, .seconds]))
      move(.gaveUp, "\(failures.times.count) failures within \(span), last: \(reason); mend it, then runnerhub plugin enable \(name)")
    }
    await interrupted(reason)
  }

  private func refuse(_ reason: String) async {
    await endProcess(reason)
    if status.state == .stopped { display.show { $0.reason = reason } }
    move(.refused, reason)
    await interrupted(reason)
  }

  private func interrupted(_ reason: String) async {
    guard isKnown, let adapter = adapter else { return }
    await adapter.interrupted(name, reason: reason)
  }

  private var adapter: (any PluginAdapter)? { status.kind.flatMap(PluginKind.init(rawValue:)).flatMap { surroundings.adapters[$0] } }

  // MARK: - The end

  /// Not to run any more.
  private func leave(_ event: PluginEvent, _ reason: String) async {
    seen = nil
    retryAt = nil
    failures.forgive()
    wishes.restarts = false
    wishes.isLifted = false
    // A start reads them anew.
    wishes.hasNewSecrets = false
    await endProcess(reason)
    move(event, reason)
    if isKnown { await adapter?.removed(name) }
    isKnown = false
  }

  private func stop() async {
    await endProcess("RunnerHub ends")
    move(.stopped, "RunnerHub ends")
    if isKnown { await adapter?.removed(name) }
    isKnown = false
    for task in retiring.values { await task.value }
  }

  private func endProcess(_ reason: String) async {
    connection.interrupt(reason)
    guard let process = running?.process else {
      running = nil
      return
    }
    running = nil
    await launcher.shutDown(process)
  }

  /// Ends a process that another one has taken over from. The loop does not wait for it, as its calls may last; the end of the loop does.
  private func retire(_ process: ProcessConnection) {
    retired += 1
    retiring[retired] = Task { [number = retired] in
      await launcher.shutDown(process)
      retiring[number] = nil
    }
  }

  private func move(_ event: PluginEvent, _ reason: String?) { display.move(event, reason) }
}
