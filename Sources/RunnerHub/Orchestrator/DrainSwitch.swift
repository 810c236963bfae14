import Synchronization

/// Whether RunnerHub takes no new work. Once on, it stays on.
package final class DrainSwitch: Sendable {
  private let state = Atomic<Bool>(false)

  package init() {}

  package var isOn: Bool { state.load(ordering: .acquiring) }
  package func turnOn() { state.store(true, ordering: .releasing) }
}
