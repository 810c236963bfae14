package import Domain
package import Foundation
package import Scheduling

/// What the reporter does next. Pure: the service around it performs the action and feeds the outcome back.
///
/// It holds the updates of one round of reading and what must be remembered between rounds: what was sent when, and until when the forge wants
/// silence. What waits for long waits in the store.
package struct StatusOutbox: Sendable {
  /// How much the reporter may write.
  package struct Settings: Hashable, Sendable, Codable {
    /// GitHub's secondary limit for content: about 80 creations a minute, 500 an hour
    /// (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>).
    package var writesPerMinute: Int
    package var writesPerHour: Int
    /// Seconds between two writes for one job that do not change its state.
    package var quietSeconds: Double
    /// Share of a budget, 0…1, beyond which only ends of jobs are told.
    package var degradedShare: Double
    /// Waiting updates beyond which only ends of jobs are told.
    package var degradedBacklog: Int
    /// Seconds for which an update is put off that is not told now.
    package var postponement: Double
    /// For failures that pass by themselves.
    package var transient: Retry
    /// For a missing permission or repository, which somebody may grant.
    package var denied: Retry

    package init(
      writesPerMinute: Int = 80, writesPerHour: Int = 500, quietSeconds: Double = 10, degradedShare: Double = 0.75,
      degradedBacklog: Int = 64,
      postponement: Double = 30, transient: Retry = .effects, denied: Retry = Retry(maximumTries: 5, base: 60, cap: 3600)
    ) {
      self.writesPerMinute = max(1, writesPerMinute)
      self.writesPerHour = max(1, writesPerHour)
      self.quietSeconds = quietSeconds
      self.degradedShare = degradedShare
      self.degradedBacklog = degradedBacklog
      self.postponement = postponement
      self.transient = transient
      self.denied = denied
    }
  }

  package enum Action: Equatable, Sendable {
    case send(StatusUpdate)
    /// Not now: a newer one may replace it until then.
    case postpone(StatusUpdate, until: Date)
    /// Nothing may be sent before.
    case wait(until: Date)
    case idle
  }

  /// What becomes of an update that could not be sent.
  package enum Failure: Equatable, Sendable {
    case retry(at: Date)
    case giveUp(String)
  }

  package let settings: Settings
  private var waiting: [JobID: StatusUpdate] = [:]
  /// In the order of coming.
  private var order: [JobID] = []
  private var inFlight: Set<JobID> = []
  private var lastSent: [JobID: (at: Date, status: StatusUpdate.Status)] = [:]
  /// Times of the writes of the last hour, rising.
  private var writes: [Date] = []
  private var silentUntil: Date?

  package init(settings: Settings = Settings()) {
    self.settings = settings
  }

  package var count: Int { waiting.count }

  /// Adds an update; it takes the place of an older one of the same job.
  package mutating func enqueue(_ update: StatusUpdate) {
    if waiting.updateValue(update, forKey: update.jobID) == nil { order.append(update.jobID) }
  }

  /// What to do now. Ends of jobs go first, each kind in the order of coming. What is returned is no longer in here.
  package mutating func next(at now: Date) -> Action {
    forget(before: now)
    let ready = order.filter { !inFlight.contains($0) }
    guard !ready.isEmpty else { return .idle }
    let end = ready.first { waiting[$0]?.isTerminal == true }
    if end == nil || isDegraded(at: now) {
      // Everything that is no end is put off while the budget is short; each of the others may have to keep quiet.
      for id in ready {
        guard let update = waiting[id], !update.isTerminal else { continue }
        if let until = quietEnd(of: update, at: now) { return take(id, .postpone(update, until: until)) }
      }
    }
    if let opening = opening(at: now) { return .wait(until: opening) }
    guard let id = end ?? ready.first, let update = waiting[id] else { return .idle }
    inFlight.insert(id)
    return take(id, .send(update))
  }

  /// Whether only ends of jobs are told now.
  package func isDegraded(at now: Date) -> Bool {
    if let silentUntil, silentUntil > now { return true }
    return waiting.count > settings.degradedBacklog
      || Double(written(since: 60, now)) >= settings.degradedShare * Double(settings.writesPerMinute)
      || Double(written(since: 3600, now)) >= settings.degradedShare * Double(settings.writesPerHour)
  }

  /// The update is not owed any more, or not now: it was taken out for nothing.
  package mutating func drop(_ id: JobID) { inFlight.remove(id) }

  /// The forge took the update.
  package mutating func sent(_ update: StatusUpdate, at now: Date) {
    inFlight.remove(update.jobID)
    writes.append(now)
    lastSent[update.jobID] = update.isTerminal ? nil : (now, update.status)
  }

  /// The forge did not take the update.
  /// - Parameters:
  ///   - tries: failed tries before this one.
  ///   - random: 0..<1, for the jitter.
  package mutating func failed(_ update: StatusUpdate, _ error: ForgeError, tries: Int, at now: Date, random: Double) -> Failure {
    inFlight.remove(update.jobID)
    let failures = tries < .max ? tries + 1 : tries
    switch error {
    case .throttled(let until, _):
      silentUntil = max(silentUntil ?? until, until)
      return .retry(at: max(until, now))
    case .unavailable, .alreadyExists:
      // The forge may have counted it.
      writes.append(now)
      // An update of a job that goes on is not worth many tries: the next one replaces it.
      return .retry(at: now.addingTimeInterval(settings.transient.delay(afterFailures: failures, random: random)))
    case .invalid: return .giveUp(error.description)
    case .forbidden, .notFound:
      guard update.isTerminal, let again = settings.denied.next(afterFailures: failures, now: now, random: random) else {
        return .giveUp(error.description)
      }
      return .retry(at: again)
    }
  }

  private mutating func take(_ id: JobID, _ action: Action) -> Action {
    waiting[id] = nil
    order.removeAll { $0 == id }
    return action
  }

  /// Until when an update that is no end has to wait; nil: it may go.
  private func quietEnd(of update: StatusUpdate, at now: Date) -> Date? {
    if isDegraded(at: now) { return max(silentUntil ?? now, now.addingTimeInterval(settings.postponement)) }
    guard let last = lastSent[update.jobID], last.status == update.status else { return nil }
    let end = last.at.addingTimeInterval(settings.quietSeconds)
    return end > now ? end : nil
  }

  /// When the next write is allowed; nil: now.
  private func opening(at now: Date) -> Date? {
    var opening: Date?
    func notBefore(_ date: Date) { if date > now { opening = max(opening ?? date, date) } }
    if let silentUntil { notBefore(silentUntil) }
    for (seconds, limit) in [(60.0, settings.writesPerMinute), (3600.0, settings.writesPerHour)]
    where writes.count + inFlight.count >= limit {
      let recent = written(since: seconds, now) + inFlight.count
      guard recent >= limit else { continue }
      // When enough of the oldest have left the window. Those on their way count as written now.
      let index = writes.count - written(since: seconds, now) + (recent - limit)
      notBefore((index < writes.count ? writes[index] : now).addingTimeInterval(seconds))
    }
    return opening
  }

  private func written(since seconds: Double, _ now: Date) -> Int {
    let start = now.addingTimeInterval(-seconds)
    return writes.count - (writes.firstIndex { $0 > start } ?? writes.count)
  }

  private mutating func forget(before now: Date) {
    let hourAgo = now.addingTimeInterval(-3600)
    writes.removeFirst(writes.firstIndex { $0 > hourAgo } ?? writes.count)
    lastSent = lastSent.filter { now.timeIntervalSince($0.value.at) < settings.quietSeconds }
  }
}

extension StatusUpdate {
  /// It tells the end of a job. Such an update always arrives.
  package var isTerminal: Bool { status == .completed }
}
