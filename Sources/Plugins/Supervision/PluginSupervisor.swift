internal import Domain
internal import Foundation
internal import JSON
internal import Logging
internal import Metrics
internal import RunnerHub
internal import Synchronization

/// One plugin, from the look at its folder to the end of its last process. One loop drives it, a turn at a time; wishes and news only wake it.
actor PluginSupervisor {
  nonisolated let name: String
  nonisolated let folder: URL
  nonisolated let connection: SteadyConnection
  nonisolated let log: PluginLog
  private nonisolated let wake = WakeUp()
  private nonisolated let shown: Mutex<PluginStatus>
  private nonisolated let changed: @Sendable () -> Void
  private nonisolated let surroundings: PluginSurroundings
  private var pace: PluginPace { surroundings.pace }

  /// What an operator wants beyond the configuration.
  private struct Wishes {
    var isHeld = false
    var restarts = false
    var isLifted = false
  }
  /// A process that has greeted.
  private struct Running {
    var checked: CheckedPlugin
    /// nil: a kind without a process of the host's.
    var process: ProcessConnection?
    var listener: ProcessListener
  }
  /// What is looked at for changes.
  private struct Seen: Hashable {
    var plan: PluginPlan
    var files: PluginFiles
  }

  private var plan: PluginPlan?
  private var wishes: Wishes
  private var seen: Seen?
  private var running: Running?
  private var failures = FailureRecord()
  private var retryAt: Date?
  private var checkAt = Date.distantPast
  private var badChecks = 0
  /// The adapter was told of it.
  private var isKnown = false
  /// Former processes on their way out, by their number.
  private var retiring: [Int: Task<Void, Never>] = [:]
  private var retired = 0
  private var waiters: [CheckedContinuation<Void, Never>] = []

  init(
    name: String, folder: URL, isHeld: Bool, connection: SteadyConnection, surroundings: PluginSurroundings,
    changed: @escaping @Sendable () -> Void
  ) {
    self.name = name
    self.folder = folder
    self.surroundings = surroundings
    self.changed = changed
    wishes = Wishes(isHeld: isHeld)
    self.connection = connection
    var logger = surroundings.logger
    logger[metadataKey: "plugin"] = "\(name)"
    log = PluginLog(logger: logger)
    shown = Mutex(PluginStatus(name: name, since: Date()))
  }

  nonisolated var status: PluginStatus {
    var status = shown.withLock { $0 }
    (status.calls, status.errors) = connection.counts
    return status
  }

  // MARK: - Wishes

  /// What the configuration says now; nil: it does not name the plugin.
  func follow(_ plan: PluginPlan?) {
    guard plan != self.plan else { return }
    self.plan = plan
    wake.notify()
  }

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
      show { $0.abilities = [] }
      describe()
      return Date(timeIntervalSinceNow: pace.look)
    }
    guard plan.isEnabled, !wishes.isHeld else {
      await leave(.disabled, wishes.isHeld ? "by an operator; runnerhub plugin enable \(name)" : "by \(plan.place)")
      describe()
      return Date(timeIntervalSinceNow: pace.look)
    }
    let isChanged = await look(plan)
    if isChanged || wishes.isLifted {
      failures.forgive()
      retryAt = nil
    }
    let wasWished = wishes.restarts || wishes.isLifted
    let replaces = isChanged || wishes.restarts
    wishes.restarts = false
    wishes.isLifted = false
    switch status.state {
    case .running, .degraded:
      if replaces { await replace(plan) } else if checkAt <= Date() { await checkHealth() }
    case .backingOff:
      if retryAt.map({ $0 <= Date() }) ?? true { await start(plan) }
    case .quarantined, .stopped:
      if isChanged || wasWished { await start(plan) }
    case .available, .disabled, .starting: await start(plan)
    }
    return [Date(timeIntervalSinceNow: pace.look), retryAt, running == nil ? nil : checkAt].compactMap { $0 }.min() ?? Date()
  }

  /// Whether files or configuration are others than at the last look. Waits until nothing changes any more: files come one after the other.
  private func look(_ plan: PluginPlan) async -> Bool {
    var now = Seen(plan: plan, files: PluginFiles(folder: folder))
    guard let seen else {
      self.seen = now
      return true
    }
    guard now != seen else { return false }
    for _ in 0..<20 {
      // Cancelled: the loop ends anyway.
      do { try await Task.sleep(for: pace.stillness) } catch { return false }
      let next = Seen(plan: plan, files: PluginFiles(folder: folder))
      if next == now { break }
      now = next
    }
    self.seen = now
    return true
  }

  // MARK: - Start

  private func start(_ plan: PluginPlan) async {
    retryAt = nil
    let checked: CheckedPlugin
    do {
      checked = try CheckedPlugin.check(folder: folder, plan: plan)
    } catch {
      describe()
      return await refuse("\(error)")
    }
    show { status in
      status.kind = checked.manifest.kind.rawValue
      status.version = checked.manifest.version
      status.summary = checked.manifest.summary
      status.abilities = checked.manifest.abilities.texts
    }
    move(.start, nil)
    do {
      await install(try await launch(checked))
    } catch {
      await fail("\(error)")
    }
  }

  /// Files, configuration or grants changed, or an operator wants it: the new process takes over before the old one ends.
  private func replace(_ plan: PluginPlan) async {
    do {
      let checked = try CheckedPlugin.check(folder: folder, plan: plan)
      let new = try await launch(checked)
      let old = running
      await install(new)
      show { status in
        status.version = checked.manifest.version
        status.summary = checked.manifest.summary
        status.abilities = checked.manifest.abilities.texts
      }
      publish("upgraded", "version \(checked.manifest.version) has taken over")
      if let process = old?.process {
        retire(process)
      }
    } catch let refusal as PluginRefusal {
      // Gone, or not granted any more: what runs must not go on.
      await refuse("\(refusal)")
    } catch {
      log.add("(the new version was not taken over, the old one goes on: \(error))", level: .error)
      show { $0.reason = "the new version was not taken over: \(error)" }
    }
  }

  private func launch(_ checked: CheckedPlugin) async throws -> (Running, RunningPlugin) {
    let manifest = checked.manifest
    let configuration = try await surroundings.settle(checked.plan.configuration, "plugins.\(name).configuration")
    let (directory, user) = try surroundings.directories.prepare(name)
    var environment: [String: String] = [:]
    for case .environment(let variable) in manifest.abilities { environment[variable] = surroundings.environment[variable] }
    let program = PluginProgram(
      command: checked.command, folder: folder, directory: directory, user: user, abilities: manifest.abilities, environment: environment,
      bounds: checked.plan.bounds, leavesChildren: manifest.kind == .engine)
    let listener = ProcessListener(log: log, wake: wake)
    let plugin = RunningPlugin(
      manifest: manifest, abilities: manifest.abilities, connection: connection, configuration: configuration, program: program)
    guard manifest.kind != .garmProvider else { return (Running(checked: checked, process: nil, listener: listener), plugin) }
    let process = ProcessConnection(
      name: name, concurrency: manifest.concurrency,
      service: surroundings.adapters[manifest.kind]?.service(for: manifest) ?? NoPluginRequests(), settings: pace.connection,
      listener: listener)
    let place = try await process.start(program)
    do {
      try await greet(process, manifest, configuration, directory: place)
    } catch {
      process.end("it did not greet: \(error)")
      await process.waitForEnd()
      throw error
    }
    return (Running(checked: checked, process: process, listener: listener), plugin)
  }

  private func greet(_ process: ProcessConnection, _ manifest: PluginManifest, _ configuration: JSONValue, directory: String) async throws {
    let parameters = InitializeParameters(
      protocolVersions: PluginProtocol.versions, host: .init(name: "RunnerHub", version: surroundings.hostVersion), name: name,
      kind: manifest.kind, configuration: configuration, directory: directory, abilities: manifest.abilities.texts)
    let result: InitializeResult = try await process.ask("initialize", parameters, limit: pace.greeting)
    guard PluginProtocol.versions.contains(result.protocolVersion) else {
      throw PluginError.malformed(
        "it chose version \(PluginText.line(result.protocolVersion, limit: 40)) of the protocol, and was offered \(PluginProtocol.versions.joined(separator: ", "))"
      )
    }
    guard result.version == manifest.version else {
      throw PluginError.malformed(
        "it says that it is version \(PluginText.line(result.version, limit: 40)), and its manifest says \(manifest.version)")
    }
  }

  private func install(_ new: (running: Running, plugin: RunningPlugin)) async {
    running = new.running
    badChecks = 0
    checkAt = Date(timeIntervalSinceNow: pace.health)
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
    process.end("it was not well \(badChecks) times in a row: \(detail)")
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
    show { $0.failures += 1 }
    Counter(label: "runnerhub_plugin_failures_total", dimensions: [("plugin", name)]).increment()
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
    if status.state == .stopped { show { $0.reason = reason } }
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
    await shutDown(process)
  }

  /// Ends a process that another one has taken over from. The loop does not wait for it, as its calls may last; the end of the loop does.
  private func retire(_ process: ProcessConnection) {
    retired += 1
    retiring[retired] = Task { [number = retired] in
      await shutDown(process)
      retiring[number] = nil
    }
  }

  /// Lets it finish, then insists.
  private nonisolated func shutDown(_ process: ProcessConnection) async {
    let pace = surroundings.pace
    do {
      let _: PluginNothing = try await process.ask("shutdown", PluginNothing(), limit: pace.shutdown)
    } catch {
      log.add("(asked to end: \(error))", level: .warning)
    }
    process.closeInput()
    if await process.waitForEnd(within: pace.grace) != nil { return }
    process.terminate()
    if await process.waitForEnd(within: pace.termination) != nil { return }
    process.end("it did not end when it was told to")
    await process.waitForEnd()
  }

  // MARK: - What is seen

  /// Applies an event; what does not apply changes nothing.
  private func move(_ event: PluginEvent, _ reason: String?) {
    let moved: (from: PluginState, to: PluginState)? = shown.withLock { status in
      guard let next = status.state.next(on: event) else { return nil }
      let from = status.state
      status.state = next
      status.reason = reason
      status.since = Date()
      return (from, next)
    }
    guard let moved else { return }
    Gauge(label: "runnerhub_plugin_up", dimensions: [("plugin", name)]).record(moved.to.isUp ? 1 : 0)
    let text = reason.map { ": \($0)" } ?? ""
    let isBad = [.backingOff, .quarantined].contains(moved.to) || event == .refused
    log.add("(\(moved.to.rawValue)\(text))", level: isBad ? .error : .notice)
    publish(moved.to.rawValue, reason ?? "was \(moved.from.rawValue)")
    changed()
  }

  private func publish(_ action: String, _ text: String) {
    surroundings.publish(
      HubEvent(
        kind: .plugin, at: Date(), action: action, subject: name, text: "plugin \(name) \(action): \(text)",
        details: ["kind": status.kind ?? "", "version": status.version ?? ""]))
  }

  private func show(_ change: (inout PluginStatus) -> Void) { shown.withLock { change(&$0) } }

  /// What its manifest says, of a plugin that does not run.
  private func describe() {
    // What is wrong with it is said when it is to run, or by runnerhub plugin check.
    let manifest = try? PluginManifest.read(folder: folder)
    show { status in
      status.kind = manifest?.kind.rawValue
      status.version = manifest?.version
      status.summary = manifest?.summary
    }
  }
}
