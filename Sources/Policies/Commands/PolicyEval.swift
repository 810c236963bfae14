internal import Domain
package import RunnerHub

extension PolicyCommands {
  package enum Decision: String, Sendable, CaseIterable {
    case routing, priority, affinity, scaling
  }

  /// What a decision is asked about.
  package struct Question: Hashable, Sendable {
    package var job: PolicyJob
    package var fleet: PolicyFleet
    /// Affinity: the candidates.
    package var containers: [PolicyContainer]
    /// Scaling: the name of the pool; nil: all of them.
    package var pool: String?

    package init(job: PolicyJob, fleet: PolicyFleet, containers: [PolicyContainer] = [], pool: String? = nil) {
      self.job = job
      self.fleet = fleet
      self.containers = containers
      self.pool = pool
    }

    var pools: [PolicyPool] { fleet.pools.filter { pool == nil || $0.name == pool } }
  }

  package static func eval(_ decision: Decision, job: PolicyJob, fleet: PolicyFleet, folder: String) -> Report {
    eval(decision, Question(job: job, fleet: fleet), folder: folder)
  }

  /// `policy eval`: what the folder's policy says. A policy that breaks is shown with the built-in answer, and is no success.
  package static func eval(_ decision: Decision, _ question: Question, folder: String) -> Report {
    let bundle: PolicyBundle
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let found): bundle = found
    }
    let engine = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
    switch decision {
    case .routing:
      let verdict = engine.route(question.job, fleet: question.fleet)
      return show("route", .text(verdict.value.rawValue), verdict)
    case .priority:
      let verdict = engine.prioritise(question.job, fleet: question.fleet)
      return show("priority", .text(verdict.value.word), verdict)
    case .affinity: return placement(engine.place(question.job, candidates: question.containers, now: question.fleet.now), question)
    case .scaling:
      if question.pools.isEmpty {
        let names = question.fleet.pools.map(\.name)
        let hint = question.pool.flatMap { Suggestion.nearest(to: $0, among: names) }.map { " – did you mean '\($0)'?" }
        return refusal(BundleError("no pool '\(question.pool ?? "")' in the fleet\(hint ?? ": it has \(names.joined(separator: ", "))")"))
      }
      let reports = question.pools.map { pool -> Report in
        let verdict = engine.scale(pool, fleet: question.fleet)
        var report = show("wanted", .integer(verdict.value), verdict, first: [("pool", "\(pool.name) (has \(pool.total))")])
        report.values["pool"] = .text(pool.name)
        return report
      }
      if reports.count == 1 { return reports[0] }
      return Report(
        text: reports.map(\.text).joined(separator: "\n\n"), isSuccess: reports.allSatisfy(\.isSuccess),
        values: ["pools": .list(reports.map { .object($0.values) })])
    }
  }

  private static func placement(_ verdict: Verdict<Placement>, _ question: Question) -> Report {
    let said = Array(zip(question.containers, verdict.value.candidates))
    let order = said.enumerated().sorted { ($1.element.1.score ?? -1, $0.offset) < ($0.element.1.score ?? -1, $1.offset) }.map(\.element)
    let candidates = order.map { container, answer in
      (name: container.name, text: (answer.score.map { "\(score($0)) " } ?? "out ") + answer.reason)
    }
    let strategy = verdict.value.strategy?.rawValue
    var report = show("strategy", .optional(strategy), verdict, first: candidates, word: strategy ?? "the configured one")
    report.values["candidates"] = .list(
      order.map { container, answer in
        .object([
          "id": .text(container.id), "name": .text(container.name), "score": .optional(answer.score), "reason": .text(answer.reason),
        ])
      })
    return report
  }

  private static func score(_ points: Double) -> String { points == points.rounded() ? "\(Int(points))" : "\(points)" }

  private static func show<Value>(
    _ name: String, _ answer: ReportValue, _ verdict: Verdict<Value>, first: [(name: String, text: String)] = [], word: String? = nil
  ) -> Report {
    let text: String
    switch answer {
    case .text(let word): text = word
    case .integer(let number): text = "\(number)"
    default: text = word ?? "–"
    }
    var lines = first + [(name, text), ("reason", verdict.reason)]
    var values: [String: ReportValue] = [name: answer, "reason": .text(verdict.reason), "bundle": .text(verdict.bundle)]
    if let cause = verdict.fallbackCause {
      lines += [("bundle", verdict.bundle), ("because", cause)]
      values["fallback_cause"] = .text(cause)
    } else {
      let steps = verdict.instructions ?? 0
      let microseconds = Int(verdict.microseconds.rounded())
      lines.append(("bundle", "\(verdict.bundle) · \(grouped(microseconds)) µs · \(grouped(steps)) instructions"))
      values["microseconds"] = .integer(microseconds)
      values["instructions"] = .integer(steps)
    }
    return Report(text: rows(lines).joined(separator: "\n"), isSuccess: verdict.fallbackCause == nil, values: values)
  }
}
