/// Which faults strike what. Pure: a plan, a seeded generator, and counters.
struct Faults: Sendable {
  enum DeliveryFate: Sendable, Equatable {
    case send, lose
    /// - Parameter fromOtherHook: under another GUID, as from a second hook that fits; else under its own once more.
    case double(fromOtherHook: Bool)
    case delay(Double)
    /// - Parameter overtakers: deliveries that go first.
    case reorder(overtakers: Int)
  }

  private(set) var plan: FaultPlan
  private var generator: SeededGenerator

  init(_ plan: FaultPlan = FaultPlan()) {
    self.plan = plan
    generator = SeededGenerator(seed: plan.seed)
  }

  /// What becomes of a delivery.
  /// - Parameter job: the job's name, where it tells of one.
  mutating func fate(ofDelivery event: String, action: String, job: String?) -> DeliveryFate {
    for index in plan.webhooks.indices {
      let fault = plan.webhooks[index]
      guard fault.event ?? event == event, fault.action ?? action == action, fault.job == nil || fault.job == job else { continue }
      guard plan.webhooks[index].strikes.strike(using: &generator) else { continue }
      switch fault.kind {
      case .lose: return .lose
      case .double: return .double(fromOtherHook: Bool.random(using: &generator))
      case .delay(let seconds): return .delay(seconds)
      case .reorder: return .reorder(overtakers: Int.random(in: 1...3, using: &generator))
      }
    }
    return .send
  }

  /// What becomes of a request; nil: it is served.
  mutating func fate(ofRequest method: String, path: String) -> FaultPlan.RequestFault.Kind? {
    for index in plan.requests.indices {
      let fault = plan.requests[index]
      guard fault.method ?? method == method, fault.path.map(path.contains) ?? true else { continue }
      if plan.requests[index].strikes.strike(using: &generator) { return fault.kind }
    }
    return nil
  }

  /// After how many seconds a runner that has just connected loses its registration; nil: it keeps it.
  mutating func vanishing() -> Double? {
    plan.vanishing?.strikes.strike(using: &generator) == true ? plan.vanishing?.after : nil
  }
}

extension FaultPlan.Strikes {
  /// Whether it strikes this time.
  fileprivate mutating func strike(using generator: inout SeededGenerator) -> Bool {
    switch self {
    case .always: return true
    case .probability(let chance): return Double.random(in: 0..<1, using: &generator) < chance
    case .next(let left):
      guard left > 0 else { return false }
      self = .next(left - 1)
      return true
    }
  }
}

/// SplitMix64: numbers that depend on the seed alone. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
