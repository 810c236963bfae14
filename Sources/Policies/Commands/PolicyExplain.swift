internal import Domain
internal import RunnerHub

extension PolicyCommands {
  /// Lines of a trace at most.
  static let longestTrace = 2000

  /// `policy explain`: each line that a decision executed, with what its variables held, and what it returned.
  package static func explain(_ decision: Decision, _ question: Question, folder: String) -> Report {
    let bundle: PolicyBundle
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let found): bundle = found
    }
    let calls = TracedCall.calls(decision, question)
    if calls.isEmpty {
      return refusal(BundleError("nothing to ask \(decision.rawValue) about: no pool '\(question.pool ?? "")', or no container"))
    }
    do {
      let file = PolicyFile(decision)
      guard bundle.has(file) else { return refusal(BundleError("\(file.fileName) is missing: the built-in rule answers")) }
      let runtime = try bundle.makeRuntime(for: file, limits: .test)
      let module = try runtime.load(file.rawValue)
      try BundleCheck.expect(module, toServe: file)
      runtime.setTracing(.steps(limit: longestTrace))
      let told = calls.filter { module.functions.contains($0.function) }.map { trace($0, of: file, runtime, bundle) }
      return Report(
        text: told.map(\.text).joined(separator: "\n\n"), isSuccess: told.allSatisfy(\.isSuccess),
        values: ["bundle": .text(bundle.digest), "calls": .list(told.map { .object($0.values) })])
    } catch {
      return refusal(BundleError("\(error)"))
    }
  }

  private static func trace(_ call: TracedCall, of file: PolicyFile, _ runtime: LuaRuntime, _ bundle: PolicyBundle) -> Report {
    let outcome: Result<[LuaValue], LuaFailure> = Result { () throws(LuaFailure) in try runtime.call(call.function, call.arguments) }
    let steps = runtime.traceSteps
    let story = TraceStory(steps, bundle: bundle)
    var lines = ["\(file.rawValue).\(call.function)(\(call.title))"] + story.lines
    if steps.count >= longestTrace { lines.append("… only the first \(grouped(longestTrace)) lines are noted") }
    var values: [String: ReportValue] = [
      "function": .text("\(file.rawValue).\(call.function)"), "about": .text(call.title), "steps": .list(story.values),
      "instructions": .integer(runtime.steps),
    ]
    switch outcome {
    case .success(let returned):
      lines.append("→ " + (returned.isEmpty ? "nothing" : returned.map(\.description).joined(separator: ", ")))
      values["returned"] = .list(returned.map(ReportValue.init))
      return Report(text: lines.joined(separator: "\n"), isSuccess: true, values: values)
    case .failure(let failure):
      lines.append("✗ \(failure.message)")
      values["error"] = .text(failure.message)
      return Report(text: lines.joined(separator: "\n"), isSuccess: false, values: values)
    }
  }
}

extension PolicyFile {
  init(_ decision: PolicyCommands.Decision) {
    switch decision {
    case .routing: self = .routing
    case .priority: self = .priority
    case .affinity: self = .affinity
    case .scaling: self = .scaling
    }
  }
}

/// A call whose lines are noted.
struct TracedCall {
  var function: String
  /// What it is about, for people.
  var title: String
  var arguments: [LuaValue]

  static func calls(_ decision: PolicyCommands.Decision, _ question: PolicyCommands.Question) -> [TracedCall] {
    let job = PolicyInput.job.value(of: .init(job: question.job, now: question.fleet.now))
    let fleet = PolicyInput.fleet.value(of: question.fleet)
    let name = question.job.name
    switch decision {
    case .routing: return [TracedCall(function: "route", title: name, arguments: [job, fleet])]
    case .priority: return [TracedCall(function: "prioritise", title: name, arguments: [job, fleet])]
    case .affinity:
      let asked = question.containers.flatMap { container in
        let value = PolicyInput.container.value(of: .init(container: container, now: question.fleet.now))
        return ["filter", "score"].map { TracedCall(function: $0, title: "\(name), \(container.name)", arguments: [job, value]) }
      }
      return asked + [TracedCall(function: "strategy", title: name, arguments: [job])]
    case .scaling:
      return question.pools.map { pool in
        TracedCall(function: "scale", title: pool.name, arguments: [PolicyInput.pool.value(of: pool), fleet])
      }
    }
  }
}

/// The lines of a trace as a person reads them: indented by calls, with what changed since the line before.
struct TraceStory {
  private(set) var lines: [String] = []
  private(set) var values: [ReportValue] = []

  init(_ steps: [TraceStep], bundle: PolicyBundle) {
    var sources: [String: SourceLines] = [:]
    var functions: [String: FunctionLines] = [:]
    /// Functions that are running, and the variables of each where it was last seen.
    var running: [(function: Int, file: String, known: [String: String])] = []
    let places = steps.map { "\($0.file):\($0.line)" }
    let width = places.map(\.count).max() ?? 0
    for (index, step) in steps.enumerated() {
      if sources[step.file] == nil {
        let text = bundle.files[step.file] ?? []
        sources[step.file] = SourceLines(text)
        functions[step.file] = FunctionLines(text)
      }
      let function = functions[step.file]?.innermost(at: step.line) ?? 0
      if let known = running.lastIndex(where: { $0.function == function && $0.file == step.file }) {
        running.removeLast(running.count - known - 1)
      } else {
        running.append((function, step.file, [:]))
      }
      let known = running[running.count - 1].known
      let now = Dictionary(step.values.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
      let news = step.values.filter { known[$0.name] != $0.value && now[$0.name] == $0.value }
      running[running.count - 1].known = now
      let text = (sources[step.file]?.text(of: step.line) ?? "").drop { $0 == " " || $0 == "\t" }
      let place = places[index] + String(repeating: " ", count: width - places[index].count)
      let code = String(repeating: "  ", count: running.count - 1) + text
      let told = news.map { "\($0.name) = \(Self.cut($0.value))" }.joined(separator: ", ")
      lines.append("  \(place)  \(code)" + (told.isEmpty ? "" : String(repeating: " ", count: max(3, 60 - code.count)) + told))
      values.append(
        .object([
          "file": .text(step.file), "line": .integer(step.line), "depth": .integer(running.count), "text": .text(String(text)),
          "values": .object(now.mapValues(ReportValue.text)),
        ]))
    }
  }

  private static func cut(_ value: String) -> String { value.count > 48 ? value.prefix(47) + "…" : value }
}

/// Which function of a file a line belongs to.
struct FunctionLines {
  /// First and last line of each function, and its number; outer ones first.
  private var spans: [ClosedRange<Int>] = []

  init(_ source: [UInt8]) {
    // Lua has read the file; one that nests deeper than we look is shown without indentation.
    guard let chunk = try? LuaParser.parse(source) else { return }
    let lines = SourceLines(source)
    for range in chunk.functions {
      spans.append(lines.line(of: range.lowerBound)...max(lines.line(of: range.lowerBound), lines.line(of: range.upperBound - 1)))
    }
  }

  /// 0: none.
  func innermost(at line: Int) -> Int {
    let found = spans.indices.filter { spans[$0].contains(line) }.min { spans[$0].count < spans[$1].count }
    return found.map { $0 + 1 } ?? 0
  }
}

extension ReportValue {
  init(_ value: LuaValue) {
    self =
      switch value {
      case .none: .none
      case .bool(let value): .bool(value)
      case .integer(let value): .integer(Int(value))
      case .number(let value): .number(value)
      case .text(let text): .text(text)
      case .list(let values), .sealedList(let values): .list(values.map(ReportValue.init))
      case .labels(let labels): .list(labels.map(ReportValue.text))
      case .map(let values): .object(values.mapValues(ReportValue.init))
      default: .text(value.description)
      }
  }
}
