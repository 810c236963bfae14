internal import Domain
internal import Foundation
package import RunnerHub

/// What one Lua state keeps of the inputs that it was sent, so that a call sends only what changed since, and of that only what policies read.
///
/// Invisible to policies: an object in the state holds what the host's value holds at each call, and nothing of a policy outlives a call. After
/// a call that failed all is sent anew, since how far it came is not known.
final class KeptInputs {
  /// Slots of the state: one each for job, fleet and pool, then those of candidates.
  private enum Slot {
    static let job: UInt32 = 0
    static let fleet: UInt32 = 1
    static let pool: UInt32 = 2
    static let firstCandidate: UInt32 = 3
  }

  /// Candidates that are kept at most, or twice as many as one list has.
  private static let mostCandidates = 2048

  private var job: PolicyInput.JobView?
  private var fleet: PolicyFleet?
  private var pool: PolicyPool?
  private var candidates: [PolicyContainer] = []
  /// The list that each was last part of, 0: none yet. A slot serves one candidate of a list.
  private var lists: [Int] = []
  private var places: [String: Int] = [:]
  private var list = 0

  /// What the next call sends.
  private(set) var encoder: LuaEncoder
  /// Where the candidates of the last list are kept, in their order. Most lists resemble the one before.
  private(set) var slots: [UInt32] = []
  private var next: [UInt32] = []

  /// How many candidates are kept.
  var count: Int { candidates.count }
  /// Whether the state should be emptied before the next list.
  func isFull(for count: Int) -> Bool { candidates.count + count > max(Self.mostCandidates, 3 * count) }

  /// - Parameter wanted: the fields that policies read, by kind.
  init(wanted: [UInt64]) { encoder = LuaEncoder(wanted: wanted) }

  func begin() { encoder.removeAll() }

  func send(_ view: PolicyInput.JobView) {
    send(view, PolicyInput.job, Slot.job, before: job)
    job = view
  }

  func send(_ fleet: PolicyFleet) {
    send(fleet, PolicyInput.fleet, Slot.fleet, before: self.fleet)
    self.fleet = fleet
  }

  func send(_ pool: PolicyPool) {
    send(pool, PolicyInput.pool, Slot.pool, before: self.pool)
    self.pool = pool
  }

  private func send<Object>(_ object: Object, _ kind: PolicyKind<Object>, _ slot: UInt32, before: Object?) {
    // What nobody reads need not be looked at.
    if before != nil && encoder.wanted(kind.kind) == 0 { return encoder.encodeKept(slot) }
    encoder.encodeKeep(slot)
    kind.write(object, before: before, into: &encoder)
  }

  func send(_ containers: [PolicyContainer]) {
    list += 1
    next.removeAll(keepingCapacity: true)
    for (place, container) in containers.enumerated() {
      let index = unchanged(container, at: place) ?? keep(container)
      lists[index] = list
      next.append(Slot.firstCandidate + UInt32(index))
    }
    swap(&next, &slots)
  }

  /// Where a candidate is kept that is what it was in the same place of the last list, as most are.
  private func unchanged(_ container: PolicyContainer, at place: Int) -> Int? {
    guard place < slots.count else { return nil }
    let index = Int(slots[place] - Slot.firstCandidate)
    return lists[index] != list && candidates[index] == container ? index : nil
  }

  /// Finds or makes the place of a candidate, and sends it unless it is kept there as it is. Any slot that this list has not used yet would do.
  private func keep(_ container: PolicyContainer) -> Int {
    let key = container.id.isEmpty ? "new " + container.pool : container.id
    let index: Int
    if let known = places[key], lists[known] != list {
      if candidates[known] == container { return known }
      index = known
      candidates[known] = container
    } else {
      index = candidates.count
      places[key] = index
      candidates.append(container)
      lists.append(0)
    }
    encoder.encodeNote()
    encoder.encodeKeep(Slot.firstCandidate + UInt32(index))
    PolicyInput.container.write(.init(container: container, now: .distantPast), before: nil, into: &encoder)
    return index
  }
}

extension PolicyInput {
  /// Fields of a candidate that depend on the time of the question. They must be kept as moments, since a container that did not change is not
  /// sent again.
  package static func timedFields(of container: PolicyContainer) -> Set<String> {
    let moments = [Date(timeIntervalSinceReferenceDate: 0), Date(timeIntervalSinceReferenceDate: 1e9)]
    return Set(
      Self.container.fields.filter { field in
        Set(moments.map { field.value(.init(container: container, now: $0)) }).count > 1
      }.map(\.name))
  }

  /// Those that are.
  package static var keptAsMoments: Set<String> { Set(container.fields.filter(\.isKeptAsMoment).map(\.name)) }
}
