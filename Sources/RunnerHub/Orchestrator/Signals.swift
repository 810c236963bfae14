/// One wake-up for each loop. A commit wakes them all: each finds in the store whether there is something for it.
package struct Signals: Sendable {
  package let intake = WakeUp()
  package let triage = WakeUp()
  package let planning = WakeUp()
  package let assignments = WakeUp()
  package let reporting = WakeUp()
  package let monitoring = WakeUp()
  /// For pages that follow what happens.
  package let pages = WakeUp()

  package init() {}

  /// Rows were changed.
  package func changed() {
    for wakeUp in [triage, planning, assignments, reporting, monitoring, pages] { wakeUp.notify() }
  }
}
