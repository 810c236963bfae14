internal import Domain
internal import Foundation
internal import JSON
internal import Logging
package import RunnerHub

/// Answers the machines of all GARM engines, each by its own token (garm, `apiserver/routers`, `runner/metadata.go`).
package struct GarmDesk: MachineDesk {
  private let counters: [String: MachineCounter]

  package init(engines: [GarmEngine]) {
    counters = Dictionary(engines.map { ($0.name, MachineCounter(engine: $0)) }, uniquingKeysWith: { first, _ in first })
  }

  package func answer(_ request: MachineRequest) async -> MachineAnswer {
    guard let token = request.token, let engine = MachineToken.claimedEngine(token), let counter = counters[engine] else {
      return .refusal(401, "unauthorized", "expected Authorization: Bearer with the token of a machine")
    }
    return await counter.answer(request, token: token)
  }
}

/// The machines of one engine.
private struct MachineCounter: Sendable {
  let engine: GarmEngine
  private let pace = CallPace()
  /// For how long a machine's question for its job is held; shorter than proxies and the machine itself wait.
  private static let hold: TimeInterval = 20
  /// Bytes of a machine's log that are kept.
  private static let mostLog: Int64 = 256 << 20

  init(engine: GarmEngine) { self.engine = engine }

  func answer(_ request: MachineRequest, token text: String) async -> MachineAnswer {
    let now = Date()
    guard let token = MachineToken(text, key: engine.key), token.engine == engine.name else {
      return .refusal(401, "unauthorized", "the token is not ours")
    }
    let id = ContainerID(rawValue: token.machine)
    guard let machine = await engine.book.machine(id), machine.accepts(token, at: now) else {
      return .refusal(401, "unauthorized", "the token is of no machine that is wanted")
    }
    if let seconds = await pace.wait(for: id, at: now) {
      return .refusal(429, "too many requests", "again in \(seconds) s", retryAfter: seconds)
    }
    do throws(EngineError) {
      if machine.calledAt == nil { try await engine.book.update(id) { _ = $0.called(at: now) } }
      switch (request.counter, request.isChange) {
      case (.metadata, false): return try await metadata(request, machine, token: text)
      case (.callbacks, true): return try await callback(request, machine, at: now)
      default: return .refusal(405, "method not allowed", "metadata is read, callbacks are posted")
      }
    } catch {
      engine.logger.warning("a machine cannot be answered", metadata: ["machine": "\(id)", "path": "\(request.path)", "error": "\(error)"])
      return .refusal(503, "unavailable", "try again", retryAfter: 5)
    }
  }

  // MARK: - What it reads

  private func metadata(_ request: MachineRequest, _ machine: GarmMachine, token: String) async throws(EngineError) -> MachineAnswer {
    switch request.path {
    case "credentials/runner", "credentials/credentials", "credentials/credentials_rsaparams":
      return await credential("." + request.path.dropFirst("credentials/".count), machine)
    case "runner-files": return await files(machine)
    case "install-script":
      let tool = engine.settings.tool(for: machine.pool.architecture)
      let script = engine.scripts.install(token: token, home: engine.settings.home(of: machine.id.rawValue), tool: tool)
      return MachineAnswer(type: "text/x-shellscript; charset=utf-8", body: script)
    case "system/service-name": return .text("actions.runner.\(machine.pool.name).\(machine.id)")
    case "systemd/unit-file": return unitFile(request, machine)
    case "system/cert-bundle": return .json(["root_certificates": .object(certificates())])
    case "runner-metadata":
      return .json([
        "name": .string(machine.id.rawValue), "pool_id": .string(machine.pool.id), "os_type": .string("linux"),
        "os_arch": .string(machine.pool.architecture), "jit_config_enabled": .bool(true),
      ])
    case "runner-registration-token": return .refusal(404, "not found", "runners are registered just in time; there is no token")
    default: return .refusal(404, "not found", "there is nothing at this address")
    }
  }

  /// For scripts that are not ours. The stock one asks again after 503, and after nothing else.
  private func credential(_ path: String, _ machine: GarmMachine) async -> MachineAnswer {
    guard let current = await bound(machine) else { return .refusal(404, "not found", "this machine has done its job") }
    guard current.use != nil else { return .refusal(503, "unavailable", "there is no job for this machine yet", retryAfter: 2) }
    guard let file = await engine.book.files(of: machine.id).first(where: { $0.path == path }) else {
      return .refusal(404, "not found", "there is no \(path) in this runner's registration")
    }
    return MachineAnswer(type: "application/octet-stream", body: file.contents)
  }

  private func files(_ machine: GarmMachine) async -> MachineAnswer {
    guard let current = await bound(machine) else { return .refusal(410, "gone", "this machine has done its job") }
    guard current.use != nil else { return .refusal(425, "too early", "there is no job for this machine yet", retryAfter: 1) }
    return MachineAnswer(
      type: "text/x-shellscript; charset=utf-8", body: MachineScripts.putting(await engine.book.files(of: machine.id)))
  }

  /// The machine once it has a job, or at the end of the time that it can wait; nil where it is done or gone.
  private func bound(_ machine: GarmMachine) async -> GarmMachine? {
    let bell = await engine.book.bell(of: machine.id)
    let end = Date().addingTimeInterval(Self.hold)
    while let current = await engine.book.machine(machine.id), !current.hasEnded, !current.isUnwanted {
      if current.use != nil || Date() >= end || Task.isCancelled { return current }
      await bell.wait(until: min(end, Date().addingTimeInterval(1)))
    }
    return nil
  }

  private func unitFile(_ request: MachineRequest, _ machine: GarmMachine) -> MachineAnswer {
    let user = request.query["runAsUser"] ?? "runner"
    guard (1...32).contains(user.utf8.count), user.first != "-",
      user.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 })
    else { return .refusal(400, "bad request", "runAsUser is no name of a user") }
    return .text(MachineScripts.unitFile(machine: machine.id.rawValue, home: engine.settings.home(of: machine.id.rawValue), user: user))
  }

  private func certificates() -> [String: JSONValue] {
    guard let path = engine.settings.certificates, let pem = FileManager.default.contents(atPath: path) else { return [:] }
    return ["ca.pem": .string(pem.base64EncodedString())]
  }

  // MARK: - What it tells

  private func callback(_ request: MachineRequest, _ machine: GarmMachine, at now: Date) async throws(EngineError) -> MachineAnswer {
    switch request.path {
    case "status": return try await status(request.body, machine, at: now)
    case "system-info":
      struct Info: Decodable { var os_name: String?, os_version: String? }
      guard let info = try? JSONDecoder().decode(Info.self, from: request.body) else {
        return .refusal(400, "bad request", "expected {\"os_name\",\"os_version\"}")
      }
      let system = PrintableText.line("\((info.os_name ?? "").prefix(100)) \((info.os_version ?? "").prefix(100))")
      engine.logger.info("a machine's system", metadata: ["machine": "\(machine.id)", "system": "\(system)"])
      return .json([:])
    case "log": return try await log(request, machine)
    default: return .refusal(404, "not found", "there is nothing at this address")
    }
  }

  private static let words: Set = ["pending", "installing", "idle", "active", "offline", "online", "terminated", "failed", "unknown"]

  private func status(_ body: Data, _ machine: GarmMachine, at now: Date) async throws(EngineError) -> MachineAnswer {
    struct Told: Decodable { var status: String, message: String?, exit_code: Int32? }
    guard body.count <= 64 << 10, let told = try? JSONDecoder().decode(Told.self, from: body), Self.words.contains(told.status) else {
      return .refusal(400, "bad request", "expected {\"status\",\"message\"} with a status of a runner")
    }
    let message = PrintableText.line(String((told.message ?? "").prefix(1000)))
    try await engine.book.update(machine.id) { $0.told(told.status, message, exitCode: told.exit_code, at: now) }
    let level: Logger.Level = told.status == "failed" ? .warning : .debug
    engine.logger.log(
      level: level, "a machine says", metadata: ["machine": "\(machine.id)", "status": "\(told.status)", "message": "\(message)"])
    return .json([:])
  }

  /// Output of the use. Bytes that are sent a second time are not taken a second time.
  private func log(_ request: MachineRequest, _ machine: GarmMachine) async throws(EngineError) -> MachineAnswer {
    guard machine.use != nil, !machine.hasEnded else {
      return .refusal(404, "not found", "this machine has no job whose log could be kept")
    }
    guard let offset = request.query["offset"].flatMap({ Int64($0) }), offset >= 0 else {
      return .refusal(400, "bad request", "expected offset=N, the number of bytes sent before")
    }
    let (end, isTaken) = try await engine.book.append(request.body, at: offset, toLogOf: machine.id, most: Self.mostLog)
    return .json(["offset": .integer(end)], status: isTaken ? 200 : 409)
  }
}

/// How often a machine may call: sixty times at once, and twenty times a second.
private actor CallPace {
  private var buckets: [ContainerID: (left: Double, at: Date)] = [:]
  private static let most = 60.0
  private static let perSecond = 20.0

  /// Seconds to wait, or nil where the call is fine.
  func wait(for id: ContainerID, at now: Date) -> Int? {
    if buckets.count > 20_000 { buckets = buckets.filter { now.timeIntervalSince($0.value.at) < 10 } }
    var bucket = buckets[id] ?? (Self.most, now)
    bucket.left = min(Self.most, bucket.left + max(0, now.timeIntervalSince(bucket.at)) * Self.perSecond)
    bucket.at = now
    defer { buckets[id] = bucket }
    guard bucket.left >= 1 else { return 1 }
    bucket.left -= 1
    return nil
  }
}

extension MachineAnswer {
  fileprivate static func text(_ text: String) -> MachineAnswer {
    MachineAnswer(type: "text/plain; charset=utf-8", body: Data(text.utf8))
  }

  fileprivate static func json(_ members: [String: JSONValue], status: Int = 200) -> MachineAnswer {
    MachineAnswer(status: status, type: "application/json", body: GarmCall.json(.object(members)))
  }

  /// As GARM writes its refusals.
  fileprivate static func refusal(_ status: Int, _ error: String, _ details: String, retryAfter: Int? = nil) -> MachineAnswer {
    var answer = json(["error": .string(error), "details": .string(details)], status: status)
    answer.retryAfter = retryAfter
    return answer
  }
}
