internal import Domain
internal import Foundation
package import RunnerHub

/// What one Lua state keeps of the inputs that it was sent, so that a call sends only what changed since.
///
/// Invisible to policies: an object in the state holds what the host's value holds at each call, and nothing of a policy outlives a call. After
/// a call that failed all is sent anew, since how far it came is not known.
struct KeptInputs {
  /// Slots of the state: one each for job, fleet and pool, then those of candidates.
  private enum Slot {
    static let job: UInt32 = 0
    static let fleet: UInt32 = 1
    static let pool: UInt32 = 2
    static let firstCandidate: UInt32 = 3
  }

  /// Candidates that are kept at most, unless one list has more.
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
  func isFull(for count: Int) -> Bool { candidates.count + count > max(Self.mostCandidates, 2 * count) }

  mutating func begin() { encoder.removeAll() }

  mutating func send(_ view: PolicyInput.JobView) {
    if let job, job.job == view.job, job.now == view.now { return encoder.encodeKept(Slot.job) }
    job = view
    Self.jobs.encode(view, slot: Slot.job, into: &encoder)
  }

  mutating func send(_ fleet: PolicyFleet) {
    if fleet == self.fleet { return encoder.encodeKept(Slot.fleet) }
    self.fleet = fleet
    Self.fleets.encode(fleet, slot: Slot.fleet, into: &encoder)
  }

  mutating func send(_ pool: PolicyPool) {
    if pool == self.pool { return encoder.encodeKept(Slot.pool) }
    self.pool = pool
    Self.pools.encode(pool, slot: Slot.pool, into: &encoder)
  }

  mutating func send(_ containers: [PolicyContainer]) {
    list += 1
    next.removeAll(keepingCapacity: true)
    for (place, container) in containers.enumerated() {
      let index = self.index(of: container, at: place)
      if lists[index] == 0 || candidates[index] != container {
        candidates[index] = container
        encoder.encodeNote()
        Self.containers.encode(
          .init(container: container, now: .distantPast), slot: Slot.firstCandidate + UInt32(index), into: &encoder)
      }
      lists[index] = list
      next.append(Slot.firstCandidate + UInt32(index))
    }
    swap(&next, &slots)
  }

  /// Where a candidate is kept, or is to be. Any slot that this list has not used yet would do; the one that holds it already costs nothing.
  private mutating func index(of container: PolicyContainer, at place: Int) -> Int {
    if place < slots.count, case let index = Int(slots[place] - Slot.firstCandidate), lists[index] != list,
      candidates[index].id == container.id
    {
      return index
    }
    let key = container.id.isEmpty ? "new " + container.pool : container.id
    if let index = places[key], lists[index] != list { return index }
    places[key] = candidates.count
    candidates.append(container)
    lists.append(0)
    return candidates.count - 1
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
