internal import JSON

/// What only plugins of one kind must do.
extension PluginSuite {
  typealias Body = () throws -> Void

  /// A call of the kind that changes nothing that matters.
  struct Call {
    var method: String
    var parameters: JSONValue
    /// Refusals that are as good as an answer.
    var mayBeRefused: Set<Int> = []

    init(_ method: String, _ parameters: JSONValue, mayBeRefused: Set<Int> = []) {
      self.method = method
      self.parameters = parameters
      self.mayBeRefused = mayBeRefused
    }
  }

  /// - Parameter number: of calls with different numbers none is a repetition of another.
  func call(_ number: Int) -> Call {
    switch kind {
    case .notifier:
      return Call("notifier/notify", Self.notification("raised", Self.alert("kit-at-once-\(number)", "info", "", resolved: false)))
    case .observer where number == 0:
      // It is told the next events when it has answered for the last: never two calls at once.
      return Call("observer/events", Self.events(400...400, missed: 0))
    case .secrets:
      if let secret { return Call("secrets/read", secret) }
      return Call("secrets/read", .object(["path": .string("runnerhub/absent")]), mayBeRefused: [-32001, -32004])
    case .engine: return Call("engine/list", .object([:]))
    case .source: return Call("source/open", .object([:]))
    case .observer, .garmProvider: return Call("health", .object([:]))
    }
  }

  // MARK: - Notifier

  var notifierChecks: [(String, Body)] {
    [("alert", { try notify("raised") }), ("resolve", { try notify("resolved") })]
  }

  private func notify(_ event: String) throws {
    let dialogue = try dialogue
    for alert in Self.alerts(resolved: event == "resolved") {
      let parameters = Self.notification(event, alert)
      _ = try dialogue.result(of: "notifier/notify", parameters)
      // It is told at least once.
      _ = try dialogue.result(of: "notifier/notify", parameters)
    }
  }

  private static func notification(_ event: String, _ alert: JSONValue) -> JSONValue {
    .object(["event": .string(event), "alert": alert, "url": .string("https://hub.example.org/")])
  }

  private static func alerts(resolved: Bool) -> [JSONValue] {
    let texts = ["17 jobs have waited for more than 10 minutes.", "Zeile 1\nZeile 2 – „ü“ 😀 <b>&amp;\\\"", ""]
    return zip(["critical", "warning", "info"], texts).map { alert("kit-\($0)", $0, $1, resolved: resolved) }
  }

  private static func alert(_ id: String, _ severity: String, _ text: String, resolved: Bool) -> JSONValue {
    var alert: [String: JSONValue] = [
      "id": .string(id), "key": .string("queue/\(severity)"), "severity": .string(severity), "title": .string("Jobs wait"),
      "text": .string(text), "raisedAt": .string("2026-01-31T12:00:00.000Z"),
    ]
    if resolved { alert["resolvedAt"] = .string("2026-01-31T12:05:00.000Z") }
    return .object(alert)
  }

  // MARK: - Observer

  var observerChecks: [(String, Body)] {
    func tell(_ ids: ClosedRange<Int64>, missed: Int64 = 0) throws {
      _ = try dialogue.result(of: "observer/events", Self.events(ids, missed: missed))
    }
    return [
      ("events", { try tell(1...3) }), ("many events", { try tell(4...200) }),
      ("repetition", { try tell(4...200) }), ("missed", { try tell(300...300, missed: 99) }),
    ]
  }

  private static func events(_ ids: ClosedRange<Int64>, missed: Int64) -> JSONValue {
    .object(["events": .array(ids.map(event)), "missed": .integer(missed)])
  }

  private static func event(_ id: Int64) -> JSONValue {
    .object([
      "id": .integer(id), "kind": .string("job"), "at": .string("2026-01-31T12:00:00.000Z"), "action": .string("queued"),
      "subject": .string("job/\(id)"), "text": .string("build of acme/shop is queued\n\"ü\""),
      "details": .object(["labels": .array([.string("linux")])]),
    ])
  }

  // MARK: - Secrets

  var secretsChecks: [(String, Body)] {
    func read() throws {
      guard let secret else { throw Skip(reason: "the test file names no secret that is there: secret: {path: …}") }
      _ = try dialogue.result(of: "secrets/read", secret)
      _ = try dialogue.result(of: "secrets/read", secret)
    }
    func absent() throws {
      try dialogue.refusal(
        of: "secrets/read", .object(["path": .string("runnerhub/absent"), "field": .string("none")]), codes: [-32001, -32004],
        because: "there is no such secret")
    }
    return [("read", read), ("absent", absent)]
  }

  // MARK: - Source

  var sourceChecks: [(String, Body)] {
    func open() throws { _ = try dialogue.result(of: "source/open", .object([:])) }
    func delivery() throws {
      let forged = JSONValue.object(["headers": .object(["content-type": .string("application/json")]), "body": .string("{}")])
      let result = try dialogue.result(of: "source/delivery", forged)
      guard result["accepted"] == .bool(false) else {
        throw KitFailure("source/delivery took a webhook without a signature: answer {\"accepted\": false, \"reason\": …, \"jobs\": []}")
      }
    }
    func absent() throws {
      try dialogue.refusal(
        of: "source/job", .object(["id": .integer(987_654_321), "repository": .string("kit/absent")]), codes: [-32001],
        because: "there is no such job")
      let runner: [String: JSONValue] = ["name": .string("kit-absent"), "scope": .string("kit"), "repository": .string("kit/absent")]
      let outcome = try dialogue.result(of: "source/remove", .object(runner))["outcome"]
      guard outcome == .string("absent") else {
        throw KitFailure(
          "source/remove of a runner that is not there says \(outcome.map(PluginDialogue.shown) ?? "nothing"), expected \"absent\"")
      }
    }
    return [("open", open), ("delivery", delivery), ("absent", absent)]
  }
}
