internal import Domain
internal import Foundation
package import RunnerHub

/// What one Lua state keeps of the inputs that it was sent, so that a call sends only what changed since.
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
  private(set) var encoder = LuaEncoder()
  /// Where the candidates of the last list are kept, in their order. Most lists resemble the one before.
  private(set) var slots: [UInt32] = []
  private var next: [UInt32] = []

  /// How many candidates are kept.
  var count: Int { candidates.count }
  /// Whether the state should be emptied before the next list.
  func isFull(for count: Int) -> Bool { candidates.count + count > max(Self.mostCandidates, 3 * count) }

  func begin() { encoder.removeAll() }

  func send(_ view: PolicyInput.JobView) {
    // First what tells most jobs apart.
    if job?.job.id == view.job.id, job?.now == view.now, job?.job == view.job { return encoder.encodeKept(Slot.job) }
    job = view
    Self.jobs.encode(view, slot: Slot.job, into: &encoder)
  }

  func send(_ fleet: PolicyFleet) {
    if fleet == self.fleet { return encoder.encodeKept(Slot.fleet) }
    self.fleet = fleet
    Self.fleets.encode(fleet, slot: Slot.fleet, into: &encoder)
  }

  func send(_ pool: PolicyPool) {
    if pool == self.pool { return encoder.encodeKept(Slot.pool) }
    self.pool = pool
    Self.pools.encode(pool, slot: Slot.pool, into: &encoder)
  }

  func send(_ containers: [PolicyContainer]) {
    list += 1
    next.removeAll(keepingCapacity: true)
    for place in containers.indices {
      let index = unchanged(containers, at: place) ?? keep(containers[place])
      lists[index] = list
      next.append(Slot.firstCandidate + UInt32(index))
    }
    swap(&next, &slots)
  }

  /// Where a candidate is kept that is what it was in the same place of the last list, as most are. Compared where it lies: a copy of each
  /// would cost more than all the rest.
  private func unchanged(_ containers: [PolicyContainer], at place: Int) -> Int? {
    guard place < slots.count else { return nil }
    let index = Int(slots[place] - Slot.firstCandidate)
    guard lists[index] != list else { return nil }
    let isSame = candidates.withUnsafeBufferPointer { kept in containers.withUnsafeBufferPointer { kept[index] == $0[place] } }
    return isSame ? index : nil
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
    Self.containers.encode(
      .init(container: container, now: .distantPast), slot: Slot.firstCandidate + UInt32(index), into: &encoder)
    return index
  }

  // MARK: Kinds

  private static let jobs = KeptKind(PolicyInput.job)
  private static let fleets = KeptKind(PolicyInput.fleet)
  private static let pools = KeptKind(PolicyInput.pool)
  private static let containers = KeptKind(PolicyInput.container, moments: moments)

  fileprivate static let moments: [String: @Sendable (PolicyInput.ContainerView) -> Date?] = [
    "age_seconds": { $0.container.createdAt }, "idle_seconds": { $0.container.idleSince },
  ]
}

/// A kind of input as it is kept: its fields in the order of their names, as the state has them.
private struct KeptKind<Object>: Sendable {
  private enum Field: Sendable {
    case value(@Sendable (Object) -> LuaValue)
    /// A span, sent as the moment that it counts from: the state reckons it when it is read.
    case moment(@Sendable (Object) -> Date?)
  }

  private let name: String
  private let fields: [Field]

  init(_ kind: PolicyKind<Object>, moments: [String: @Sendable (Object) -> Date?] = [:]) {
    name = kind.name
    fields = kind.fields.sorted { $0.name < $1.name }.map { field in
      moments[field.name].map(Field.moment) ?? .value(field.value)
    }
  }

  func encode(_ object: Object, slot: UInt32, into encoder: inout LuaEncoder) {
    encoder.encodeKeep(slot, kind: name)
    for field in fields {
      switch field {
      case .value(let value): encoder.encode(value(object))
      // Without a moment the span is 0.
      case .moment(let moment): encoder.encodeMoment(moment(object)?.timeIntervalSinceReferenceDate ?? .infinity)
      }
    }
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
  package static var keptAsMoments: Set<String> { Set(KeptInputs.moments.keys) }
}
