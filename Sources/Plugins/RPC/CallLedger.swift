/// The calls to one plugin: which are under way, which wait for their turn, until when each may take. Pure; `Ticket` is what the caller waits at.
struct CallLedger<Ticket: Sendable>: Sendable {
  typealias Instant = ContinuousClock.Instant

  struct Call: Sendable {
    var id: Int64
    var ticket: Ticket
    var method: String
    var limit: Duration
    var deadline: Instant
    /// The line to be sent; empty once it was.
    var line: [UInt8]
  }

  enum Admission: Equatable {
    /// To be sent now.
    case go
    /// Its turn comes.
    case wait
    /// Too many wait, or too much of them.
    case full
  }

  /// Calls that may wait, and bytes that they may hold.
  static var waitingLimit: Int { 1024 }
  static var waitingBytes: Int { 16 << 20 }

  let concurrency: Int
  private var underWay: [Int64: Call] = [:]
  private var waiting: [Call] = []
  private var heldBytes = 0
  /// Calls that nobody waits for any more, whose answer may still come.
  private var abandoned: Set<Int64> = []
  /// No deadline is before it.
  private(set) var earliest: Instant?

  init(concurrency: Int) { self.concurrency = concurrency }

  var count: Int { underWay.count + waiting.count }

  /// - Parameter isUrgent: it waits for no other: questions of the host's own, such as `health`.
  mutating func add(_ call: Call, isUrgent: Bool = false) -> Admission {
    if underWay.count < concurrency || isUrgent {
      var sent = call
      sent.line = []
      underWay[call.id] = sent
    } else if waiting.count < Self.waitingLimit, heldBytes + call.line.count <= Self.waitingBytes {
      waiting.append(call)
      heldBytes += call.line.count
      watch(call.deadline)
      return .wait
    } else {
      return .full
    }
    watch(call.deadline)
    return .go
  }

  /// Whether `next` has something.
  var hasNext: Bool { !waiting.isEmpty && underWay.count < concurrency }
  func isUnderWay(_ id: Int64) -> Bool { underWay[id] != nil }

  /// Calls whose turn has come; their time begins anew.
  mutating func next(at now: Instant) -> [Call] {
    var next: [Call] = []
    while underWay.count < concurrency, !waiting.isEmpty {
      var call = waiting.removeFirst()
      heldBytes -= call.line.count
      call.deadline = now + call.limit
      next.append(call)
      call.line = []
      underWay[call.id] = call
      watch(call.deadline)
    }
    return next
  }

  /// What an answer to this id means: the call that it ends; `late` for one that nobody waits for; nil: no such call is open.
  enum Answered { case call(Call), late }
  mutating func answered(_ id: Int64) -> Answered? {
    if let call = underWay.removeValue(forKey: id) { return .call(call) }
    return abandoned.remove(id) == nil ? nil : .late
  }

  /// The call goes on: its time begins anew.
  mutating func renew(_ id: Int64, at now: Instant) -> Call? {
    guard var call = underWay[id] else { return nil }
    call.deadline = now + call.limit
    underWay[id] = call
    watch(call.deadline)
    return call
  }

  func isAbandoned(_ id: Int64) -> Bool { abandoned.contains(id) }

  /// Nobody waits for it any more.
  /// - Returns: the call, and whether it was sent.
  mutating func abandon(_ id: Int64) -> (call: Call, wasSent: Bool)? {
    if let call = underWay.removeValue(forKey: id) {
      // The oldest are forgotten: an answer to one of them counts as a wrong one.
      if abandoned.count >= Self.waitingLimit, let oldest = abandoned.min() { abandoned.remove(oldest) }
      abandoned.insert(id)
      return (call, true)
    }
    guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
    let call = waiting.remove(at: index)
    heldBytes -= call.line.count
    return (call, false)
  }

  /// Abandons all whose time is over.
  mutating func expire(at now: Instant) -> [(call: Call, wasSent: Bool)] {
    guard let earliest, earliest <= now else { return [] }
    let late = (Array(underWay.values) + waiting).filter { $0.deadline <= now }.map(\.id)
    let expired = late.compactMap { abandon($0) }
    self.earliest = (underWay.values.map(\.deadline) + waiting.map(\.deadline)).min()
    return expired
  }

  mutating func endAll() -> [Call] {
    defer {
      underWay = [:]
      waiting = []
      heldBytes = 0
    }
    return Array(underWay.values) + waiting
  }

  private mutating func watch(_ deadline: Instant) {
    if earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
  }
}
