import Contracts
import Domain
import Foundation
import Logging
import RunnerHub
import Synchronization
import Testing

@testable import Engines

/// What the wire can do to the client: answers that come in pieces, late, broken or not at all.
@Suite("The Docker API over a socket that misbehaves")
struct DockerClientTests {
  private static func inspected(_ status: String = "running", id: String, spec: ContainerSpec? = nil, installation: String = "fake")
    -> String
  {
    let made = spec ?? Self.spec(id)
    let text = DockerTemplate.text(of: made).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return """
      {"Id": "0123", "State": {"Status": "\(status)", "ExitCode": 0, "OOMKilled": false, "Error": "", "Pid": 7,
       "StartedAt": "2026-01-02T03:04:05.5Z", "FinishedAt": "0001-01-01T00:00:00Z"},
       "Config": {"Labels": {"runnerhub.installation": "\(installation)", "runnerhub.spec": "\(text)"}}, "HostConfig": {"Memory": 1, "NanoCpus": 1}}
      """
  }

  private static func spec(_ id: String) -> ContainerSpec {
    ContainerSpec(
      id: ContainerID(rawValue: id), pool: "fake", image: "fake:1", resources: Resources(milliCPUs: 500, memory: ByteCount(mebibytes: 64)),
      isReusable: false)
  }

  private func engine(_ daemon: FakeDaemon, pull: DockerSettings.Pull = .missing, patience: Duration = .seconds(5)) -> DockerEngine {
    let settings = DockerSettings(pull: pull, pullPatience: patience)
    return DockerEngine(
      client: DockerClient(socket: daemon.socket, http: DockerBench.http), settings: settings, installation: "fake",
      logger: Logger(label: "fake"))
  }

  private static let info = #"{"NCPU": 3, "MemTotal": 1073741824, "DockerRootDir": "/nowhere"}"#

  private func failure(_ body: () async throws -> Void) async -> EngineError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? EngineError
    }
  }

  // MARK: Version

  @Test("speaks the daemon's version, the newest that it knows with a newer daemon, and asks once")
  func negotiation() async throws {
    for (offered, spoken) in [("1.41", "1.41"), ("1.45", "1.45"), ("1.52", "1.45"), ("1.40", "1.40")] {
      try await FakeDaemon.with { request, _ in
        request == "GET /_ping" ? FakeDaemon.ping(offered) : FakeDaemon.json(Self.info)
      } _: { daemon in
        let engine = engine(daemon)
        _ = try await engine.capacity()
        let capacity = try await engine.capacity()
        #expect(capacity.resources.milliCPUs == 3000)
        #expect(daemon.requests == ["GET /_ping", "GET /v\(spoken)/info", "GET /v\(spoken)/info"])
      }
    }
  }

  @Test("a daemon that is too old is refused by name, and what is no daemon is said to be so", arguments: ["1.39", "1.12"])
  func tooOld(_ version: String) async throws {
    try await FakeDaemon.with { _, _ in
      FakeDaemon.ping(version)
    } _: { daemon in
      guard case .unavailable(let why) = await failure({ _ = try await engine(daemon).capacity() }) else { throw Unexpected() }
      #expect(why.contains(version) && why.contains("1.40"))
    }
    try await FakeDaemon.with { _, _ in
      FakeDaemon.ping(nil)
    } _: { daemon in
      guard case .unavailable(let why) = await failure({ _ = try await engine(daemon).capacity() }) else { throw Unexpected() }
      #expect(why.contains("no Docker daemon"))
    }
  }

  @Test("when another daemon has taken the place, the version is agreed anew")
  func replaced() async throws {
    try await FakeDaemon.with { request, earlier in
      if request == "GET /_ping" { return FakeDaemon.ping(earlier == 0 ? "1.45" : "1.41") }
      if earlier == 0, request == "GET /info" {
        return FakeDaemon.json(400, #"{"message":"client version 1.45 is too new. Maximum supported API version is 1.41"}"#)
      }
      return FakeDaemon.json(Self.info)
    } _: { daemon in
      let engine = engine(daemon)
      _ = try await engine.capacity()
      #expect(daemon.requests == ["GET /_ping", "GET /v1.45/info", "GET /_ping", "GET /v1.41/info"])
    }
  }

  // MARK: Pieces

  @Test("answers that come in pieces of any size are read whole", arguments: [1, 2, 3, 7, 50])
  func pieces(_ size: Int) async throws {
    try await FakeDaemon.with { request, _ in
      switch request {
      case "GET /containers/json":
        FakeDaemon.json(#"[{"Names": ["/rh-one"], "State": "running"}, {"Names": ["/rh-two"], "State": "created"}]"#, pieces: size)
      case "GET /containers/rh-one/json": FakeDaemon.json(Self.inspected(id: "rh-one"), pieces: size)
      case "GET /containers/rh-two/json": FakeDaemon.json(Self.inspected("created", id: "rh-two"), pieces: size)
      case "GET /containers/rh-one/stats":
        FakeDaemon.json(
          #"{"memory_stats": {"usage": 900, "stats": {"total_inactive_file": 300}}, "cpu_stats": {"cpu_usage": {"total_usage": 1500000000}}, "pids_stats": {"current": 4}}"#,
          pieces: size)
      default: []
      }
    } _: { daemon in
      let all = try await engine(daemon).list()
      #expect(all.map(\.id.rawValue) == ["rh-one", "rh-two"])
      #expect(all.map(\.status) == [.running, .created])
      #expect(all[0].memory == ByteCount(bytes: 600) && all[0].cpuSeconds == 1.5 && all[0].processes == 3)
    }
  }

  private static let lines = (0..<40).map { "2026-01-02T03:04:\(10 + $0).123456789Z line \($0)\n" }
  private static let log = [FakeDaemon.frame("2026-01-02T03:04:05.1Z ##[runnerhub use 1]\n")] + lines.map { FakeDaemon.frame($0) }

  @Test("frames of a log that are split anywhere give every line once, in their order", arguments: [1, 5, 8, 13, 4096])
  func frames(_ size: Int) async throws {
    try await FakeDaemon.with { request, _ in
      switch request {
      case "GET /containers/rh-one/json": FakeDaemon.json(Self.inspected("exited", id: "rh-one"))
      case "GET /containers/rh-one/logs": FakeDaemon.stream([Self.log.flatMap { $0 }], pieces: size)
      default: []
      }
    } _: { daemon in
      let data = try await engine(daemon).log(of: ContainerID(rawValue: "rh-one"), use: 1, from: 0)
      #expect(String(decoding: data, as: UTF8.self) == (0..<40).map { "line \($0)\n" }.joined())
    }
  }

  // MARK: Breaks

  @Test("a log that is cut in a frame is no log: the next call reads it again, and nothing is lost or doubled")
  func cutLog() async throws {
    try await FakeDaemon.with { request, earlier in
      switch request {
      case "GET /containers/rh-one/json": return FakeDaemon.json(Self.inspected("exited", id: "rh-one"))
      case "GET /containers/rh-one/logs":
        let whole = Self.log.flatMap { $0 }
        if earlier == 0 { return FakeDaemon.stream([Array(whole.prefix(700))], isCut: true) }
        // Cut between two chunks, but in the middle of a frame.
        return earlier == 1 ? FakeDaemon.stream([Array(whole.prefix(700))]) : FakeDaemon.stream([whole])
      default: return []
      }
    } _: { daemon in
      let engine = engine(daemon)
      let id = ContainerID(rawValue: "rh-one")
      for _ in 0..<2 {
        guard case .unavailable = await failure({ _ = try await engine.log(of: id, use: 1, from: 0) }) else { throw Unexpected() }
      }
      let data = try await engine.log(of: id, use: 1, from: 0)
      #expect(String(decoding: data, as: UTF8.self) == (0..<40).map { "line \($0)\n" }.joined())
    }
  }

  @Test("an answer that breaks off is asked for once more, and then said to be missing")
  func cutAnswer() async throws {
    for repairedAt in [1, Int.max] {
      try await FakeDaemon.with { request, earlier in
        guard request == "GET /info" else { return [] }
        if earlier >= repairedAt { return FakeDaemon.json(Self.info) }
        return [.bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"NCPU\"".utf8)), .close]
      } _: { daemon in
        let outcome = await failure { _ = try await engine(daemon).capacity() }
        #expect(daemon.requests.filter { $0.hasSuffix("/info") }.count == 2)
        if repairedAt == 1 { #expect(outcome == nil) } else { guard case .unavailable = outcome else { throw Unexpected() } }
      }
    }
  }

  @Test(
    "a 500 is the daemon's fault, with its words, for every call",
    arguments: ["create", "start", "put", "inspect", "list", "log", "remove"])
  func serverErrors(_ call: String) async throws {
    let message = "mkdir /var/lib/docker: no space left on device"
    try await FakeDaemon.with { request, _ in
      switch request {
      case "GET /_ping": return []
      case "GET /containers/rh-one/json" where call != "inspect":
        return FakeDaemon.json(Self.inspected(call == "start" ? "created" : "running", id: "rh-one"))
      default: return FakeDaemon.json(500, "{\"message\":\"\(message)\"}\n")
      }
    } _: { daemon in
      let engine = engine(daemon)
      let id = ContainerID(rawValue: "rh-one")
      let outcome = await failure {
        switch call {
        case "create": try await engine.create(Self.spec("rh-one"))
        case "start": try await engine.start(id)
        case "put": try await engine.put([RunnerFile(path: "a", contents: Data(), mode: 0o600)], into: id)
        case "inspect": _ = try await engine.inspect(id)
        case "list": _ = try await engine.list()
        case "log": _ = try await engine.log(of: id, use: 1, from: 0)
        default: try await engine.remove(id)
        }
      }
      guard case .unavailable(let why) = outcome else { throw Unexpected() }
      #expect(why.contains(message))
    }
  }

  @Test(
    "answers that are not what the API describes are said to be unreadable",
    arguments: ["", "null", "[]", "{\"NCPU\": \"many\"}", "<html>"])
  func garbage(_ body: String) async throws {
    try await FakeDaemon.with { request, _ in
      request == "GET /info" ? FakeDaemon.json(body) : []
    } _: { daemon in
      guard case .unavailable = await failure({ _ = try await engine(daemon).capacity() }) else { throw Unexpected() }
    }
  }

  @Test("where nothing listens that is known at once")
  func nobody() async throws {
    let socket = "/tmp/rh-nobody-\(UUID().uuidString.prefix(8)).sock"
    let engine = DockerEngine(
      client: DockerClient(socket: socket, http: DockerBench.http), settings: DockerSettings(), installation: "fake",
      logger: Logger(label: "fake"))
    let start = ContinuousClock.now
    guard case .unavailable(let why) = await failure({ _ = try await engine.list() }) else { throw Unexpected() }
    #expect(why.contains(socket))
    #expect(start.duration(to: .now) < .seconds(5))
  }

  // MARK: Events and removals

  @Test("events are hints: one at the beginning, one for each, and the end of the stream is the end of the watch")
  func events() async throws {
    let event = #"{"Type":"container","Action":"die","Actor":{"ID":"x","Attributes":{"name":"rh-one","exitCode":"0"}},"timeNano":1}"#
    try await FakeDaemon.with { request, _ in
      guard request == "GET /events" else { return [] }
      return FakeDaemon.stream([Array("\(event)\n\(event)".utf8), Array("\n\n".utf8), Array("\(event)\n".utf8)], pieces: 9)
    } _: { daemon in
      let looks = Mutex(0)
      try await engine(daemon).watch { looks.withLock { $0 += 1 } }
      #expect(looks.withLock { $0 } == 4)
      let path = try #require(daemon.requests.last)
      #expect(path.contains("runnerhub.installation%3Dfake"))
    }
  }

  @Test("a stream of events that breaks off is an error, after what came")
  func brokenEvents() async throws {
    try await FakeDaemon.with { request, _ in
      request == "GET /events" ? FakeDaemon.stream([Array("{\"Action\":\"die\"}\n{\"Act".utf8)], isCut: true) : []
    } _: { daemon in
      let looks = Mutex(0)
      guard case .unavailable = await failure({ try await engine(daemon).watch { looks.withLock { $0 += 1 } } }) else { throw Unexpected() }
      #expect(looks.withLock { $0 } == 2)
    }
  }

  @Test("a removal that is under way already is waited for")
  func removal() async throws {
    try await FakeDaemon.with { request, _ in
      switch request {
      case "GET /containers/rh-one/json": FakeDaemon.json(Self.inspected(id: "rh-one"))
      case "DELETE /containers/rh-one": FakeDaemon.json(409, #"{"message":"removal of container rh-one is already in progress"}"#)
      case "POST /containers/rh-one/wait": FakeDaemon.stream([Array(#"{"Error":null,"StatusCode":137}"#.utf8)], pieces: 4)
      default: []
      }
    } _: { daemon in
      try await engine(daemon).remove(ContainerID(rawValue: "rh-one"))
      #expect(daemon.requests.last == "POST /v1.41/containers/rh-one/wait?condition=removed")
    }
  }

  @Test("another installation's container is not seen, and not removed")
  func strangers() async throws {
    try await FakeDaemon.with { request, _ in
      request == "GET /containers/rh-one/json" ? FakeDaemon.json(Self.inspected(id: "rh-one", installation: "other")) : []
    } _: { daemon in
      let id = ContainerID(rawValue: "rh-one")
      #expect(try await engine(daemon).inspect(id) == nil)
      try await engine(daemon).remove(id)
      #expect(!daemon.requests.contains { $0.hasPrefix("DELETE") })
    }
  }

  // MARK: Pulls

  private static let missing = FakeDaemon.json(404, #"{"message":"No such image: fake:1"}"#)

  @Test("a missing image is fetched, and then the container is made")
  func pull() async throws {
    try await FakeDaemon.with { request, earlier in
      switch request {
      case "POST /containers/create": return earlier == 0 ? Self.missing : FakeDaemon.json(201, #"{"Id":"0123","Warnings":[]}"#)
      case "POST /images/create":
        let lines = [
          #"{"status":"Pulling from fake","id":"1"}"#, #"{"status":"Downloading","progressDetail":{"current":1,"total":9},"id":"abc"}"#,
          #"{"status":"Status: Downloaded newer image"}"#,
        ]
        return FakeDaemon.stream(lines.map { Array("\($0)\r\n".utf8) }, pieces: 11)
      default: return []
      }
    } _: { daemon in
      try await engine(daemon).create(Self.spec("rh-one"))
      #expect(
        daemon.requests.map { $0.split(separator: "?")[0] }
          == ["GET /_ping", "POST /v1.41/containers/create", "POST /v1.41/images/create", "POST /v1.41/containers/create"])
    }
  }

  @Test(
    "a pull that fails, before its head or after it, makes no container",
    arguments: [
      (404, #"{"message":"manifest for fake:1 not found: manifest unknown"}"#, true),
      (500, #"{"message":"Get \"http://127.0.0.1:1/v2/\": connect: connection refused"}"#, false),
      (
        200,
        #"{"errorDetail":{"message":"filesystem layer verification failed"},"error":"filesystem layer verification failed for digest"}"#,
        false
      ),
      (200, #"{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}"#, true),
    ])
  func failedPull(_ status: Int, _ body: String, _ isMissing: Bool) async throws {
    try await FakeDaemon.with { request, _ in
      switch request {
      case "POST /containers/create": Self.missing
      case "POST /images/create": status == 200 ? FakeDaemon.stream([Array((body + "\n").utf8)]) : FakeDaemon.json(status, body)
      default: []
      }
    } _: { daemon in
      switch await failure({ try await engine(daemon).create(Self.spec("rh-one")) }) {
      case .notFound?: #expect(isMissing)
      case .unavailable?: #expect(!isMissing)
      case .invalid?, nil: throw Unexpected()
      }
      #expect(daemon.requests.count { $0.contains("/containers/create") } == 1)
    }
  }

  @Test("a pull that makes no progress is given up")
  func silentPull() async throws {
    try await FakeDaemon.with { request, _ in
      switch request {
      case "POST /containers/create": return Self.missing
      case "POST /images/create":
        return FakeDaemon.stream([Array("{\"status\":\"Pulling\"}\n".utf8)], isCut: true).filter {
          if case .close = $0 { false } else { true }
        }
      default: return []
      }
    } _: { daemon in
      let outcome = await failure { try await engine(daemon, patience: .milliseconds(300)).create(Self.spec("rh-one")) }
      guard case .unavailable(let why) = outcome else { throw Unexpected() }
      #expect(why.contains("no progress"))
    }
  }

  @Test("with pull: never a missing image is not asked for")
  func neverPull() async throws {
    try await FakeDaemon.with { request, _ in
      request == "POST /containers/create" ? Self.missing : []
    } _: { daemon in
      guard case .notFound = await failure({ try await engine(daemon, pull: .never).create(Self.spec("rh-one")) }) else {
        throw Unexpected()
      }
      #expect(!daemon.requests.contains { $0.contains("/images/") })
    }
  }

  struct Unexpected: Error {}
}
