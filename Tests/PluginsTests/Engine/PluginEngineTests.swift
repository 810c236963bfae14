import Contracts
import Domain
import Foundation
import RunnerHub
import Testing

@testable import Plugins

@Suite("Engines that plugins are") struct PluginEngineTests {
  private let id = ContainerID(rawValue: "rh-1")

  private func engine(_ answer: @escaping ScriptedConnection.Answer) -> (PluginEngine, ScriptedConnection) {
    let connection = ScriptedConnection(name: "pods", answer)
    let engine = PluginEngine(name: "pods", firstProcess: Data("init".utf8))
    engine.connect(connection)
    return (engine, connection)
  }

  private func engine(saying json: String) -> PluginEngine { engine { _ in Data(json.utf8) }.0 }

  private func failure(_ call: () async throws(EngineError) -> Void) async -> String? {
    do throws(EngineError) {
      try await call()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test("a spec is told in full, and what a container is doing is read in full")
  func messages() async throws {
    let (engine, connection) = engine { call in
      guard call.method == "engine/inspect" else { return Data("{}".utf8) }
      return Data(
        #"{"container":{"id":"rh-1","status":"exited","exitCode":3,"endedUse":2,"runnerExit":3,"processes":0,"memory":5,"cpuSeconds":1.5,"startedAt":"2026-11-26T09:14:02Z","outOfMemory":true,"more":1}}"#
          .utf8)
    }
    var spec = ContainerSpec(
      id: id, pool: "linux", image: "debian", resources: Resources(milliCPUs: 500, memory: ByteCount(bytes: 7), disk: ByteCount(bytes: 9)),
      isReusable: true, environment: ["A": "b"])
    spec.resources.gpus = 1
    try await engine.create(spec)
    let sent = try #require(connection.calls.first).parameters
    #expect(try JSONDecoder().decode(EngineMessages.Creation.self, from: sent) == EngineMessages.Creation(spec))
    let members = try #require(try JSONSerialization.jsonObject(with: sent) as? [String: Any])
    #expect(
      Set(members.keys) == ["id", "pool", "image", "milliCPUs", "memory", "disk", "gpus", "reusable", "environment"])
    let seen = try #require(try await engine.inspect(id))
    #expect(seen.status == .exited(code: 3) && seen.endedUse == 2 && seen.runnerExit == 3 && seen.isOutOfMemory)
    #expect(seen.startedAt == Date(timeIntervalSince1970: 1_795_684_442))
  }

  @Test(
    "what cannot be is the plugin's fault, and no harm",
    arguments: [
      #"{"containers":[{"id":"../x","status":"running"}]}"#, #"{"containers":[{"id":"rh-1","status":"asleep"}]}"#, #"{"containers":{}}"#,
      "{}",
      #"{"containers":[{"id":"rh-1","status":"running"},{"id":"rh-1","status":"exited"}]}"#,
      #"{"containers":[{"id":"rh-1","status":"running","memory":-1}]}"#, #"{"containers":[{"id":"rh-1","status":"running","endedUse":0}]}"#,
      #"{"containers":[{"id":"rh-1","status":"running","exitCode":99999999999}]}"#,
    ])
  func lies(_ json: String) async {
    let engine = engine(saying: json)
    #expect(await failure { () async throws(EngineError) in _ = try await engine.list() }?.hasPrefix("engine unavailable: pods") == true)
  }

  @Test("an answer about another container, a home that is none, too much of a log and a negative capacity are refused")
  func otherLies() async {
    let other = engine(saying: #"{"container":{"id":"rh-2","status":"running"}}"#)
    #expect(await failure { () async throws(EngineError) in _ = try await other.inspect(id) }?.contains("rh-2") == true)
    let spec = ContainerSpec(
      id: id, pool: "p", image: "i", resources: Resources(milliCPUs: 1, memory: ByteCount(bytes: 1)), isReusable: false)
    let home = engine(saying: #"{"home":"relative"}"#)
    #expect(await failure { () async throws(EngineError) in _ = try await home.home(of: spec) } != nil)
    let log = engine(saying: #"{"data":"\#(Data(count: (1 << 20) + 1).base64EncodedString())"}"#)
    #expect(await failure { () async throws(EngineError) in _ = try await log.log(of: id, use: 1, from: 0) } != nil)
    let capacity = engine(saying: #"{"milliCPUs":-1,"memory":1,"disk":1}"#)
    #expect(await failure { () async throws(EngineError) in _ = try await capacity.capacity() } != nil)
  }

  @Test(
    "an error of a plugin is what it means to the core",
    arguments: [
      (PluginError.notRunning("x"), "engine unavailable"), (.timedOut("x"), "engine unavailable"), (.malformed("x"), "engine unavailable"),
      (.throttled("x", after: .seconds(3)), "engine unavailable"), (.refused(.unavailable, "x"), "engine unavailable"),
      (.refused(.cancelled, "x"), "engine unavailable"), (.refused(.notFound, "x"), "not found"), (.refused(.invalid, "x"), "invalid"),
      (.refused(.failed, "x"), "invalid"), (.refused(.methodNotFound, "x"), "invalid"), (.refused(.forbidden, "x"), "invalid"),
    ])
  func errors(_ error: PluginError, _ beginning: String) async {
    let engine = engine { _ throws(PluginError) in throw error }.0
    #expect(await failure { () async throws(EngineError) in try await engine.start(id) }?.hasPrefix(beginning) == true)
  }

  @Test("names and paths that lead out are refused before the plugin hears of them")
  func names() async {
    let (engine, connection) = engine { _ in Data("{}".utf8) }
    for name in ["..", "a/b", "", "x", "UPPER"] {
      #expect(
        await failure { () async throws(EngineError) in try await engine.remove(ContainerID(rawValue: name)) }?.hasPrefix("invalid") == true
      )
    }
    let files = [RunnerFile(path: "fine", contents: Data(), mode: 0o600), RunnerFile(path: "../x", contents: Data(), mode: 0o600)]
    #expect(await failure { () async throws(EngineError) in try await engine.put(files, into: id) }?.hasPrefix("invalid") == true)
    #expect(connection.calls.isEmpty)
  }

  @Test("files that do not fit into one message go in several, in order; one that fits in none is refused")
  func batches() async throws {
    let (engine, connection) = engine { _ in Data("{}".utf8) }
    let files = (1...5).map { RunnerFile(path: "file-\($0)", contents: Data(count: 900_000), mode: 0o644) }
    try await engine.put(files, into: id)
    let sent = try connection.calls.map { try JSONDecoder().decode(EngineMessages.Put.self, from: $0.parameters).files.map(\.path) }
    #expect(sent == [["file-1", "file-2"], ["file-3", "file-4"], ["file-5"]])
    #expect(connection.calls.allSatisfy { $0.parameters.count < 4 << 20 })
    let large = RunnerFile(path: "large", contents: Data(count: 3 << 20), mode: 0o644)
    #expect(await failure { () async throws(EngineError) in try await engine.put([large], into: id) }?.hasPrefix("invalid") == true)
  }

  @Test("an engine whose plugin comes and goes is unavailable meanwhile, and hears when it is worth to look")
  func comesAndGoes() async throws {
    let engines = PluginEngines(names: ["pods"], firstProcess: Data("init".utf8))
    let engine = try #require(engines.engines["pods"])
    #expect(await failure { () async throws(EngineError) in _ = try await engine.list() }?.hasPrefix("engine unavailable") == true)
    let manifest = PluginManifest(name: "pods", version: "1", kind: .engine, summary: "", command: ["x"])
    let service = engines.service(for: manifest)
    let connection = ScriptedConnection(name: "pods") { _ in Data(#"{"containers":[]}"#.utf8) }
    await engines.started(RunningPlugin(manifest: manifest, abilities: [], connection: connection))
    #expect(try await engine.list().isEmpty)
    let (looks, look) = AsyncStream.makeStream(of: Void.self)
    let watch = Task { try await engine.watch { look.yield() } }
    var iterator = looks.makeAsyncIterator()
    await iterator.next()
    _ = try await service.answer("engine/changed", parameters: Data("{}".utf8), from: "pods")
    await iterator.next()
    watch.cancel()
    try await watch.value
    let script = try await service.answer("engine/init", parameters: Data("{}".utf8), from: "pods")
    #expect(try JSONDecoder().decode(EngineMessages.FirstProcess.self, from: script).script == Data("init".utf8))
    await #expect(throws: PluginError.self) { try await service.answer("engine/shell", parameters: Data(), from: "pods") }
    await engines.removed("pods")
    #expect(await failure { () async throws(EngineError) in _ = try await engine.list() }?.hasPrefix("engine unavailable") == true)
  }
}
