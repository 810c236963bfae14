internal import Domain
internal import Foundation
internal import RunnerHub

/// The built-in rule where no bundle could be loaded: each verdict says why.
final class StandInPolicy: PolicyEngine {
  private let builtIn: BuiltInPolicy
  private let cause: String

  init(builtIn: BuiltInPolicy, cause: String) {
    self.builtIn = builtIn
    self.cause = cause
  }

  func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> { explained(builtIn.route(job, fleet: fleet)) }
  func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> { explained(builtIn.prioritise(job, fleet: fleet)) }
  func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    explained(builtIn.place(job, candidates: candidates, now: now))
  }
  func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> { explained(builtIn.scale(pool, fleet: fleet)) }

  private func explained<Value>(_ verdict: Verdict<Value>) -> Verdict<Value> {
    var verdict = verdict
    verdict.fallbackCause = cause
    return verdict
  }
}
