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
  }

  private var job: PolicyInput.JobView?
  private var fleet: PolicyFleet?
  private var pool: PolicyPool?
  private var candidates = KeptCandidates(firstSlot: 3)

  /// What the next call sends.
  private(set) var encoder: LuaEncoder
  /// Where the candidates of the last list are kept, in their order.
  var slots: [UInt32] { candidates.slots }
  /// Whether the state should be emptied before the next list.
  func isFull(for count: Int) -> Bool { candidates.isFull(for: count) }

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

  func send(_ containers: [PolicyContainer]) { candidates.send(containers, into: &encoder) }

  private func send<Object>(_ object: Object, _ kind: PolicyKind<Object>, _ slot: UInt32, before: Object?) {
    // What nobody reads need not be looked at.
    if before != nil && encoder.wanted(kind.kind) == 0 { return encoder.encodeKept(slot) }
    encoder.encodeKeep(slot)
    kind.write(object, before: before, into: &encoder)
  }
}

/// The candidates that a state keeps.
private struct KeptCandidates {
  /// Candidates that are kept at most, or twice as many as one list has.
  private static let mostCandidates = 2048

  private let firstSlot: UInt32
  private var kept: [PolicyContainer] = []
  /// Of those, in their order.
  private var stamps: [UInt64] = []
  /// The list that each was last part of, 0: none yet. A slot serves one candidate of a list.
  private var lists: [Int] = []
  private var places: [String: Int] = [:]
  private var list = 0
  /// Where the candidates of the last list are kept, in their order. Most lists resemble the one before.
  private(set) var slots: [UInt32] = []
  private var next: [UInt32] = []

  init(firstSlot: UInt32) { self.firstSlot = firstSlot }

  func isFull(for count: Int) -> Bool { kept.count + count > max(Self.mostCandidates, 3 * count) }

  mutating func send(_ containers: [PolicyContainer], into encoder: inout LuaEncoder) {
    list += 1
    next.removeAll(keepingCapacity: true)
    for place in containers.indices {
      let index: Int
      if place < slots.count, case let last = Int(slots[place] - firstSlot), lists[last] != list, stamps[last] == containers[place].stamp {
        index = last
      } else {
        index = keep(containers[place], into: &encoder)
      }
      lists[index] = list
      next.append(firstSlot + UInt32(index))
    }
    swap(&next, &slots)
  }

  /// Finds or makes the place of a candidate, and sends it unless it is kept there as it is. Any slot that this list has not used yet would do.
  private mutating func keep(_ container: PolicyContainer, into encoder: inout LuaEncoder) -> Int {
    let key = container.id.isEmpty ? "new " + container.pool : container.id
    let index: Int
    if let known = places[key], lists[known] != list {
      stamps[known] = container.stamp
      if kept[known] == container { return known }
      index = known
      kept[known] = container
    } else {
      index = kept.count
      places[key] = index
      kept.append(container)
      stamps.append(container.stamp)
      lists.append(0)
    }
    encoder.encodeNote()
    encoder.encodeKeep(firstSlot + UInt32(index))
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
