package import Domain
package import Foundation
package import Logging
import Scheduling
import ServiceLifecycle
import Synchronization

/// Performs the effects that are owed to one source of jobs: tells it where they stand, and cancels runs of refused ones. Each source has a
/// reporter of its own, so that none waits for another that is slow, throttled or away.
///
/// Every effect is a committed row before it is performed and is removed after it, so a crash between the two performs it twice; the forge finds
/// a check run again by its handle or external id. A turn reads what is due, performs it with bounded concurrency and commits the outcome.
package actor StatusReporter: Service {
  package typealias Store = OutboxReader & ChangeWriter & ForgeMemory & JobReader

  private let store: any Store
  private let forge: any Forge
  private let source: String?
  private let wakeUp: WakeUp
  private let monitor: OrchestratorMonitor?
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let random: @Sendable () -> Double
  /// Calls to the forge at once.
  private let width: Int
  /// Effects read in one turn.
  private let batch = 256
  private let isStopping = Mutex(false)

  private var outbox: StatusOutbox
  private var storeFailures = 0

  /// - Parameters:
  ///   - source: whose jobs are reported; nil: GitHub's.
  ///   - wakeUp: notified by whoever commits an effect.
  ///   - monitor: told whether the forge answers.
  ///   - random: 0..<1, for the jitter of retries.
  package init(
    store: any Store, forge: any Forge, source: String? = nil, wakeUp: WakeUp, monitor: OrchestratorMonitor?, logger: Logger,
    settings: StatusOutbox.Settings = .init(), width: Int = 8, now: @escaping @Sendable () -> Date = { Date() },
    random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
  ) {
    self.store = store
    self.forge = forge
    self.source = source
    self.wakeUp = wakeUp
    self.monitor = monitor
    self.logger = logger
    self.width = max(1, width)
    self.now = now
    self.random = random
    outbox = StatusOutbox(settings: settings)
  }

  /// The handle of a job's check run in `ForgeMemory`.
  package static func handleKey(_ job: JobID) -> String { "check/\(job)" }

  /// Runs until it is cancelled or asked to shut down; then the turn that is under way is finished. What is still owed waits for the next start.
  package func run() async throws {
    await withGracefulShutdownHandler {
      while !Task.isCancelled {
        let pause = await turn()
        if isStopping.withLock({ $0 }) { return }
        await wakeUp.wait(until: pause)
      }
    } onGracefulShutdown: {
      self.isStopping.withLock { $0 = true }
      self.wakeUp.notify()
    }
  }

  /// Performs everything that is due.
  /// - Returns: when there is something to do again, if nothing notifies before; nil: not before a notification.
  package func turn() async -> Date? {
    do {
      let pause = try await performDue()
      storeFailures = 0
      return pause
    } catch {
      storeFailures += 1
      logger.error("status reporter cannot use the store", metadata: ["error": "\(error)"])
      let delay = Retry(maximumTries: .max, base: 1, cap: 30).delay(afterFailures: storeFailures, random: random())
      return now().addingTimeInterval(max(0.1, delay))
    }
  }

  private func performDue() async throws(StoreError) -> Date? {
    var putOff: Date?
    while !Task.isCancelled, !isStopping.withLock({ $0 }) {
      var due = try await store.dueEffects(.urgent, to: source, at: now(), limit: batch)
      let ordinary = try await dueOrdinaryEffects()
      putOff = ordinary == nil ? now().addingTimeInterval(outbox.settings.postponement) : nil
      due += ordinary ?? []
      let round = try await perform(due)
      if let until = round.waitUntil { return until }
      // A round that changed nothing would come again at once.
      guard !due.isEmpty, round.hasProgressed else { break }
    }
    let urgent = try await store.nextEffectTime(.urgent, to: source)
    let other = if let putOff { putOff } else { try await store.nextEffectTime(.ordinary, to: source) }
    return [urgent, other].compactMap(\.self).min()
  }

  /// What goes on with jobs, the longest due first, where there is room to tell it; nil: only ends are told now. What waits stays in the store as
  /// it is, so that a hundred thousand waiting jobs cost nothing.
  private func dueOrdinaryEffects() async throws(StoreError) -> [OutboxEffect]? {
    if outbox.isDegraded(at: now()) { return nil }
    return try await store.dueEffects(.ordinary, to: source, at: now(), limit: outbox.settings.degradedBacklog)
  }

  private struct Round {
    var waitUntil: Date?
    var hasProgressed = false
  }

  private func perform(_ due: [OutboxEffect]) async throws(StoreError) -> Round {
    var round = Round()
    var owed: [JobID: OutboxEffect] = [:]
    var cancellations: [OutboxEffect] = []
    for effect in due {
      switch effect.kind {
      case .status(let update):
        owed[update.jobID] = effect
        outbox.enqueue(update)
      case .cancelRun: cancellations.append(effect)
      }
    }
    for chunk in stride(from: 0, to: cancellations.count, by: width) {
      try await cancel(Array(cancellations[chunk..<min(chunk + width, cancellations.count)]))
      round.hasProgressed = true
    }
    while !Task.isCancelled, !isStopping.withLock({ $0 }) {
      var changes = Changes()
      let sends = collectSends(owed, &changes, &round)
      if sends.isEmpty && changes.isEmpty { break }
      for outcome in await publish(sends) { settle(outcome, &changes) }
      try await store.commit(changes, at: .statusesSettled)
      round.hasProgressed = true
    }
    return round
  }

  /// Takes from the outbox what may be sent at once, and notes what is put off.
  private func collectSends(_ owed: [JobID: OutboxEffect], _ changes: inout Changes, _ round: inout Round) -> [Send] {
    var sends: [Send] = []
    while sends.count < width {
      switch outbox.next(at: now()) {
      case .send(let update):
        guard let effect = owed[update.jobID] else {
          // Its row was replaced meanwhile: the newer one comes with a later batch.
          outbox.drop(update.jobID)
          continue
        }
        sends.append(Send(effect: effect, update: update))
      case .postpone(let update, let until):
        guard var effect = owed[update.jobID] else { continue }
        effect.dueAt = until
        changes.postponedEffects.append(effect)
      case .wait(let until):
        round.waitUntil = until
        return sends
      case .idle:
        return sends
      }
    }
    return sends
  }

  private struct Send: Sendable {
    var effect: OutboxEffect
    var update: StatusUpdate
  }
  private struct Outcome: Sendable {
    var send: Send
    var result: Result<String, ForgeError>
  }

  private func publish(_ sends: [Send]) async -> [Outcome] {
    let forge = forge
    let store = store
    return await withTaskGroup(of: Outcome.self) { group in
      for send in sends {
        group.addTask {
          do throws(ForgeError) {
            let handle = try await Self.handle(of: send.update.jobID, in: store)
            return Outcome(send: send, result: .success(try await forge.publish(send.update, handle: handle)))
          } catch {
            return Outcome(send: send, result: .failure(error))
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  private static func handle(of job: JobID, in store: any Store) async throws(ForgeError) -> String? {
    do throws(StoreError) {
      return try await store.value(forKey: handleKey(job))
    } catch {
      // Without its handle a second check run could be made: rather later.
      throw .unavailable("the check run's handle cannot be read: \(error)")
    }
  }

  private func settle(_ outcome: Outcome, _ changes: inout Changes) {
    var effect = outcome.send.effect
    let update = outcome.send.update
    let at = now()
    switch outcome.result {
    case .success(let handle):
      outbox.sent(update, at: at)
      changes.memory[Self.handleKey(update.jobID)] = handle
      changes.finishedEffects.append(effect)
      monitor?.report(.forge, at: at)
      HubMetrics.statusWrite("sent")
    case .failure(let error):
      note(error, at: at)
      switch outbox.failed(update, error, tries: effect.tries, at: at, random: random()) {
      case .retry(let again):
        effect.postpone(to: again, after: error)
        changes.postponedEffects.append(effect)
        HubMetrics.statusWrite("retried")
      case .giveUp(let cause):
        changes.finishedEffects.append(effect)
        changes.timeline.append(
          .init(jobID: update.jobID, at: at, text: "its status (\(update.status.rawValue)) was not reported: \(cause)"))
        HubMetrics.statusWrite("given_up")
        logger.warning(
          "status is not reported", metadata: ["job": "\(update.jobID)", "repository": "\(update.repository)", "cause": "\(cause)"])
      }
    }
  }

  /// Only what says that the forge as a whole does not work counts against its health.
  private func note(_ error: ForgeError, at now: Date) {
    switch error {
    case .unavailable, .throttled, .forbidden: monitor?.report(.forge, failing: error.description, at: now)
    case .notFound, .invalid, .alreadyExists: monitor?.report(.forge, at: now)
    }
  }
}

extension StatusReporter {
  /// Cancels runs, and hands the refused job to a runner's hook where that is not allowed.
  private func cancel(_ effects: [OutboxEffect]) async throws(StoreError) {
    let forge = forge
    let jobs = try await jobs(of: effects)
    let outcomes = await withTaskGroup(of: (OutboxEffect, ForgeError?).self) { group in
      for effect in effects {
        guard case .cancelRun(let jobID, _, let runID, _) = effect.kind else { continue }
        let job = jobs[jobID]
        group.addTask {
          do throws(ForgeError) {
            guard let job else { throw .invalid("its job is not known any more") }
            try await forge.cancelRun(id: runID, repository: job.repository, installationID: job.installationID)
            return (effect, nil)
          } catch {
            return (effect, error)
          }
        }
      }
      return await group.reduce(into: [(OutboxEffect, ForgeError?)]()) { $0.append($1) }
    }
    for (effect, error) in outcomes { try await settle(cancellation: effect, error) }
  }

  private func jobs(of effects: [OutboxEffect]) async throws(StoreError) -> [JobID: Job] {
    var found: [JobID: Job] = [:]
    for effect in effects {
      guard case .cancelRun(let jobID, _, _, _) = effect.kind else { continue }
      found[jobID] = try await store.job(jobID)
    }
    return found
  }

  private func settle(cancellation effect: OutboxEffect, _ error: ForgeError?) async throws(StoreError) {
    guard case .cancelRun(let jobID, _, let runID, _) = effect.kind else { return }
    let at = now()
    var changes = Changes()
    switch error {
    case nil:
      changes.finishedEffects = [effect]
      changes.timeline = [.init(jobID: jobID, at: at, text: "cancellation of run \(runID) asked for")]
      monitor?.report(.forge, at: at)
    case .forbidden, .notFound:
      if let source { return try await leave(jobID, effect, to: source, because: error?.description ?? "") }
      return try await failByHook(jobID, effect, because: error?.description ?? "")
    case .invalid(let why), .alreadyExists(let why):
      // GitHub answers 409 when the run has ended already.
      changes.finishedEffects = [effect]
      changes.timeline = [.init(jobID: jobID, at: at, text: "run \(runID) was not cancelled: \(why)")]
    case .throttled(let until, _):
      var later = effect
      later.postpone(to: max(until, at), after: error)
      changes.postponedEffects = [later]
      monitor?.report(.forge, failing: error?.description ?? "", at: at)
    case .unavailable:
      var later = effect
      let delay = outbox.settings.transient.delay(afterFailures: effect.tries + 1, random: random())
      later.postpone(to: at.addingTimeInterval(delay), after: error)
      changes.postponedEffects = [later]
      monitor?.report(.forge, failing: error?.description ?? "", at: at)
    }
    try await store.commit(changes, at: .cancellationSettled)
  }

  /// Another source than GitHub has no hook that could fail the job. Until it is cancelled there, no runner of its class is made.
  private func leave(_ jobID: JobID, _ effect: OutboxEffect, to source: String, because cause: String) async throws(StoreError) {
    var changes = Changes()
    changes.finishedEffects = [effect]
    changes.timeline = [
      .init(
        jobID: jobID, at: now(),
        text: "\(source) does not cancel its run (\(cause)): cancel it there; until then no runner of its class is made")
    ]
    try await store.commit(changes, at: .cancellationForbidden)
  }

  /// The permission is missing: a runner whose started hook fails the job is to be made. Read again and again, since others change the job too.
  /// - Throws: `StoreError.conflict` when they were faster five times; the effect stays owed.
  private func failByHook(_ jobID: JobID, _ effect: OutboxEffect, because cause: String) async throws(StoreError) {
    var conflicts = 0
    while true {
      var changes = Changes()
      changes.finishedEffects = [effect]
      if var job = try await store.job(jobID), job.state == .refused {
        job.refusalAction = .failByHook
        changes.jobs = [job]
        changes.timeline = [.init(jobID: jobID, at: now(), text: "its run may not be cancelled (\(cause)): a runner is to fail it")]
      }
      do throws(StoreError) {
        try await store.commit(changes, at: .cancellationForbidden)
        return
      } catch .conflict(let what) {
        conflicts += 1
        if conflicts == 5 { throw .conflict(what) }
      }
    }
  }
}

extension OutboxEffect {
  /// A status owed to the forge, replacing an older one of the same job.
  package static func status(_ update: StatusUpdate, dueAt: Date) -> OutboxEffect {
    OutboxEffect(key: "status/\(update.jobID)", kind: .status(update), dueAt: dueAt)
  }

  fileprivate mutating func postpone(to date: Date, after error: ForgeError?) {
    dueAt = date
    // Being throttled is not a failed try.
    if case .throttled = error { return }
    tries = tries < .max ? tries + 1 : tries
  }
}
