package import RunnerHub
package import Domain
package import Foundation

/// Answers with the Lua files of one bundle, each in a state of its own. Where a file is missing or breaks, the built-in rule answers and the
/// verdict says why. Owned by one consumer; not shared.
package final class LuaPolicyEngine: PolicyEngine {
  private let bundle: PolicyBundle
  private let builtIn: any PolicyEngine
  private let limits: LuaLimits
  private let clock = ContinuousClock()
  private var runtimes: [PolicyFile: Result<LuaRuntime, LuaFailure>] = [:]

  /// - Parameter builtIn: answers where the bundle cannot.
  package init(bundle: PolicyBundle, builtIn: any PolicyEngine, limits: LuaLimits = .decision) {
    self.bundle = bundle
    self.builtIn = builtIn
    self.limits = limits
  }

  package func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> {
    decide(.routing, otherwise: { $0.route(job, fleet: fleet) }) { runtime in
      try PolicyAnswer.route(runtime.call("route", [Self.value(job, now: fleet.now), PolicyInput.fleet.value(of: fleet)]))
    }
  }

  package func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> {
    var weight = 0.0
    var verdict = decide(.priority, otherwise: { $0.prioritise(job, fleet: fleet) }) { runtime in
      let answer = try PolicyAnswer.priority(
        runtime.call("prioritise", [Self.value(job, now: fleet.now), PolicyInput.fleet.value(of: fleet)]))
      weight = answer.weight
      return (answer.priority, answer.reason)
    }
    verdict.weight = weight
    return verdict
  }

  package func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    decide(.affinity, otherwise: { $0.place(job, candidates: candidates, now: now) }) { runtime in
      let (answers, strategy) = try runtime.place(
        job: Self.value(job, now: now), candidates: candidates.map { PolicyInput.container.value(of: .init(container: $0, now: now)) })
      guard answers.count == candidates.count else {
        throw PolicyAnswerError("affinity answered for \(answers.count) of \(candidates.count) candidates")
      }
      let placement = Placement(candidates: try answers.map(PolicyAnswer.candidate), strategy: try PolicyAnswer.strategy(strategy))
      return (placement, "\(placement.candidates.count { $0.score != nil }) of \(candidates.count) candidates allowed")
    }
  }

  package func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> {
    decide(.scaling, otherwise: { $0.scale(pool, fleet: fleet) }) { runtime in
      try PolicyAnswer.scale(runtime.call("scale", [PolicyInput.pool.value(of: pool), PolicyInput.fleet.value(of: fleet)]), pool: pool)
    }
  }

  private static func value(_ job: PolicyJob, now: Date) -> LuaValue { PolicyInput.job.value(of: .init(job: job, now: now)) }

  private func decide<Value>(
    _ file: PolicyFile, otherwise: (any PolicyEngine) -> Verdict<Value>, _ body: (LuaRuntime) throws -> (Value, String)
  ) -> Verdict<Value> {
    let start = clock.now
    let cause: String
    let brokeBudget: Bool
    do {
      let runtime = try runtime(file).get()
      let (value, reason) = try body(runtime)
      let (seconds, attoseconds) = (clock.now - start).components
      return Verdict(
        value, reason: reason, bundle: bundle.digest, microseconds: Double(seconds) * 1e6 + Double(attoseconds) / 1e12,
        instructions: runtime.steps)
    } catch {
      cause = "\(error)"
      let kind = (error as? LuaFailure)?.kind
      brokeBudget = kind == .budget || kind == .memory
    }
    var verdict = otherwise(builtIn)
    verdict.brokeBudget = brokeBudget
    verdict.fallbackCause = "\(file.fileName) of bundle \(bundle.digest): \(cause)"
    return verdict
  }

  /// The state of a file, made at its first question. One that could not be loaded is not tried again: the bundle does not change.
  private func runtime(_ file: PolicyFile) -> Result<LuaRuntime, LuaFailure> {
    if let known = runtimes[file] { return known }
    let made = Result { () throws(LuaFailure) in
      guard bundle.has(file) else { throw LuaFailure(kind: .host, message: "the file is missing") }
      let runtime = try bundle.makeRuntime(for: file, limits: .test)
      try BundleCheck.expect(try runtime.load(file.rawValue), toServe: file)
      runtime.setLimits(limits)
      return runtime
    }
    runtimes[file] = made
    return made
  }
}
