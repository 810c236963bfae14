import Domain
import Foundation
import RunnerHub
import Testing

@testable import Plugins

@Suite("What machines are told") struct GarmDeskTests {
  private struct Scene: Sendable {
    let engine: GarmEngine
    let desk: GarmDesk
    let id: ContainerID
    let token: String

    func ask(_ counter: MachineRequest.Counter, _ path: String, token: String? = nil, body: String? = nil, query: [String: String] = [:])
      async -> (status: Int, text: String)
    {
      let answer = await desk.answer(
        MachineRequest(
          counter: counter, isChange: body != nil, path: path, query: query, token: token ?? self.token, body: Data((body ?? "").utf8)))
      return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }
  }

  /// A machine that never calls by itself, and its token.
  private func run(_ change: (inout GarmSettings) -> Void = { _ in }, _ body: (Scene, GarmBench) async throws -> Void) async throws {
    try await GarmBench.run(change) { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["deaf": true])
      let engine = try bench.engine()
      let scene = try await scene(bench, engine)
      try await body(scene, bench)
      try await engine.remove(scene.id)
    }
  }

  private func scene(_ bench: GarmBench, _ engine: GarmEngine) async throws -> Scene {
    let spec = bench.spec()
    try await engine.create(spec)
    let machine = try #require(await engine.book.machine(spec.id))
    return Scene(engine: engine, desk: GarmDesk(engines: [engine]), id: spec.id, token: engine.token(of: machine))
  }

  private func bind(_ scene: Scene) async throws {
    let files = [".runner", ".credentials", ".credentials_rsaparams"].map {
      RunnerFile(path: $0, contents: Data("\($0) of \(scene.id)".utf8), mode: 0o400)
    }
    try await scene.engine.put(files + [RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600)], into: scene.id)
  }

  @Test("without a job there are no credentials; with one there are, and afterwards there are none again")
  func credentials() async throws {
    try await run { scene, _ in
      #expect(await scene.ask(.metadata, "runner-metadata").status == 200)
      async let early = scene.ask(.metadata, "credentials/runner")
      async let files = scene.ask(.metadata, "runner-files")
      try await bind(scene)
      #expect(await early == (200, ".runner of \(scene.id)"))
      #expect(await files.text.contains("base64 -d"))
      #expect(await scene.ask(.metadata, "credentials/credentials").text == ".credentials of \(scene.id)")
      #expect(await scene.ask(.metadata, "credentials/credentials_rsaparams").text == ".credentials_rsaparams of \(scene.id)")
      #expect(await scene.ask(.metadata, "credentials/passwd").status == 404)
      #expect(await scene.ask(.callbacks, "status", body: #"{"status":"terminated","message":"over","exit_code":0}"#).status == 200)
      #expect(await scene.ask(.metadata, "credentials/runner").status == 404)
      #expect(await scene.ask(.metadata, "runner-files").status == 410)
    }
  }

  @Test("one machine's token never opens another's, nor after its machine is gone")
  func tokens() async throws {
    try await run { scene, bench in
      let other = try await self.scene(bench, scene.engine)
      #expect(await other.ask(.metadata, "runner-metadata").status == 200)
      #expect(await scene.ask(.metadata, "runner-metadata").status == 200)
      try await bind(other)
      // Each sees its own, whatever it asks for: the token alone says who asks.
      #expect(await other.ask(.metadata, "credentials/runner").text == ".runner of \(other.id)")
      #expect(await scene.ask(.metadata, "runner-metadata").text.contains(scene.id.rawValue))
      #expect(await scene.ask(.callbacks, "log", body: "x", query: ["offset": "0"]).status == 404)
      try await other.engine.remove(other.id)
      #expect(await other.ask(.metadata, "credentials/runner").status == 401)
      for token in ["", "x", "a.b.c", scene.token + "x", String(scene.token.dropLast())] {
        #expect(await scene.ask(.metadata, "install-script", token: token).status == 401, "\(token)")
      }
      var stranger = MachineToken(engine: "garm-local", machine: scene.id.rawValue, attempt: 2, expiry: .distantFuture)
      #expect(await scene.ask(.metadata, "install-script", token: stranger.signed(with: scene.engine.key)).status == 401)
      stranger.attempt = 1
      #expect(
        await scene.ask(.metadata, "install-script", token: stranger.signed(with: SymmetricKeyBytes(Data(count: 32)))).status == 401)
      let elsewhere = MachineToken(engine: "other", machine: scene.id.rawValue, attempt: 1, expiry: .distantFuture)
      #expect(await scene.ask(.metadata, "install-script", token: elsewhere.signed(with: scene.engine.key)).status == 401)
    }
  }

  @Test("a machine must call within its time; one that did may wait for its job as long as it lives")
  func expiry() throws {
    var machine = GarmMachine(
      spec: ContainerSpec(
        id: ContainerID(rawValue: "rh-1"), pool: "p", image: "i", resources: Resources(milliCPUs: 1, memory: ByteCount(bytes: 1)),
        isReusable: false), pool: GarmPool(name: "p", id: "x", image: "i", flavor: "f"))
    let start = Date(timeIntervalSince1970: 1_800_000_000)
    machine.beginCreation(at: start)
    let token = MachineToken(engine: "e", machine: "rh-1", attempt: 1, expiry: start.addingTimeInterval(60))
    #expect(machine.accepts(token, at: start.addingTimeInterval(59)))
    #expect(!machine.accepts(token, at: start.addingTimeInterval(61)))
    let isNew = machine.called(at: start.addingTimeInterval(59))
    #expect(isNew)
    #expect(machine.accepts(token, at: start.addingTimeInterval(1e6)))
    // Another attempt makes the word of the first worthless, unless the provider still had its machine.
    machine.beginCreation(at: start)
    #expect(!machine.accepts(token, at: start))
    machine.created(try ProviderInstance(json: Data(#"{"provider_id":"i","name":"rh-1","status":"running"}"#.utf8)), isAdopted: true)
    #expect(machine.accepts(token, at: start))
  }

  @Test("the fixed answers of the contract are there, and nothing else is")
  func fixed() async throws {
    try await run { scene, _ in
      #expect(await scene.ask(.metadata, "system/service-name").text == "actions.runner.cloud.\(scene.id)")
      let unit = await scene.ask(.metadata, "systemd/unit-file", query: ["runAsUser": "ci"]).text
      #expect(unit.contains("User=ci\n") && unit.contains("runsvc.sh"))
      #expect(await scene.ask(.metadata, "systemd/unit-file", query: ["runAsUser": "a\nExecStart=x"]).status == 400)
      #expect(await scene.ask(.metadata, "system/cert-bundle").text == #"{"root_certificates":{}}"#)
      #expect(await scene.ask(.metadata, "runner-registration-token").status == 404)
      #expect(await scene.ask(.metadata, "tools/garm-agent").status == 404)
      #expect(await scene.ask(.metadata, "tools/garm-agent/1/download").status == 404)
      #expect(await scene.ask(.metadata, "../callbacks/status").status == 404)
      let script = await scene.ask(.metadata, "install-script")
      #expect(script.status == 200 && script.text.contains("token='\(scene.token)'"))
      #expect(await scene.ask(.callbacks, "system-info", body: #"{"os_name":"Debian","os_version":"12","agent_id":null}"#).status == 200)
      #expect(await scene.ask(.callbacks, "status", body: #"{"status":"sleeping","message":""}"#).status == 400)
      #expect(await scene.ask(.callbacks, "status", body: "nonsense").status == 400)
      #expect(await scene.ask(.callbacks, "status", body: #"{"status":"idle","message":"m","agent_id":null}"#).status == 200)
      #expect(await scene.ask(.metadata, "status", body: "{}").status == 405)
      #expect(await scene.ask(.callbacks, "status").status == 405)
    }
  }

  @Test("output is taken once, however often it is sent")
  func logs() async throws {
    try await run { scene, _ in
      #expect(await scene.ask(.metadata, "runner-metadata").status == 200)
      #expect(await scene.ask(.callbacks, "log", body: "early", query: ["offset": "0"]).status == 404)
      try await bind(scene)
      #expect(await scene.ask(.callbacks, "log", body: "one\n", query: ["offset": "0"]) == (200, #"{"offset":4}"#))
      #expect(await scene.ask(.callbacks, "log", body: "one\n", query: ["offset": "0"]) == (409, #"{"offset":4}"#))
      #expect(await scene.ask(.callbacks, "log", body: "three\n", query: ["offset": "8"]) == (409, #"{"offset":4}"#))
      #expect(await scene.ask(.callbacks, "log", body: "two\n", query: ["offset": "4"]) == (200, #"{"offset":8}"#))
      #expect(await scene.ask(.callbacks, "log", body: "x", query: ["offset": "-1"]).status == 400)
      #expect(try await scene.engine.log(of: scene.id, use: 1, from: 0) == Data("one\ntwo\n".utf8))
      #expect(try await scene.engine.log(of: scene.id, use: 2, from: 0).isEmpty)
    }
  }

  @Test("a machine that calls too often is told to wait")
  func pace() async throws {
    try await run { scene, _ in
      var statuses: [Int] = []
      for _ in 0..<100 { statuses.append(await scene.ask(.metadata, "system/service-name").status) }
      #expect(statuses.prefix(60).allSatisfy { $0 == 200 })
      #expect(statuses.contains(429))
    }
  }
}
