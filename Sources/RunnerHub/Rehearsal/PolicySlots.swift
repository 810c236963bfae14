import Synchronization

/// A bundle that stands beside the live one.
package struct SlottedBundle: Sendable {
  package var digest: String
  /// Canary: the share of jobs, 0…100.
  package var percent: Double
  /// A fresh engine, within a slot's own limits.
  package var makeEngine: @Sendable () -> any PolicyEngine

  package init(digest: String, percent: Double = 0, makeEngine: @escaping @Sendable () -> any PolicyEngine) {
    self.digest = digest
    self.percent = percent
    self.makeEngine = makeEngine
  }
}

/// The live policies with what stands beside them: a shadow, which is asked about the same inputs and never acts, and a canary, which decides
/// for a share of the jobs.
///
/// Engines made here look at the slots with each decision, so that a change needs no new engine. What costs too much is dropped at once, and
/// kept in `trips` until somebody has written it down.
package final class PolicySlots: PolicySource {
  /// A slot that was emptied since its bundle broke its budget too often.
  package struct Trip: Hashable, Sendable {
    package var slot: PolicySlot
    package var digest: String
    package var cause: String
  }

  struct Contents: Sendable {
    var shadow: SlottedBundle?
    var canary: SlottedBundle?
  }
  private struct State {
    var contents = Contents()
    var guards: [PolicySlot: SlotGuard] = [:]
    var trips: [Trip] = []
    /// The event of the archive by which each slot is as it is.
    var events: [PolicySlot: Int64] = [:]
  }

  private let live: any PolicySource
  private let state = Mutex(State())
  /// Rises with each change of the slots.
  private let number = Atomic<UInt64>(0)
  /// Rung when something was switched off.
  package let tripped = WakeUp()

  package init(live: any PolicySource) {
    self.live = live
  }

  package var activeBundle: String { live.activeBundle }
  package var status: PolicyStatus { live.status }
  package func makeEngine() -> any PolicyEngine { RehearsingEngine(live: live.makeEngine(), slots: self) }

  /// What stands in a slot beside the live one.
  package func bundle(in slot: PolicySlot) -> (digest: String, percent: Double)? {
    let contents = contents
    return (slot == .canary ? contents.canary : slot == .shadow ? contents.shadow : nil).map { ($0.digest, $0.percent) }
  }

  /// Puts a bundle into the shadow's or canary's slot, or empties it. The live slot is the source's own.
  /// - Parameter event: identity of the event that says so in the archive. Of two that come at once the later one holds, as in the archive.
  package func set(_ bundle: SlottedBundle?, in slot: PolicySlot, event: Int64? = nil) {
    state.withLock { state in
      if let event {
        if let known = state.events[slot], known > event { return }
        state.events[slot] = event
      }
      switch slot {
      case .shadow: state.contents.shadow = bundle
      case .canary: state.contents.canary = bundle
      case .live: return
      }
      state.guards[slot] = nil
    }
    number.add(1, ordering: .releasing)
  }

  /// What was switched off and not taken from here yet, oldest first.
  package func takeTrips() -> [Trip] {
    state.withLock { state in
      defer { state.trips = [] }
      return state.trips
    }
  }

  var revision: UInt64 { number.load(ordering: .acquiring) }
  var contents: Contents { state.withLock { $0.contents } }

  /// One decision of a slot's bundle. Empties the slot where it was one breach too many.
  func note(_ breach: String?, by digest: String, in slot: PolicySlot) {
    let hasTripped = state.withLock { state in
      // An engine may ask a bundle that was replaced a moment ago.
      guard (slot == .canary ? state.contents.canary : state.contents.shadow)?.digest == digest,
        state.guards[slot, default: SlotGuard()].note(isBreach: breach != nil)
      else { return false }
      if slot == .canary { state.contents.canary = nil } else { state.contents.shadow = nil }
      state.guards[slot] = nil
      let cause = "switched off: \(SlotGuard.tolerance) of its last decisions broke their budget, the last one: \(breach ?? "")"
      state.trips.append(Trip(slot: slot, digest: digest, cause: cause))
      return true
    }
    guard hasTripped else { return }
    number.add(1, ordering: .releasing)
    tripped.notify()
  }
}
