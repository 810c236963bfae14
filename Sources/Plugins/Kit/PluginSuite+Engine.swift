internal import Domain
internal import Foundation
internal import JSON

/// What an engine must do, tried with one container in which one runner runs.
extension PluginSuite {
  var engineChecks: [(String, Body)] {
    let trial = ContainerTrial(suite: self)
    return [
      ("capacity", trial.capacity), ("create", trial.create), ("start", trial.start), ("put", trial.put), ("run", trial.run),
      ("absent", trial.absent), ("remove", trial.remove),
    ]
  }
}

/// The life of one container, under a name that no engine has already.
private struct ContainerTrial {
  private static let status = 7

  let suite: PluginSuite
  private let name = "kit-\(RandomIdentitySource().token(digits: 8))"
  private var id: JSONValue { .object(["id": .string(name)]) }

  init(suite: PluginSuite) { self.suite = suite }

  // MARK: - Checks

  func capacity() throws {
    let dialogue = try suite.dialogue
    let capacity = try dialogue.result(of: "engine/capacity", .object([:]))
    guard capacity["milliCPUs"]?.double ?? 0 > 0, capacity["memory"]?.double ?? 0 > 0 else {
      throw KitFailure("engine/capacity says that there is nothing: milliCPUs and memory must be above 0")
    }
    let question: [String: JSONValue] = ["id": .string(name), "pool": .string("kit"), "image": .string("kit")]
    let home = try dialogue.result(of: "engine/home", .object(question))["home"]?.string ?? ""
    guard home.hasPrefix("/") else {
      throw KitFailure("engine/home says \(PluginText.line(home, limit: 80)): expected an absolute path, as the runner sees it")
    }
  }

  func create() throws {
    let dialogue = try suite.dialogue
    let creation = try creation(dialogue)
    // Done twice, or several times at once, it is found done.
    let ids = try (0..<min(suite.concurrency, 8)).map { _ in try dialogue.ask("engine/create", creation) }
    for id in ids {
      if case .refusal(let code, let message) = try dialogue.answer(to: id) {
        throw KitFailure(
          "engine/create, \(ids.count) times at once, was refused with \(code) (\(PluginText.line(message, limit: 200))): find it done")
      }
    }
    _ = try dialogue.result(of: "engine/create", creation)
    guard try self.ids(dialogue).filter({ $0 == .string(name) }).count == 1 else {
      throw KitFailure("engine/list does not have once what engine/create made: answer {\"containers\": [{\"id\": \"\(name)\", …}]}")
    }
    try expect("created", try container(dialogue), after: "engine/create")
    try dialogue.refusal(
      of: "engine/create", creation.replacing(["pool"], with: .string("other")), codes: [-32002],
      because: "this container was made for another pool")
  }

  func start() throws {
    let dialogue = try suite.dialogue
    _ = try creation(dialogue)
    try dialogue.refusal(
      of: "engine/put", put([("kit.txt", "kit", 0o644)]), codes: [-32002], because: "the container is not started")
    _ = try dialogue.result(of: "engine/start", id, limit: .seconds(60))
    _ = try dialogue.result(of: "engine/start", id)
    try expect("running", try container(dialogue), after: "engine/start")
  }

  func put() throws {
    let dialogue = try suite.dialogue
    _ = try creation(dialogue)
    let files = put([("kit.txt", "kit\n", 0o600), ("deep/er/kit.txt", "deeper\n", 0o644)])
    _ = try dialogue.result(of: "engine/put", files)
    _ = try dialogue.result(of: "engine/put", files)
    for path in ["../kit.txt", "/kit.txt", "deep//kit.txt", "./kit.txt"] {
      try dialogue.refusal(
        of: "engine/put", put([(path, "kit", 0o644)]), codes: [-32002], because: "'\(path)' is no plain path below the runner's home")
    }
  }

  /// A runner, from its files to its end.
  func run() throws {
    let dialogue = try suite.dialogue
    _ = try creation(dialogue)
    let script = "#!/bin/sh\ncat kit.txt deep/er/kit.txt && echo \"says $KIT\" && exit \(Self.status)\n"
    _ = try dialogue.result(of: "engine/put", put([("run.sh", script, 0o755), (".runnerhub-go", "1\n", 0o644)]))
    let deadline = ContinuousClock.now + .seconds(30)
    var seen = try container(dialogue)
    while seen["status"] != .string("exited") {
      guard ContinuousClock.now < deadline else {
        throw KitFailure(
          "30 s after .runnerhub-go was put, engine/inspect says \(PluginDialogue.shown(seen)): expected the status exited, as run.sh has ended"
        )
      }
      // It may say so sooner, by engine/changed; the host looks every few seconds anyway.
      try dialogue.hear(until: .now + .milliseconds(100))
      seen = try container(dialogue)
    }
    for (member, wanted) in [("endedUse", 1), ("runnerExit", Self.status), ("exitCode", Self.status)] {
      guard seen[member]?.double == Double(wanted) else {
        throw KitFailure(
          "engine/inspect says \(PluginDialogue.shown(seen)) after run.sh ended with \(Self.status): expected \(member) \(wanted)")
      }
    }
    guard try log(dialogue, from: 0) == "kit\ndeeper\nsays it\n" else {
      throw KitFailure(
        "engine/log says \"\(PluginText.line(try log(dialogue, from: 0), limit: 200))\", expected what run.sh wrote: its files and KIT")
    }
    guard try log(dialogue, from: 4) == "deeper\nsays it\n", try log(dialogue, from: 1 << 20).isEmpty else {
      throw KitFailure("engine/log does not begin at the byte that it is asked from")
    }
    try dialogue.refusal(of: "engine/start", id, codes: [-32002], because: "a container that has ended is never started again")
  }

  func absent() throws {
    let dialogue = try suite.dialogue
    let absent = JSONValue.object(["id": .string("kit-absent")])
    let container = try dialogue.result(of: "engine/inspect", absent)["container"] ?? .null
    guard container == .null else {
      throw KitFailure("engine/inspect knows \(PluginDialogue.shown(container)), which was never made: answer {}")
    }
    try dialogue.refusal(of: "engine/start", absent, codes: [-32001], because: "there is no container of this id")
    _ = try dialogue.result(of: "engine/remove", absent)
  }

  func remove() throws {
    let dialogue = try suite.dialogue
    _ = try creation(dialogue)
    // A second one, which runs: nothing of it may stay either.
    let other = ContainerTrial(suite: suite)
    _ = try dialogue.result(of: "engine/create", try other.creation(dialogue))
    _ = try dialogue.result(of: "engine/start", other.id, limit: .seconds(60))
    for id in [id, other.id] {
      _ = try dialogue.result(of: "engine/remove", id, limit: .seconds(60))
      _ = try dialogue.result(of: "engine/remove", id)
    }
    // Only these: an engine may well list what was there before.
    let own = [name, other.name].map(JSONValue.string)
    guard try ids(dialogue).allSatisfy({ !own.contains($0) }) else {
      throw KitFailure("engine/list still has what engine/remove took away")
    }
  }

  // MARK: - Parts

  private func creation(_ dialogue: PluginDialogue) throws -> JSONValue {
    guard let image = suite.image(dialogue.wire.directory) else {
      throw PluginSuite.Skip(reason: "the test file names no image: image: ${folder}/…")
    }
    return .object([
      "id": .string(name), "pool": .string("kit"), "image": .string(image), "reusable": .bool(false), "milliCPUs": .integer(500),
      "memory": .integer(256 << 20), "disk": .integer(1 << 30), "gpus": .integer(0), "environment": .object(["KIT": .string("it")]),
    ])
  }

  private func put(_ files: [(path: String, text: String, mode: Int64)]) -> JSONValue {
    let files = files.map { file in
      JSONValue.object([
        "path": .string(file.path), "contents": .string(Data(file.text.utf8).base64EncodedString()), "mode": .integer(file.mode),
      ])
    }
    return .object(["id": .string(name), "files": .array(files)])
  }

  private func ids(_ dialogue: PluginDialogue) throws -> [JSONValue] {
    try dialogue.result(of: "engine/list", .object([:]))["containers"]?.items.compactMap { $0["id"] } ?? []
  }

  private func container(_ dialogue: PluginDialogue) throws -> JSONValue {
    try dialogue.result(of: "engine/inspect", id)["container"] ?? .null
  }

  private func expect(_ status: String, _ container: JSONValue, after what: String) throws {
    guard container["status"] == .string(status) else {
      throw KitFailure("engine/inspect says \(PluginDialogue.shown(container)) after \(what), expected the status \(status)")
    }
  }

  private func log(_ dialogue: PluginDialogue, from offset: Int64) throws -> String {
    let question: [String: JSONValue] = ["id": .string(name), "use": .integer(1), "offset": .integer(offset)]
    let data = try dialogue.result(of: "engine/log", .object(question))["data"]?.string.flatMap { Data(base64Encoded: $0) }
    return String(decoding: data ?? Data(), as: UTF8.self)
  }
}
