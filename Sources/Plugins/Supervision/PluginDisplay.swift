internal import Domain
internal import Foundation
internal import Logging
internal import Metrics
internal import RunnerHub
internal import Synchronization

/// What is seen of one plugin: its state, moved by events of the transition table, and what is told of each move.
final class PluginDisplay: Sendable {
  private let name: String
  private let folder: URL
  private let connection: SteadyConnection
  private let log: PluginLog
  private let tell: @Sendable (HubEvent) -> Void
  private let changed: @Sendable () -> Void
  private let shown: Mutex<PluginStatus>

  /// - Parameters:
  ///   - tell: must not wait.
  ///   - changed: called after each move.
  init(
    name: String, folder: URL, connection: SteadyConnection, log: PluginLog, tell: @escaping @Sendable (HubEvent) -> Void,
    changed: @escaping @Sendable () -> Void
  ) {
    self.name = name
    self.folder = folder
    self.connection = connection
    self.log = log
    self.tell = tell
    self.changed = changed
    shown = Mutex(PluginStatus(name: name, since: Date()))
  }

  var status: PluginStatus {
    var status = shown.withLock { $0 }
    (status.calls, status.errors) = connection.counts
    return status
  }

  func show(_ change: (inout PluginStatus) -> Void) { shown.withLock { change(&$0) } }

  /// Applies an event; what does not apply changes nothing.
  func move(_ event: PluginEvent, _ reason: String?) {
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

  func publish(_ action: String, _ text: String) {
    let status = shown.withLock { $0 }
    tell(
      HubEvent(
        kind: .plugin, at: Date(), action: action, subject: name, text: "plugin \(name) \(action): \(text)",
        details: ["kind": status.kind ?? "", "version": status.version ?? ""]))
  }

  /// One more failure.
  func count() {
    show { $0.failures += 1 }
    Counter(label: "runnerhub_plugin_failures_total", dimensions: [("plugin", name)]).increment()
  }

  /// Shows what a manifest says.
  func describe(_ manifest: PluginManifest) {
    show { status in
      status.kind = manifest.kind.rawValue
      status.version = manifest.version
      status.summary = manifest.summary
      status.abilities = manifest.abilities.texts
    }
  }

  /// Shows what the manifest in the folder says, of a plugin that does not run.
  func describe() {
    // What is wrong with it is said when it is to run, or by runnerhub plugin check.
    let manifest = try? PluginManifest.read(folder: folder)
    show { status in
      status.kind = manifest?.kind.rawValue
      status.version = manifest?.version
      status.summary = manifest?.summary
    }
  }
}
