package import RunnerHub
package import Domain
package import Foundation

/// Answers with the Lua files of one bundle, each in a state of its own. Where one breaks, the built-in rule answers and the verdict says why;
/// where the bundle has none, the built-in rule decides. Owned by one consumer; not shared.
package final class LuaPolicyEngine: PolicyEngine {
  private let bundle: PolicyBundle
  private let builtIn: any PolicyEngine
  private let limits: LuaLimits
  private let clock = ContinuousClock()
  private var states: [PolicyFile: Result<ServingState, LuaFailure>] = [:]

  /// - Parameter builtIn: answers where the bundle cannot.
  package init(bundle: PolicyBundle, builtIn: any PolicyEngine, limits: LuaLimits = .decision) {
    self.bundle = bundle
    self.builtIn = builtIn
    self.limits = limits
  }

  package func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> {
    decide(.routing, otherwise: { $0.route(job, fleet: fleet) }) { state in
      try PolicyAnswer.route(state.call("route", .init(job: job, now: fleet.now), fleet))
    }
  }

  package func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> {
    var weight = 0.0
    var verdict = decide(.priority, otherwise: { $0.prioritise(job, fleet: fleet) }) { state in
      let answer = try PolicyAnswer.priority(state.call("prioritise", .init(job: job, now: fleet.now), fleet))
      weight = answer.weight
      return (answer.priority, answer.reason)
    }
    verdict.weight = weight
    return verdict
  }

  package func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    decide(.affinity, otherwise: { $0.place(job, candidates: candidates, now: now) }) { state in
      let placement = try state.place(.init(job: job, now: now), candidates, now: now)
      return (placement, "\(placement.candidates.count { $0.score != nil }) of \(candidates.count) candidates allowed")
    }
  }

  package func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> {
    decide(.scaling, otherwise: { $0.scale(pool, fleet: fleet) }) { state in
      try PolicyAnswer.scale(state.scale(pool, fleet), pool: pool)
    }
  }

  /// Bytes that the state of a file holds; 0 before its first question.
  package func memory(of file: PolicyFile) -> Int {
    guard case .success(let state)? = states[file] else { return 0 }
    return state.runtime.memory
  }

  private func decide<Value>(
    _ file: PolicyFile, otherwise: (any PolicyEngine) -> Verdict<Value>, _ body: (ServingState) throws -> (Value, String)
  ) -> Verdict<Value> {
    // A bundle need not decide everything: what it has no file for is the built-in rule's, and no failure.
    guard states[file] != nil || bundle.has(file) else { return otherwise(builtIn) }
    let start = clock.now
    let cause: String
    let brokeBudget: Bool
    do {
      let state = try state(of: file).get()
      let (value, reason) = try body(state)
      let (seconds, attoseconds) = (clock.now - start).components
      return Verdict(
        value, reason: reason, bundle: bundle.digest, microseconds: Double(seconds) * 1e6 + Double(attoseconds) / 1e12,
        instructions: state.runtime.steps)
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
  private func state(of file: PolicyFile) -> Result<ServingState, LuaFailure> {
    if let known = states[file] { return known }
    let made = Result { () throws(LuaFailure) in
      let runtime = try bundle.makeRuntime(for: file, limits: .loading)
      try BundleCheck.expect(try runtime.load(file.rawValue), toServe: file)
      runtime.setLimits(limits)
      return ServingState(runtime)
    }
    states[file] = made
    return made
  }
}

/// The loaded state of one file, with what it keeps of its inputs.
private final class ServingState {
  let runtime: LuaRuntime
  private var kept: KeptInputs
  /// The fields that it reads.
  private var wanted: [UInt64]

  init(_ runtime: LuaRuntime) {
    self.runtime = runtime
    wanted = runtime.wanted
    kept = KeptInputs(wanted: wanted)
  }

  func call(_ function: String, _ job: PolicyInput.JobView, _ fleet: PolicyFleet) throws -> [LuaValue] {
    try sending {
      $0.send(job)
      $0.send(fleet)
    } asking: { kept throws(LuaFailure) in
      try runtime.call(function, kept.encoder, turn: fleet.now)
    }
  }

  func scale(_ pool: PolicyPool, _ fleet: PolicyFleet) throws -> [LuaValue] {
    try sending {
      $0.send(pool)
      $0.send(fleet)
    } asking: { kept throws(LuaFailure) in
      try runtime.call("scale", kept.encoder, turn: fleet.now)
    }
  }

  func place(_ job: PolicyInput.JobView, _ candidates: [PolicyContainer], now: Date) throws -> Placement {
    if kept.isFull(for: candidates.count) { try forget() }
    var answers = try sending {
      $0.send(candidates)
      $0.send(job)
    } asking: { kept throws(LuaFailure) in
      try runtime.place(turn: now, kept.encoder, slots: kept.slots)
    }
    do {
      return try placement(&answers, of: candidates.count)
    } catch is LuaDecoder.Malformed {
      throw runtime.malformed
    }
  }

  private func placement(_ answers: inout LuaDecoder, of count: Int) throws -> Placement {
    var verdicts: [CandidateVerdict] = []
    verdicts.reserveCapacity(count)
    var values: [LuaValue] = []
    // What the check of an answer made of the reason with a number: checked once, it need not be again.
    var reasons = [String?](repeating: nil, count: LuaDecoder.mostTexts)
    for _ in 0..<count {
      let score: Double?
      let number: Int
      switch try answers.answer(into: &values) {
      case .scored(let points, let reason): (score, number) = (points, reason)
      case .refused(let reason): (score, number) = (nil, reason)
      case .values:
        verdicts.append(try PolicyAnswer.candidate(values))
        continue
      }
      if reasons[number] == nil { reasons[number] = PolicyAnswer.cleaned(answers.reason(number)) }
      verdicts.append(CandidateVerdict(score: score, reason: reasons[number] ?? ""))
    }
    _ = try answers.answer(into: &values)
    return Placement(candidates: verdicts, strategy: try PolicyAnswer.strategy(values))
  }

  /// Asks with what changed; and again where the policy read a field that it had not read before.
  private func sending<Answer>(_ send: (KeptInputs) -> Void, asking ask: (KeptInputs) throws(LuaFailure) -> Answer) throws -> Answer {
    while true {
      kept.begin()
      send(kept)
      do throws(LuaFailure) {
        return try ask(kept)
      } catch let cause {
        let before = wanted
        wanted = runtime.wanted
        // How much of it arrived is not known.
        do {
          try forget()
        } catch {
          throw LuaFailure(kind: .host, message: "\(cause); and its inputs could not be forgotten: \(error)")
        }
        // Each time it is a field more, so this ends.
        guard cause.kind == .unsent, wanted != before else { throw cause }
      }
    }
  }

  private func forget() throws {
    kept = KeptInputs(wanted: wanted)
    try runtime.forget()
  }
}
