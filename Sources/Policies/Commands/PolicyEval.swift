internal import Domain
package import RunnerHub

extension PolicyCommands {
  package enum Decision: String, Sendable, CaseIterable {
    case routing, priority
  }

  /// `policy eval`: what the folder's policy says of a job. A policy that breaks is shown with the built-in answer, and is no success.
  package static func eval(_ decision: Decision, job: PolicyJob, fleet: PolicyFleet, folder: String) -> Report {
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let bundle):
      let engine = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
      switch decision {
      case .routing:
        let verdict = engine.route(job, fleet: fleet)
        return show("route", verdict.value.rawValue, verdict)
      case .priority:
        let verdict = engine.prioritise(job, fleet: fleet)
        return show("priority", verdict.value.word, verdict)
      }
    }
  }

  private static func show<Value>(_ name: String, _ word: String, _ verdict: Verdict<Value>) -> Report {
    var rows = [(name, word), ("reason", verdict.reason)]
    var values: [String: ReportValue] = [name: .text(word), "reason": .text(verdict.reason), "bundle": .text(verdict.bundle)]
    if let cause = verdict.fallbackCause {
      rows.append(("bundle", verdict.bundle))
      rows.append(("because", cause))
      values["fallback_cause"] = .text(cause)
    } else {
      let steps = verdict.instructions ?? 0
      rows.append(("bundle", "\(verdict.bundle) · \(Int(verdict.microseconds.rounded())) µs · \(steps) instructions"))
      values["microseconds"] = .integer(Int(verdict.microseconds.rounded()))
      values["instructions"] = .integer(steps)
    }
    let text = rows.map { row in row.0 + String(repeating: " ", count: max(1, 10 - row.0.count)) + row.1 }.joined(separator: "\n")
    return Report(text: text, isSuccess: verdict.fallbackCause == nil, values: values)
  }
}
