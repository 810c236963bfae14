import Domain
import Synchronization

/// One wake-up for each loop. A commit wakes those that it may concern: each finds in the store whether there is something for it.
package struct Signals: Sendable {
  package let intake = WakeUp()
  package let triage = WakeUp()
  package let planning = WakeUp()
  package let assignments = WakeUp()
  /// For images that are to be fetched.
  package let images = WakeUp()
  package let reporting = WakeUp()
  private let reportingToSources = Shared([String: WakeUp]())
  package let monitoring = WakeUp()
  package let alerts = WakeUp()
  package let notifications = WakeUp()
  /// For pages that follow what happens.
  package let pages = WakeUp()
  /// Rises with each change of assignments, for whoever looks at intervals.
  package let assignmentRevision = Revision()

  package init() {}

  /// The same as `reporting` for what is told to one source; nil: GitHub.
  package func reporting(to source: String?) -> WakeUp {
    guard let source else { return reporting }
    return reportingToSources.withLock { wakeUps in
      let wakeUp = wakeUps[source] ?? WakeUp()
      wakeUps[source] = wakeUp
      return wakeUp
    }
  }

  /// A number that only rises.
  package final class Revision: Sendable {
    private let number = Atomic<UInt64>(0)
    package var current: UInt64 { number.load(ordering: .acquiring) }
    func raise() { number.add(1, ordering: .releasing) }
  }

  /// Rows were changed: wakes the loops that look at what they are now.
  package func changed(by changes: Changes) {
    let isFleetChanged = !changes.assignments.isEmpty || !changes.containers.isEmpty
    if !changes.assignments.isEmpty { assignmentRevision.raise() }
    if changes.jobs.contains(where: { $0.state == .received }) { triage.notify() }
    if isFleetChanged || changes.jobs.contains(where: { $0.state == .queued || $0.state == .refused }) { planning.notify() }
    if isFleetChanged { assignments.notify() }
    for source in Set(changes.effects.map(\.source)) { reporting(to: source).notify() }
    if changes.jobs.contains(where: { $0.state == .failed }) { alerts.notify() }
    if !changes.notifications.isEmpty { notifications.notify() }
    monitoring.notify()
    pages.notify()
  }

  /// What is to be done may have changed otherwise.
  package func changed() {
    assignmentRevision.raise()
    for wakeUp in [triage, planning, assignments, reporting, monitoring, pages] { wakeUp.notify() }
  }
}
