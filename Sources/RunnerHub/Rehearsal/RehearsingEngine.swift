import Domain
import Foundation

/// Answers with the live bundle, or the canary's for its share of the jobs, and says what the other bundle would have answered: of the canary's
/// jobs the live one, of all others the shadow.
///
/// What stands in a slot cannot break a decision: where the canary fails, the live bundle answers. Nor can it slow one beyond its budget: a
/// slot's engine has limits of its own, and what breaks them too often is switched off. A shadow that costs more than `RehearsalBudget` has is not
/// asked for a while.
final class RehearsingEngine: PolicyEngine {
  /// Wall time that one decision of a slot's bundle may take. Far more than its instructions need: those are what a bundle is judged by, and a busy
  /// host must not switch a sound one off.
  static let allowance: Duration = .milliseconds(100)
  /// The same for affinity, which is asked about all candidates at once.
  static let placingAllowance: Duration = .milliseconds(250)

  private struct Understudy {
    var digest: String
    var percent: Double
    var engine: any PolicyEngine
    /// The kinds of decisions that it was asked for: the first time it reads its files.
    var asked: Set<String> = []
  }

  private let live: any PolicyEngine
  private let slots: PolicySlots
  private let clock: @Sendable () -> ContinuousClock.Instant
  private var seen: UInt64?
  private var shadow: Understudy?
  private var canary: Understudy?
  private var budget = RehearsalBudget()

  /// - Parameter clock: the time, for what a decision of a slot's bundle takes.
  init(
    live: any PolicyEngine, slots: PolicySlots, clock: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
  ) {
    self.live = live
    self.slots = slots
    self.clock = clock
  }

  func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> {
    decide("routing", of: job, Self.allowance, word: \.rawValue) { $0.route(job, fleet: fleet) }
  }

  func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> {
    decide("priority", of: job, Self.allowance, word: \.word) { $0.prioritise(job, fleet: fleet) }
  }

  func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    decide("affinity", of: job, Self.placingAllowance, word: { Self.best(of: $0, candidates) }) {
      $0.place(job, candidates: candidates, now: now)
    }
  }

  /// A pool has no workflow, so no canary decides its size.
  func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> {
    decide("scaling", of: nil, Self.allowance, word: { "\($0)" }) { $0.scale(pool, fleet: fleet) }
  }

  /// Whether a job is one of a canary's: all jobs of a workflow are, or none.
  static func isChosen(_ job: PolicyJob, percent: Double) -> Bool {
    StableHash.percent(job.repository, job.workflow ?? "") < percent
  }

  /// The candidate with the highest score, the first of several; what the strategy makes of it is no policy's answer.
  static func best(of placement: Placement, _ candidates: [PolicyContainer]) -> String {
    var best: (score: Double, name: String)?
    for (verdict, candidate) in zip(placement.candidates, candidates) {
      guard let score = verdict.score, score > best?.score ?? -1 else { continue }
      best = (score, candidate.name)
    }
    return best?.name ?? "none"
  }

  private func decide<Value>(
    _ kind: String, of job: PolicyJob?, _ allowance: Duration, word: (Value) -> String, _ ask: (any PolicyEngine) -> Verdict<Value>
  ) -> Verdict<Value> {
    lookAtSlots()
    if let canary, let job, Self.isChosen(job, percent: canary.percent) {
      let isFirst = self.canary?.asked.insert(kind).inserted ?? true
      let answer = measured(canary, .canary, isFirst ? nil : allowance, ask)
      let other = ask(live)
      if let cause = answer.fallbackCause { return other.standing(inFor: canary.digest, because: cause, word: word) }
      return answer.compared(with: other, isCanary: true, word: word)
    }
    let verdict = ask(live)
    guard let shadow else { return verdict }
    guard budget.allows(at: clock()) else {
      HubMetrics.comparisonSkipped(kind)
      return verdict
    }
    let isFirst = self.shadow?.asked.insert(kind).inserted ?? true
    var other = measured(shadow, .shadow, isFirst ? nil : allowance, ask)
    other.bundle = shadow.digest
    return verdict.compared(with: other, isCanary: false, word: word)
  }

  /// - Parameter allowance: nil: what it takes is not held against the bundle.
  private func measured<Value>(
    _ understudy: Understudy, _ slot: PolicySlot, _ allowance: Duration?, _ ask: (any PolicyEngine) -> Verdict<Value>
  ) -> Verdict<Value> {
    let start = clock()
    let verdict = ask(understudy.engine)
    let time = clock() - start
    if slot == .shadow { budget.spend(time) }
    guard let allowance else { return verdict }
    let breach = verdict.brokeBudget ? verdict.fallbackCause : time > allowance ? "it took \(time)" : nil
    slots.note(breach, by: understudy.digest, in: slot)
    return verdict
  }

  private func lookAtSlots() {
    let revision = slots.revision
    guard revision != seen else { return }
    seen = revision
    let contents = slots.contents
    shadow = Self.renewed(shadow, for: contents.shadow)
    canary = Self.renewed(canary, for: contents.canary)
  }

  private static func renewed(_ understudy: Understudy?, for bundle: SlottedBundle?) -> Understudy? {
    guard let bundle else { return nil }
    guard var understudy, understudy.digest == bundle.digest else {
      return Understudy(digest: bundle.digest, percent: bundle.percent, engine: bundle.makeEngine())
    }
    understudy.percent = bundle.percent
    return understudy
  }
}

extension Verdict {
  /// The same answer, beside what another bundle said.
  fileprivate func compared(with other: Verdict, isCanary: Bool, word: (Value) -> String) -> Verdict {
    var verdict = self
    verdict.isCanary = isCanary
    let output = word(other.value)
    verdict.shadow = ShadowVerdict(
      bundle: other.bundle, output: output, reason: other.reason, fallbackCause: other.fallbackCause, differs: output != word(value))
    return verdict
  }

  /// The live bundle's answer where the canary failed: recorded as the canary's, and as a difference, though both sides say the same.
  fileprivate func standing(inFor canary: String, because cause: String, word: (Value) -> String) -> Verdict {
    var verdict = self
    (verdict.bundle, verdict.fallbackCause, verdict.isCanary) = (canary, cause, true)
    verdict.shadow = ShadowVerdict(
      bundle: bundle, output: word(value), reason: reason, fallbackCause: fallbackCause, differs: true)
    return verdict
  }
}
