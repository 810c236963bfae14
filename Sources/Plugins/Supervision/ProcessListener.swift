internal import Logging
internal import RunnerHub
internal import Synchronization

/// Hears one process of a plugin, and wakes its supervisor at its end.
final class ProcessListener: PluginListener {
  private let log: PluginLog
  private let wake: WakeUp
  private let end = Mutex<PluginEnd?>(nil)

  init(log: PluginLog, wake: WakeUp) {
    self.log = log
    self.wake = wake
  }

  /// How it ended, if it has.
  var ended: PluginEnd? { end.withLock { $0 } }

  func logged(_ line: String) { log.add(line) }
  func dropped(_ lines: Int) { log.add("(\(lines) lines came too fast and are left out)", level: .warning) }
  func misbehaved(_ what: String) { log.add("(not what the protocol says: \(what))", level: .warning) }
  func ended(_ end: PluginEnd) {
    self.end.withLock { $0 = end }
    wake.notify()
  }
}
