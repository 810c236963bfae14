package import Foundation
internal import JSON

/// What a plugin of each kind must do, tried on a process of it.
package struct PluginSuite {
  /// One thing that was tried.
  package struct Check: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
      case passed
      case failed(String)
      /// It could not be tried, and why.
      case skipped(String)
    }
    package var name: String
    /// The author's own, from `test_NAME.yaml`.
    package var isOwn: Bool
    package var outcome: Outcome
    package var seconds: Double
  }

  /// Why something is not tried.
  struct Skip: Error { var reason: String }

  fileprivate let bench: PluginBench

  /// Takes some seconds; with machines of a cloud, minutes.
  /// - Parameters:
  ///   - folder: of the plugin.
  ///   - firstProcess: `init.sh`, PID 1 of runner environments, for engines.
  ///   - record: told each session, where one is to be kept.
  package static func run(folder: URL, hostVersion: String, firstProcess: Data, record: URL? = nil) async -> PluginTestReport {
    if case .success(let manifest) = Result(catching: { try PluginManifest.read(folder: folder) }), manifest.kind == .garmProvider {
      return await GarmSuite.run(folder: folder, hostVersion: hostVersion, record: record)
    }
    // On a thread of its own: it waits for the plugin's streams.
    return await withCheckedContinuation { continuation in
      let thread = Thread {
        continuation.resume(returning: talk(folder: folder, hostVersion: hostVersion, firstProcess: firstProcess, record: record))
      }
      thread.name = "plugin test"
      thread.start()
    }
  }

  private static func talk(folder: URL, hostVersion: String, firstProcess: Data, record: URL?) -> PluginTestReport {
    var report = PluginTestReport(name: folder.lastPathComponent)
    do {
      let recorder = try record.map { url throws(KitFailure) in try PluginRecorder(url) }
      let bench = try PluginBench(folder: folder, hostVersion: hostVersion, firstProcess: firstProcess, recorder: recorder)
      report.kind = bench.manifest.kind
      PluginSuite(bench: bench).runAll(into: &report.checks)
      try bench.tearDown()
    } catch {
      report.checks.append(Check(name: "start", isOwn: false, outcome: .failed("\(error)"), seconds: 0))
    }
    return report
  }

  private func runAll(into checks: inout [Check]) {
    check("handshake", into: &checks, handshake)
    check("configuration", into: &checks, configuration)
    for (name, body) in kindChecks { check(name, into: &checks, body) }
    check("time limit", into: &checks, timeLimit)
    check("garbage in", into: &checks, garbage)
    check("shutdown", into: &checks, shutdown)
    for step in bench.tests.steps { check(step.name, isOwn: true, into: &checks) { try run(step) } }
  }

  private var kindChecks: [(String, Body)] {
    switch bench.manifest.kind {
    case .notifier: notifierChecks
    case .observer: observerChecks
    case .secrets: secretsChecks
    case .engine: engineChecks
    case .source: sourceChecks
    // Of another contract: `GarmSuite`.
    case .garmProvider: []
    }
  }

  private func check(_ name: String, isOwn: Bool = false, into checks: inout [Check], _ body: () throws -> Void) {
    let start = ContinuousClock.now
    var outcome = Check.Outcome.passed
    do {
      try body()
    } catch let skip as Skip {
      outcome = .skipped(skip.reason)
    } catch {
      outcome = .failed("\(error)")
      // The next one is to have a fresh process.
      bench.close()
    }
    checks.append(Check(name: name, isOwn: isOwn, outcome: outcome, seconds: (ContinuousClock.now - start) / .seconds(1)))
  }

  // MARK: - Every kind

  private func handshake() throws {
    let dialogue = try bench.start()
    let parameters = bench.initialization(bench.tests.configuration, dialogue, versions: ["2", "1"])
    let result = try dialogue.result(of: "initialize", parameters)
    guard result["protocolVersion"] == .string("1") else {
      throw KitFailure(
        "initialize chose the version \(result["protocolVersion"].map(PluginDialogue.shown) ?? "none") of [\"2\", \"1\"]: choose \"1\"")
    }
    _ = try dialogue.result(of: "health", .object([:]))
    let other = try bench.start()
    try other.refusal(
      of: "initialize", bench.initialization(bench.tests.configuration, other, versions: ["999"]),
      because: "only version \"999\" was offered")
    bench.close()
  }

  private func configuration() throws {
    let file = PluginTestFile.name(of: bench.manifest.name)
    let given = bench.tests.configuration
    guard let schema = bench.manifest.configuration else {
      guard given == nil, bench.tests.invalid.isEmpty else {
        throw KitFailure("\(file) gives a configuration, and plugin.yaml has no schema for it: add 'configuration:' there")
      }
      _ = try bench.dialogue()
      return
    }
    let reader = try JSONSchema(schema)
    let value = (given ?? .object([:])).filled(bench.values("/tmp"))
    if let problem = reader.problems(in: value).first {
      throw KitFailure("the configuration in \(file) is not valid under that of plugin.yaml: \(problem)")
    }
    _ = try bench.dialogue()
    for (index, invalid) in bench.tests.invalid.enumerated() where reader.problems(in: invalid.filled(bench.values("/tmp"))).isEmpty {
      let dialogue = try bench.start()
      try dialogue.refusal(
        of: "initialize", bench.initialization(invalid, dialogue), because: "number \(index + 1) of 'invalid' in \(file) must be refused")
      bench.close()
    }
  }

  /// As many calls of its kind at once as its manifest says, a question for its health among them, and some that are cancelled.
  private func timeLimit() throws {
    let dialogue = try bench.dialogue()
    let calls = (0..<bench.manifest.concurrency).map(call)
    var ids: [Int64] = []
    for call in calls { ids.append(try dialogue.ask(call.method, call.parameters)) }
    ids.append(try dialogue.ask("health", .object([:])))
    for (id, call) in zip(ids, calls + [Call("health", .object([:]))]).reversed() {
      try accept(try dialogue.answer(to: id), of: call, "\(calls.count) at once")
    }

    var last = call(bench.manifest.concurrency)
    last.mayBeRefused.insert(-32800)
    let abandoned = try dialogue.ask(last.method, last.parameters)
    try dialogue.notify("$/cancel", .object(["id": .integer(abandoned)]))
    // One that is answered already, and one that never was.
    try dialogue.notify("$/cancel", .object(["id": .integer(ids[0])]))
    try dialogue.notify("$/cancel", .object(["id": .integer(4711)]))
    let next = call(bench.manifest.concurrency + 1)
    try accept(try dialogue.call(next.method, next.parameters), of: next, "after a $/cancel")
    // It need not be answered any more.
    if let late = try dialogue.arrived(abandoned) { try accept(late, of: last, "cancelled") }
  }

  private func accept(_ answer: PluginDialogue.Answer, of call: Call, _ when: String) throws {
    // That it does not know a method is said where the method is tried.
    guard case .refusal(let code, let message) = answer, code != -32601, !call.mayBeRefused.contains(code) else { return }
    throw KitFailure(
      "\(call.method) (\(when)) was refused with \(code) (\(PluginText.line(message, limit: 200))): answer it as if it came alone")
  }

  private func garbage() throws {
    let dialogue = try bench.dialogue()
    let nested = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    let lines = [
      "", "{", "hello", "[]", "null", "{}", #"{"jsonrpc":"2.0"}"#, #"{"jsonrpc":"1.0","method":7}"#, "\u{1}\u{7F}\u{FFFD}",
      #"{"jsonrpc":"2.0","id":900001,"result":{}}"#, nested,
      #"{"jsonrpc":"2.0","method":"health","params":"#,
    ]
    for line in lines { try dialogue.wire.send(line) }
    try expectHealth(dialogue, after: "lines that are no messages: pass them over, or answer error -32700 with the id null")
    try dialogue.notify("kit/unknown", .object([:]))
    try dialogue.refusal(of: "kit/unknown", .object([:]), codes: [-32601], because: "there is no such method")
    if let method = bench.manifest.kind.mainMethod {
      try dialogue.refusal(of: method, .object([:]), because: "it has no parameters (-32602)")
    }
    // As long as a message of a megabyte, with a member that nobody knows.
    _ = try dialogue.result(of: "health", .object(["padding": .string(String(repeating: "x\"", count: 350_000))]))
    try expectHealth(dialogue, after: "a message of 1 MiB")
  }

  private func expectHealth(_ dialogue: PluginDialogue, after what: String) throws {
    do {
      _ = try dialogue.result(of: "health", .object([:]))
    } catch {
      throw KitFailure("after \(what): \(error)")
    }
  }

  private func shutdown() throws {
    let dialogue = try bench.dialogue()
    _ = try dialogue.result(of: "shutdown", .object([:]))
    try expectEnd(dialogue, after: "shutdown")
    let other = try bench.dialogue()
    try expectEnd(other, after: "its standard input was closed without a shutdown, as at the host's end")
  }

  private func expectEnd(_ dialogue: PluginDialogue, after what: String) throws {
    dialogue.wire.closeInput()
    guard dialogue.wire.waitForEnd(until: .now + .seconds(5)) else {
      throw KitFailure("it still runs 5 s after \(what): end when standard input does")
    }
    try dialogue.drain()
    guard dialogue.wire.status == 0 else {
      throw KitFailure(
        "after \(what) it \(PluginWire.words(dialogue.wire.status ?? 0)), expected 0\(dialogue.wire.log.last.map { "; its last word: \($0)" } ?? "")"
      )
    }
    bench.close()
  }

  // MARK: - The author's own

  private func run(_ step: PluginTestFile.Step) throws {
    let dialogue = try bench.dialogue()
    let values = bench.values(dialogue.wire.directory)
    let parameters = step.parameters.filled(values)
    if step.isNotification {
      try dialogue.notify(step.method, parameters)
    } else {
      switch (try dialogue.call(step.method, parameters, limit: step.limit), step.error) {
      case (.result(let result), nil):
        if let absence = step.result?.filled(values).absence(in: result) {
          throw KitFailure("the result of \(step.method) is not as expected: \(absence)")
        }
      case (.result(let result), let code?):
        throw KitFailure("\(step.method) was answered with \(PluginDialogue.shown(result)), expected error \(code)")
      case (.refusal(let code, _), let wanted?) where code == wanted: break
      case (.refusal(let code, let message), let wanted):
        throw KitFailure("\(step.method) was refused with \(code) (\(message)), expected \(wanted.map { "error \($0)" } ?? "a result")")
      }
    }
    if let text = step.log {
      // A line of its log may come after its answer.
      _ = try dialogue.result(of: "health", .object([:]))
      guard dialogue.wire.waits(forLog: text, until: .now + step.limit) else {
        throw KitFailure("no line of its standard error holds \"\(text)\"")
      }
    }
  }
}

extension PluginSuite {
  /// A new or the running process of the plugin.
  var dialogue: PluginDialogue { get throws { try bench.dialogue() } }
  var secret: JSONValue? { bench.tests.secret }
  /// What the suite of the kind engine makes a container of, as the plugin sees it.
  /// - Parameter directory: its private directory, as it sees it.
  func image(_ directory: String) -> String? {
    bench.tests.image.flatMap { JSONValue.string($0).filled(bench.values(directory)).string }
  }
  var kind: PluginKind { bench.manifest.kind }
  var concurrency: Int { bench.manifest.concurrency }
}

extension PluginKind {
  /// A method of it that cannot do without parameters.
  fileprivate var mainMethod: String? {
    switch self {
    case .notifier: "notifier/notify"
    case .observer: "observer/events"
    case .secrets: "secrets/read"
    case .engine: "engine/inspect"
    case .source: "source/register"
    case .garmProvider: nil
    }
  }
}
