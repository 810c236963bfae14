internal import JSON

/// What only plugins of one kind must do.
extension PluginSuite {
  typealias Body = () throws -> Void

  // MARK: - Notifier

  func notify(_ event: String) throws {
    let dialogue = try dialogue
    for alert in Self.alerts(resolved: event == "resolved") {
      let parameters = JSONValue.object(["event": .string(event), "alert": alert, "url": .string("https://hub.example.org/")])
      _ = try dialogue.result(of: "notifier/notify", parameters)
      // It is told at least once.
      _ = try dialogue.result(of: "notifier/notify", parameters)
    }
  }

  private static func alerts(resolved: Bool) -> [JSONValue] {
    let texts = ["17 jobs have waited for more than 10 minutes.", "Zeile 1\nZeile 2 – „ü“ 😀 <b>&amp;\\\"", ""]
    return zip(["critical", "warning", "info"], texts).map { severity, text in
      var alert: [String: JSONValue] = [
        "id": .string("kit-\(severity)"), "key": .string("queue/\(severity)"), "severity": .string(severity), "title": .string("Jobs wait"),
        "text": .string(text), "raisedAt": .string("2026-01-31T12:00:00.000Z"),
      ]
      if resolved { alert["resolvedAt"] = .string("2026-01-31T12:05:00.000Z") }
      return .object(alert)
    }
  }

  // MARK: - Observer

  var observerChecks: [(String, Body)] {
    func tell(_ ids: ClosedRange<Int64>?, missed: Int64 = 0) throws {
      let events = ids.map { $0.map(Self.event) } ?? []
      let parameters = JSONValue.object(["events": .array(events), "missed": .integer(missed)])
      _ = try dialogue.result(of: "observer/events", parameters)
    }
    return [
      ("events", { try tell(1...3) }), ("many events", { try tell(4...200) }),
      ("repetition", { try tell(4...200) }), ("missed", { try tell(300...300, missed: 99) }),
    ]
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

  // MARK: - Engine

  var engineChecks: [(String, Body)] {
    let id = JSONValue.object(["id": .string("kit-1")])
    let amounts: [String: JSONValue] = [
      "milliCPUs": .integer(500), "memory": .integer(256 << 20), "disk": .integer(1 << 30), "gpus": .integer(0),
    ]
    func creation() throws -> JSONValue {
      guard let image else { throw Skip(reason: "the test file names no image: image: …") }
      let others: [String: JSONValue] = [
        "id": .string("kit-1"), "pool": .string("kit"), "image": .string(image), "reusable": .bool(false),
        "environment": .object(["KIT": .string("1")]),
      ]
      return .object(amounts.merging(others) { $1 })
    }
    func ids() throws -> [JSONValue] {
      try dialogue.result(of: "engine/list", .object([:]))["containers"]?.items.compactMap { $0["id"] } ?? []
    }
    func capacity() throws {
      let capacity = try dialogue.result(of: "engine/capacity", .object([:]))
      guard capacity["milliCPUs"]?.double ?? 0 > 0, capacity["memory"]?.double ?? 0 > 0 else {
        throw KitFailure("engine/capacity says that there is nothing: milliCPUs and memory must be above 0")
      }
      _ = try dialogue.result(of: "engine/home", .object(["pool": .string("kit"), "image": .string("kit")]))
    }
    func create() throws {
      let creation = try creation()
      _ = try dialogue.result(of: "engine/create", creation)
      // Done twice, it is found done.
      _ = try dialogue.result(of: "engine/create", creation)
      guard try ids().contains(.string("kit-1")) else { throw KitFailure("engine/list does not have what engine/create made") }
      let container = try dialogue.result(of: "engine/inspect", id)["container"] ?? .null
      guard container["status"] == .string("created") else {
        throw KitFailure(
          "engine/inspect says \(PluginDialogue.shown(container)) of what was created and not started, expected the status created")
      }
    }
    func put() throws {
      _ = try creation()
      let file = JSONValue.object(["path": .string("kit.txt"), "contents": .string("a2l0"), "mode": .integer(0o644)])
      let parameters = JSONValue.object(["id": .string("kit-1"), "files": .array([file])])
      _ = try dialogue.result(of: "engine/put", parameters)
      _ = try dialogue.result(of: "engine/put", parameters)
    }
    func absent() throws {
      let absent: [String: JSONValue] = ["id": .string("kit-absent")]
      let container = try dialogue.result(of: "engine/inspect", .object(absent))["container"] ?? .null
      guard container == .null else {
        throw KitFailure("engine/inspect knows \(PluginDialogue.shown(container)), which was never made: answer {}")
      }
      try dialogue.refusal(of: "engine/start", .object(absent), codes: [-32001], because: "there is no container of this id")
    }
    func remove() throws {
      _ = try creation()
      _ = try dialogue.result(of: "engine/remove", id)
      guard try !ids().contains(.string("kit-1")) else { throw KitFailure("engine/list still has what engine/remove took away") }
      _ = try dialogue.result(of: "engine/remove", id)
    }
    return [("capacity", capacity), ("create", create), ("put", put), ("absent", absent), ("remove", remove)]
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
