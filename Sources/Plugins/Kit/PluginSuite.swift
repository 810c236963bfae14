package import Foundation
internal import JSON

/// What a plugin of each kind must do, tried on a process of it. Blocks its thread for some seconds.
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

  /// - Parameters:
  ///   - folder: of the plugin.
  ///   - record: told each session, where one is to be kept.
  package static func run(folder: URL, hostVersion: String, record: URL? = nil) -> PluginTestReport {
    var report = PluginTestReport(name: folder.lastPathComponent)
    do {
      let recorder = try record.map { url throws(KitFailure) in try PluginRecorder(url) }
      let bench = try PluginBench(folder: folder, hostVersion: hostVersion, recorder: recorder)
      report.kind = bench.manifest.kind
      PluginSuite(bench: bench).runAll(into: &report.checks)
      try bench.tearDown()
    } catch {
      report.checks.append(Check(name: "start", isOwn: false, outcome: .failed("\(error)"), seconds: 0))
    }
    return report
  }

  private func runAll(into checks: inout [Check]) {
    guard bench.manifest.kind != .garmProvider else {
      let reason = "GARM's contract is another one: its suite is not part of this command yet"
      checks.append(Check(name: "contract", isOwn: false, outcome: .skipped(reason), seconds: 0))
      return
    }
    check("handshake", into: &checks, handshake)
    check("configuration", into: &checks, configuration)
    switch bench.manifest.kind {
    case .notifier:
      check("alert", into: &checks) { try notify("raised") }
      check("resolve", into: &checks) { try notify("resolved") }
    case .observer: for (name, body) in observerChecks { check(name, into: &checks, body) }
    case .secrets: for (name, body) in secretsChecks { check(name, into: &checks, body) }
    case .engine: for (name, body) in engineChecks { check(name, into: &checks, body) }
    case .source: for (name, body) in sourceChecks { check(name, into: &checks, body) }
    case .garmProvider: break
    }
    check("time limit", into: &checks, timeLimit)
    check("garbage in", into: &checks, garbage)
    check("shutdown", into: &checks, shutdown)
    for step in bench.tests.steps { check(step.name, isOwn: true, into: &checks) { try run(step) } }
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

  /// Several calls at once, and some of them cancelled.
  private func timeLimit() throws {
    let dialogue = try bench.dialogue()
    let ids = try (0..<bench.manifest.concurrency).map { _ in try dialogue.ask("health", .object([:])) }
    for id in ids.reversed() { _ = try dialogue.answer(to: id) }
    let abandoned = try dialogue.ask("health", .object([:]))
    try dialogue.notify("$/cancel", .object(["id": .integer(abandoned)]))
    try dialogue.notify("$/cancel", .object(["id": .integer(4711)]))
    _ = try dialogue.result(of: "health", .object([:]))
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
  var image: String? { bench.tests.image }
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
