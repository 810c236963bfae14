internal import Domain
internal import Foundation
internal import RunnerHub

extension PolicyCommands {
  /// `policy bench`: how fast each policy answers, against the built-in rule in the same run, and what of its budget it uses.
  /// - Parameters:
  ///   - questions: asked in turn; recorded ones or samples.
  ///   - time: for which each policy is asked.
  package static func bench(_ folder: String, questions: [Question], time: Duration = .milliseconds(300)) -> Report {
    let bundle: PolicyBundle
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let found): bundle = found
    }
    let check = BundleCheck(bundle, runsTests: false)
    if !check.problems.isEmpty { return refusal(BundleError(check.summary ?? "the bundle is not sound")) }
    guard !questions.isEmpty else { return refusal(BundleError("no questions to ask")) }
    var table = [["", "DECISIONS/S", "P50", "P99", "BUILT-IN", "INSTRUCTIONS", "MEMORY"]]
    var values: [ReportValue] = []
    var broken: [String] = []
    for decision in Decision.allCases where bundle.has(PolicyFile(decision)) {
      let engine = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
      let builtIn = BuiltInPolicy()
      // Both in turns of one question each, so that a busy machine slows both.
      var (own, plain) = (Timings(), Timings())
      var most = 0
      var cause: String?
      let end = ContinuousClock.now + time
      var round = 0
      while round < 50 || ContinuousClock.now < end {
        let question = questions[round % questions.count]
        let answer = own.measure { ask(engine, decision, question) }
        _ = plain.measure { ask(builtIn, decision, question) }
        most = max(most, answer.instructions)
        if let why = answer.cause { cause = why }
        round += 1
      }
      if let cause { broken.append("\(decision.rawValue): \(cause)") }
      let ratio = plain.median > 0 ? own.median / plain.median : 0
      let held: Int
      do {
        held = try memory(decision, questions[0], bundle)
      } catch {
        broken.append("\(decision.rawValue): \(error)")
        continue
      }
      let budget = LuaLimits.decision
      table.append([
        decision.rawValue, grouped(Int(own.perSecond)), "\(microseconds(own.median))", "\(microseconds(own.percentile(0.99)))",
        "\(decimal(ratio))×", "\(grouped(most)) (\(share(most, of: budget.steps)))",
        "\(grouped(held >> 10)) KiB (\(share(held, of: budget.memory)))",
      ])
      values.append(
        .object([
          "policy": .text(decision.rawValue), "decisions_per_second": .number(own.perSecond), "p50_microseconds": .number(own.median),
          "p99_microseconds": .number(own.percentile(0.99)), "built_in_p50_microseconds": .number(plain.median), "ratio": .number(ratio),
          "instructions": .integer(most), "memory_bytes": .integer(held),
        ]))
    }
    let candidates = questions.map(\.containers.count).max() ?? 0
    let note =
      "\(count(questions.count, "question")), affinity of up to \(count(candidates, "container")); percentages are of a decision's budget"
    return Report(
      text: (columns(table) + broken.map { "broke: \($0)" } + [note]).joined(separator: "\n"), isSuccess: broken.isEmpty,
      values: ["bundle": .text(bundle.digest), "questions": .integer(questions.count), "policies": .list(values)])
  }

  private static func ask(_ engine: any PolicyEngine, _ decision: Decision, _ question: Question) -> (instructions: Int, cause: String?) {
    switch decision {
    case .routing: facts(engine.route(question.job, fleet: question.fleet))
    case .priority: facts(engine.prioritise(question.job, fleet: question.fleet))
    case .affinity: facts(engine.place(question.job, candidates: question.containers, now: question.fleet.now))
    case .scaling: facts(engine.scale(question.pools.first ?? PolicySamples.pool, fleet: question.fleet))
    }
  }

  private static func facts<Value>(_ verdict: Verdict<Value>) -> (instructions: Int, cause: String?) {
    (verdict.instructions ?? 0, verdict.fallbackCause)
  }

  /// Bytes that a state of the policy holds after its calls.
  private static func memory(_ decision: Decision, _ question: Question, _ bundle: PolicyBundle) throws(LuaFailure) -> Int {
    let file = PolicyFile(decision)
    let runtime = try bundle.makeRuntime(for: file, limits: .test)
    let module = try runtime.load(file.rawValue)
    for call in TracedCall.calls(decision, question) where module.functions.contains(call.function) {
      _ = try runtime.call(call.function, call.arguments)
    }
    return runtime.memory
  }

  private static func microseconds(_ number: Double) -> String { "\(decimal(number)) µs" }

  /// Rows of cells, each column as wide as its widest cell.
  static func columns(_ rows: [[String]]) -> [String] {
    let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { column, cell in
        column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
      }.joined(separator: "  ")
    }
  }
}

/// Times of one thing done often.
private struct Timings {
  private var microseconds: [Double] = []

  mutating func measure<Value>(_ body: () -> Value) -> Value {
    let start = ContinuousClock.now
    let value = body()
    microseconds.append((ContinuousClock.now - start) / .microseconds(1))
    return value
  }

  var median: Double { percentile(0.5) }
  var perSecond: Double {
    let sum = microseconds.reduce(0, +)
    return sum > 0 ? min(1e12, Double(microseconds.count) * 1e6 / sum) : 0
  }
  func percentile(_ share: Double) -> Double {
    let sorted = microseconds.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}

extension PolicySamples {
  /// Questions that differ as a day's jobs do: labels, branches, events, and fifty candidates.
  package static var questions: [PolicyCommands.Question] {
    let containers = (0..<50).map { index in
      var container = container
      container.id = "rh-linux-\(index)"
      container.name = "linux-\(index)"
      container.uses = index % 5
      container.repository = index % 4 == 0 ? "acme/storefront" : index % 4 == 1 ? "acme/payments" : nil
      return container
    }
    let labels = [["self-hosted", "linux"], ["ubuntu-latest"], ["self-hosted", "linux", "deploy"], ["windows"], ["linux", "nightly"]]
    let branches = ["main", "feature/cart", "hotfix/total", "release/2.1"]
    return (0..<20).map { index in
      var job = job
      job.name = index % 3 == 0 ? "deploy (eu)" : "unit-tests"
      job.labels = labels[index % labels.count]
      job.branch = branches[index % branches.count]
      job.event = index % 7 == 0 ? "schedule" : "push"
      job.repository = index % 2 == 0 ? "acme/storefront" : "acme/payments"
      return PolicyCommands.Question(job: job, fleet: fleet, containers: containers)
    }
  }
}
