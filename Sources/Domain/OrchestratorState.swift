/// What the orchestrator as a whole is doing. Derived from its parts, never set by hand.
package enum OrchestratorState: String, Sendable, Codable, CaseIterable {
  case initializing = "INITIALIZING"
  case ready = "READY"
  case processing = "PROCESSING"
  case scaling = "SCALING"
  case draining = "DRAINING"
  case stopped = "STOPPED"
  case error = "ERROR"

  /// What its parts say.
  package struct Signals: Hashable, Sendable {
    /// Store, engines and policies answered once since the start.
    package var hasStarted: Bool
    package var isDraining: Bool
    package var hasStopped: Bool
    /// A part that nothing works without fails: the store.
    package var hasCriticalFailure: Bool
    /// Jobs that hold a container.
    package var activeJobs: Int
    /// Containers being created or ended because a pool changes its size.
    package var changingContainers: Int

    package init(
      hasStarted: Bool = false, isDraining: Bool = false, hasStopped: Bool = false, hasCriticalFailure: Bool = false, activeJobs: Int = 0,
      changingContainers: Int = 0
    ) {
      self.hasStarted = hasStarted
      self.isDraining = isDraining
      self.hasStopped = hasStopped
      self.hasCriticalFailure = hasCriticalFailure
      self.activeJobs = activeJobs
      self.changingContainers = changingContainers
    }
  }

  /// The state that the signals mean. The gravest wins.
  package init(_ signals: Signals) {
    if signals.hasStopped {
      self = .stopped
    } else if signals.hasCriticalFailure {
      self = .error
    } else if signals.isDraining {
      self = .draining
    } else if !signals.hasStarted {
      self = .initializing
    } else if signals.changingContainers > 0 {
      self = .scaling
    } else if signals.activeJobs > 0 {
      self = .processing
    } else {
      self = .ready
    }
  }

  /// The states that may follow this one. `STOPPED` is final.
  package var successors: Set<OrchestratorState> {
    switch self {
    case .stopped: []
    case .draining: [.stopped, .error]
    case .initializing: Set(Self.allCases).subtracting([.initializing])
    // A store that failed before everything had answered once leads back to the start.
    case .error: Set(Self.allCases).subtracting([.error])
    case .ready, .processing, .scaling: Set(Self.allCases).subtracting([self, .initializing])
    }
  }
}
