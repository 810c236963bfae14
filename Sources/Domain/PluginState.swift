/// Where a plugin is in its life.
package enum PluginState: String, Hashable, Sendable, Codable, CaseIterable {
  /// It lies in the folder, and `runnerhub.yaml` does not name it: nothing of it runs.
  case available
  /// An operator does not want it to run.
  case disabled
  /// Its process is being started, or greets.
  case starting
  case running
  /// It runs, and says itself that it does not do well, or did not answer when it was asked.
  case degraded
  /// It failed, and is started again after a while.
  case backingOff = "backing-off"
  /// It failed too often: it is not started again until an operator wishes so, or its files change.
  case quarantined
  /// It cannot run as it is, or RunnerHub ends.
  case stopped

  /// It can be called.
  package var isUp: Bool { self == .running || self == .degraded }
}

/// What can happen to a plugin.
package enum PluginEvent: Hashable, Sendable, CaseIterable {
  /// It is to run, and nothing speaks against it.
  case start
  /// It has greeted.
  case greeted
  /// It is asked how it does: well.
  case well
  /// Not well, or no answer.
  case unwell
  /// Its process ended, did not greet, or was ended since it did not do well.
  case failed
  /// The same, too often.
  case gaveUp
  /// Its files, configuration or grants do not allow a start.
  case refused
  /// By an operator.
  case disabled
  /// RunnerHub ends.
  case stopped
  /// `runnerhub.yaml` does not name it any more.
  case forgotten
}

extension PluginState {
  /// The whole table. `nil`: the event does not apply here and nothing changes.
  package func next(on event: PluginEvent) -> PluginState? {
    let hasProcess = isUp || self == .starting
    switch event {
    case .start: return hasProcess ? nil : .starting
    case .greeted: return self == .starting ? .running : nil
    case .well: return self == .degraded ? .running : nil
    case .unwell: return self == .running ? .degraded : nil
    case .failed: return hasProcess ? .backingOff : nil
    case .gaveUp: return hasProcess ? .quarantined : nil
    case .refused: return self == .stopped ? nil : .stopped
    case .disabled: return self == .disabled ? nil : .disabled
    case .stopped: return hasProcess || self == .backingOff ? .stopped : nil
    case .forgotten: return self == .available ? nil : .available
    }
  }
}
