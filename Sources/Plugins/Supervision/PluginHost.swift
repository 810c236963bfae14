internal import Domain
package import Foundation
internal import Logging
package import RunnerHub
internal import Synchronization

/// All plugins of one RunnerHub: finds them in their folder, runs those that `runnerhub.yaml` names, and follows both while it runs.
///
/// `run` is to be begun before anything that needs a plugin, and cancelled after it.
package final class PluginHost: Sendable {
  /// What `runnerhub.yaml` says now; nil: the same as at the last look. Throws where it cannot be read: what is known stays.
  package typealias Plans = @Sendable () throws -> [PluginPlan]?

  private struct State {
    var supervisors: [String: PluginSupervisor] = [:]
    var plans: [String: PluginPlan] = [:]
    var connections: [String: SteadyConnection] = [:]
    /// Plugins that an operator has disabled.
    var held: Set<String>
    /// Folder and configuration were looked at, and the plugins of kind `secrets` were begun.
    var hasLooked = false
    /// The plugins of kind `secrets` have started or were given up, and all others were begun.
    var hasBegun = false
    /// Of the kinds beside those that the surroundings have; nil: they are waited for.
    var adapters: [any PluginAdapter]?
  }

  package let folder: URL
  private let plans: Plans
  private let surroundings: PluginSurroundings
  private let state: Mutex<State>
  private let wake: WakeUp
  private let changed = WakeUp()
  private let watch: PluginWatch

  /// - Parameters:
  ///   - folder: `plugins/`; it may be missing.
  ///   - configuration: the file that `plans` reads, whose changes are seen at once; nil: there is none.
  ///   - held: names of plugins that an operator has disabled.
  ///   - awaitsAdapters: whether only plugins of kind `secrets` are begun until `adopt` is called.
  package init(
    folder: URL, configuration: URL? = nil, held: Set<String> = [], plans: @escaping Plans, surroundings: PluginSurroundings,
    awaitsAdapters: Bool = false
  ) {
    self.folder = folder
    self.plans = plans
    self.surroundings = surroundings
    let wake = WakeUp()
    self.wake = wake
    watch = PluginWatch(folder: folder, file: configuration, pace: surroundings.pace, wake: wake, logger: surroundings.logger)
    state = Mutex(State(held: held, adapters: awaitsAdapters ? nil : []))
  }

  /// Has all plugins begun, with adapters of more kinds. What they need may itself need a secret: so they come late.
  package func adopt(_ adapters: [any PluginAdapter]) {
    state.withLock { $0.adapters = adapters }
    wake.notify()
  }

  // MARK: - The loop

  /// Runs until cancelled; then every plugin is ended in order.
  package func run() async {
    watch.open()
    defer { watch.close() }
    await withTaskGroup(of: Void.self) { group in
      // Others may need their secrets to start.
      await look { supervisor in
        group.addTask { await supervisor.run() }
      } only: {
        $0 == .secrets
      }
      state.withLock { $0.hasLooked = true }
      changed.notify()
      await settled(.secrets)
      while !Task.isCancelled, state.withLock({ $0.adapters == nil }) { await wake.wait() }
      state.withLock { $0.hasBegun = true }
      while !Task.isCancelled {
        // Before the look: what happens from then on is told.
        watch.follow()
        let hasNews = watch.takeNews()
        await look { supervisor in
          group.addTask { await supervisor.run() }
        } only: { _ in
          true
        }
        changed.notify()
        if hasNews {
          for supervisor in state.withLock({ Array($0.supervisors.values) }) { supervisor.lookAgain() }
          // Files come one after the other, and each would have all of them looked at.
          do { try await Task.sleep(for: surroundings.pace.stillness) } catch { break }
        }
        await wake.wait(until: Date(timeIntervalSinceNow: watch.interval))
      }
    }
  }

  /// Follows folder and configuration: who is new is begun, and everybody is told what is said of them.
  private func look(_ begin: (PluginSupervisor) -> Void, only isWanted: (PluginKind?) -> Bool) async {
    do {
      if let plans = try plans() {
        state.withLock { $0.plans = Dictionary(plans.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }) }
      }
    } catch {
      surroundings.logger.error("the plugins of the configuration stay as they were", metadata: ["error": "\(error)"])
    }
    let known = state.withLock { ($0.plans, Set($0.supervisors.keys)) }
    var surroundings = surroundings
    for adapter in state.withLock({ $0.adapters ?? [] }) { surroundings.adapters[adapter.kind] = adapter }
    for name in Set(known.0.keys).union(present).subtracting(known.1).sorted() where isWanted(kind(of: name)) {
      let supervisor = state.withLock { state in
        let supervisor = PluginSupervisor(
          name: name, folder: folder.appending(path: name, directoryHint: .isDirectory), isHeld: state.held.contains(name),
          connection: Self.connection(name, &state), surroundings: surroundings, watch: watch,
          changed: { [changed] in changed.notify() })
        state.supervisors[name] = supervisor
        return supervisor
      }
      await supervisor.follow(known.0[name])
      begin(supervisor)
    }
    for (name, supervisor) in state.withLock({ $0.supervisors }) { await supervisor.follow(known.0[name]) }
  }

  /// Folders with a manifest. What is no name of a plugin is none.
  private var present: Set<String> {
    // A folder that is not there has no plugins.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
    return Set(
      names.filter { name in
        PluginManifest.isName(name)
          && FileManager.default.fileExists(
            atPath: folder.appending(path: name).appending(path: PluginManifest.file).path(percentEncoded: false))
      })
  }

  private func kind(of name: String) -> PluginKind? {
    // What is wrong with it is said when it is to start.
    try? PluginManifest.read(folder: folder.appending(path: name, directoryHint: .isDirectory)).kind
  }

  private static func connection(_ name: String, _ state: inout State) -> SteadyConnection {
    if let known = state.connections[name] { return known }
    let connection = SteadyConnection(name: name)
    state.connections[name] = connection
    return connection
  }

  // MARK: - What others need

  /// A secret has another value: whoever has it in its configuration is given it, as a new version takes over from an old one.
  package func renew(usersOf reference: SecretReference) async {
    let users = state.withLock { state in
      state.plans.values.filter { SecretKeeper.references(in: $0.configuration).contains(reference) }.compactMap {
        state.supervisors[$0.name]
      }
    }
    for user in users { await user.renewSecrets() }
  }

  /// The connection to a plugin by name: it lives as long as the host, whether the plugin is there or not.
  package func connection(to name: String) -> any PluginConnection { state.withLock { Self.connection(name, &$0) } }

  /// Returns when each plugin of a kind that is to run has started once, or was given up for now.
  package func settled(_ kind: PluginKind) async {
    while !Task.isCancelled {
      let (supervisors, plans, isBegun) = state.withLock { state in
        (Array(state.supervisors.values), state.plans, kind == .secrets ? state.hasLooked : state.hasBegun)
      }
      let isOpen = supervisors.contains { supervisor in
        let status = supervisor.status
        guard plans[supervisor.name]?.isEnabled == true, status.kind == kind.rawValue || status.kind == nil else { return false }
        return status.state == .available || status.state == .starting
      }
      // Before that nothing is open because nothing is known.
      if isBegun, !isOpen { return }
      // Woken by each change of a state; the time is for those that come while another one waits.
      await changed.wait(until: Date(timeIntervalSinceNow: 0.1))
    }
  }
  /// Tells how all plugins are, now and after each change, until cancelled.
  package func follow(_ tell: ([PluginStatus]) -> Void) async {
    while !Task.isCancelled {
      tell(statuses)
      await changed.wait(until: Date(timeIntervalSinceNow: 5))
    }
  }
}

// MARK: - What an operator sees and wants

extension PluginHost: PluginControl {
  package var statuses: [PluginStatus] {
    state.withLock { Array($0.supervisors.values) }.map(\.status).sorted { $0.name < $1.name }
  }

  private func supervisor(_ name: String) throws(PluginWishError) -> PluginSupervisor {
    guard let supervisor = state.withLock({ $0.supervisors[name] }) else {
      let names = statuses.map(\.name)
      let hint = names.isEmpty ? "there are none" : "there are \(names.joined(separator: ", "))"
      throw .unknown("there is no plugin '\(PluginText.line(name, limit: 80))': \(hint)")
    }
    return supervisor
  }

  package func logs(of name: String, after id: Int64?, limit: Int) throws(PluginWishError) -> [PluginLogLine] {
    try supervisor(name).log.lines(after: id, limit: limit)
  }

  package func objection(to wish: PluginWish, of name: String) -> PluginWishError? {
    let supervisor: PluginSupervisor
    do throws(PluginWishError) {
      supervisor = try self.supervisor(name)
    } catch {
      return error
    }
    let status = supervisor.status
    switch wish {
    case .disable: return nil
    case .enable:
      // The file that names it is the operator's word.
      guard let plan = state.withLock({ $0.plans[name] }) else {
        return .unfit(
          "runnerhub.yaml does not name \(name): add plugins.\(name) with what it is granted, such as plugins: { \(name): { grant: [] } }")
      }
      return plan.isEnabled ? nil : .unfit("\(plan.place) says that \(name) is not enabled: change it there")
    case .restart:
      guard status.state == .available || status.state == .disabled else { return nil }
      return .unfit("\(name) is \(status.state.rawValue)\(status.reason.map { " (\($0))" } ?? ""): there is nothing to restart")
    }
  }

  package func fulfil(_ wish: PluginWish, of name: String) async throws(PluginWishError) -> PluginStatus {
    if let objection = objection(to: wish, of: name) { throw objection }
    let supervisor = try supervisor(name)
    switch wish {
    case .enable: await supervisor.enable()
    case .disable: await supervisor.disable()
    case .restart: await supervisor.restart()
    }
    return supervisor.status
  }
}
