package import Foundation
package import Logging
package import RunnerHub

/// Keeps what stands beside the live bundle: takes bundles for the shadow and the canary, checks and tests them, stores them, and puts them into
/// their slots. The archive says what stands there, so that it survives a restart.
package struct SlotKeeper: Sendable {
  package let slots: PolicySlots
  private let keeper: PolicyKeeper
  private let archive: any PolicyKeeper.Archive
  private let logger: Logger
  private let now: @Sendable () -> Date

  /// - Parameter keeper: of the live slot, into which promoted bundles go.
  package init(
    keeper: PolicyKeeper, archive: any PolicyKeeper.Archive, logger: Logger = Logger(label: "runnerhub.policies"),
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    slots = PolicySlots(live: keeper.active)
    self.keeper = keeper
    self.archive = archive
    self.logger = logger
    self.now = now
  }

  /// Puts back what stood in the slots last. One that cannot be used any more leaves its slot empty, and is told.
  package func start() async throws(StoreError) {
    for slot in [PolicySlot.shadow, .canary] {
      guard let event = try await archive.policyEvent(actingIn: slot), event.kind != .cleared, let digest = event.bundle else { continue }
      do {
        put(try await keeper.stored(digest), in: slot, event: event)
        logger.info("\(slot.rawValue) of the last time", metadata: ["bundle": "\(digest)"])
      } catch {
        logger.error("the \(slot.rawValue) cannot be used any more", metadata: ["bundle": "\(digest)", "error": "\(error)"])
      }
    }
  }

  /// Writes down what was switched off, until cancelled.
  package func run() async throws {
    var owed: [PolicySlots.Trip] = []
    while !Task.isCancelled {
      owed += slots.takeTrips()
      do {
        while let trip = owed.first {
          try await note(trip)
          owed.removeFirst()
        }
        await slots.tripped.wait()
      } catch {
        logger.error("that a slot was switched off cannot be stored yet", metadata: ["error": "\(error)"])
        await slots.tripped.wait(until: now().addingTimeInterval(1))
      }
    }
  }

  private func note(_ trip: PolicySlots.Trip) async throws(StoreError) {
    logger.error("the \(trip.slot.rawValue) was switched off", metadata: ["bundle": "\(trip.digest)", "cause": "\(trip.cause)"])
    try await keeper.turn.withLock { () async throws(StoreError) -> Void in try await noteAlone(trip) }
  }

  private func noteAlone(_ trip: PolicySlots.Trip) async throws(StoreError) {
    // Somebody may have filled the slot anew meanwhile: then that stands, and this is only told.
    guard slots.bundle(in: trip.slot) == nil else { return }
    let event = try await commit(
      PolicyEvent(kind: .cleared, slot: trip.slot, bundle: trip.digest, actor: "host", detail: trip.cause, at: now()), bundle: nil)
    slots.set(nil, in: trip.slot, event: event.id)
  }

  /// - Returns: the event with its identity.
  private func commit(_ event: PolicyEvent, bundle: PolicyBundle?) async throws(StoreError) -> PolicyEvent {
    var changes = Changes()
    if let bundle {
      changes.bundles = [StoredBundle(digest: bundle.digest, files: bundle.files.mapValues { Data($0) }, storedAt: event.at)]
    }
    changes.policyEvents = [event]
    return try await archive.commit(changes, at: .policyChanged).policyEvents.first ?? event
  }

  private func put(_ bundle: PolicyBundle, in slot: PolicySlot, event: PolicyEvent) {
    let limits: LuaLimits = slot == .shadow ? .shadow : .decision
    slots.set(
      SlottedBundle(digest: bundle.digest, percent: event.percent ?? 0) {
        LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy(), limits: limits)
      }, in: slot, event: event.id)
  }
}

extension LuaLimits {
  /// For one decision of a shadow: the same work as a live one may take, and less time.
  package static let shadow = LuaLimits(time: .milliseconds(250))
}

extension SlotKeeper: SlotControl {
  package func fill(
    _ slot: PolicySlot, with choice: BundleChoice, percent: Double?, by actor: String, note: String?
  ) async throws(PolicyWishError) -> PolicyChange {
    guard slot != .live else { throw .unfit("the live slot is filled by the folder, by rollback and by promote") }
    let percent = slot == .canary ? percent ?? 0 : nil
    if let percent, !(0...100 ~= percent) { throw .unfit("percent is \(percent): expected 0 to 100") }
    let bundle: PolicyBundle
    switch choice {
    case .files(let files):
      do { bundle = try PolicyBundle(files: files.mapValues { Array($0) }) } catch { throw .unfit(error.description) }
    case .digest(let wanted):
      let events = try await answering { () throws(StoreError) in try await archive.policyEvents(limit: 10_000) }
      bundle = try await keeper.stored(try Self.target(wanted, events))
    }
    // Before the turn is taken: what is found depends on the bundle alone, and a rollback need not wait for it.
    let check = await PolicyKeeper.check(bundle, runsTests: true)
    return try await keeper.turn.withLock { () async throws(PolicyWishError) -> PolicyChange in
      try await fillAlone(slot, with: bundle, check, percent: percent, by: actor, note: note)
    }
  }

  private func fillAlone(
    _ slot: PolicySlot, with bundle: PolicyBundle, _ check: BundleCheck, percent: Double?, by actor: String, note: String?
  ) async throws(PolicyWishError) -> PolicyChange {
    let previous = slots.bundle(in: slot)?.digest ?? "none"
    let kind: PolicyEvent.Kind = check.summary == nil ? .activated : .refused
    let wanted = PolicyEvent(
      kind: kind, slot: slot, bundle: bundle.digest, percent: percent, actor: actor, detail: check.summary ?? note, at: now())
    let event = try await answering { () throws(StoreError) in try await commit(wanted, bundle: check.summary == nil ? bundle : nil) }
    if let problem = check.summary {
      return PolicyChange(outcome: .refused, bundle: previous, previous: previous, problem: problem, tests: check.tests.count)
    }
    put(bundle, in: slot, event: event)
    logger.info("\(slot.rawValue) filled", metadata: ["bundle": "\(bundle.digest)", "percent": "\(percent ?? 0)", "actor": "\(actor)"])
    return PolicyChange(outcome: .activated, bundle: bundle.digest, previous: previous, tests: check.tests.count)
  }

  package func clear(_ slot: PolicySlot, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange {
    guard slot != .live else { throw .unfit("the live slot cannot be emptied") }
    return try await keeper.turn.withLock { () async throws(PolicyWishError) -> PolicyChange in
      try await clearAlone(slot, by: actor, note: note)
    }
  }

  private func clearAlone(_ slot: PolicySlot, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange {
    guard let present = slots.bundle(in: slot)?.digest else {
      return PolicyChange(outcome: .unchanged, bundle: "none", previous: "none")
    }
    let wanted = PolicyEvent(kind: .cleared, slot: slot, bundle: present, actor: actor, detail: note, at: now())
    let event = try await answering { () throws(StoreError) in try await commit(wanted, bundle: nil) }
    slots.set(nil, in: slot, event: event.id)
    return PolicyChange(outcome: .activated, bundle: "none", previous: present)
  }

  package func promote(_ slot: PolicySlot?, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange {
    try await keeper.turn.withLock { () async throws(PolicyWishError) -> PolicyChange in
      try await promoteAlone(slot, by: actor, note: note)
    }
  }

  private func promoteAlone(_ slot: PolicySlot?, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange {
    let filled = [PolicySlot.shadow, .canary].filter { slots.bundle(in: $0) != nil && (slot == nil || $0 == slot) }
    guard let from = filled.first, let digest = slots.bundle(in: from)?.digest else {
      throw .unknown(slot.map { "there is no \($0.rawValue) to promote" } ?? "neither a shadow nor a canary is there to promote")
    }
    guard filled.count == 1 || slots.bundle(in: .shadow)?.digest == slots.bundle(in: .canary)?.digest else {
      throw .unfit("there are a shadow and a canary: say which one by its slot")
    }
    let change = try await keeper.promoteAlone(digest, by: actor, note: note ?? "promoted from \(from.rawValue)")
    for slot in filled { _ = try await clearAlone(slot, by: actor, note: "promoted") }
    return change
  }

  private func answering<Value: Sendable>(_ work: () async throws(StoreError) -> Value) async throws(PolicyWishError) -> Value {
    do { return try await work() } catch { throw .unavailable(error.description) }
  }

  /// The bundle of a digest's first digits, among all that ever came into a slot. Pure.
  static func target(_ wanted: String, _ events: [PolicyEvent]) throws(PolicyWishError) -> String {
    let known = Set(events.filter { $0.kind != .refused }.compactMap(\.bundle))
    let meant = wanted.isEmpty ? [] : known.filter { $0.hasPrefix(wanted.lowercased()) }.sorted()
    guard let first = meant.first else { throw .unknown("no bundle \(wanted) is in the store, and no folder has this name") }
    guard meant.count == 1 else { throw .unknown("\(wanted) could be \(meant.prefix(5).joined(separator: " or "))") }
    return first
  }
}
