import Domain
import Foundation
import JSON
import Logging
import Plugins
import RunnerHub
import Storage
import Synchronization
import Testing

/// Plugins of kind `source`: as a forge, and as those who hand in jobs.
struct SourceForgeTests {
  private static let job = #"""
    {"id":123,"run":9,"attempt":2,"name":"build","workflow":"test","labels":["Docker","linux"],"status":"queued","commit":"abc","branch":"main",
     "repository":{"id":7,"name":"group/project","private":true,"defaultBranch":"main"},"image":"alpine:3","services":["postgres:16"],
     "event":"push","actor":"ada","createdAt":"2026-11-26T09:00:00Z","transition":"123/pending","unheard":{"of":1}}
    """#

  /// The adapter with one plugin, and the roster that it fills.
  private struct Scene {
    let store: SQLiteStore
    let adapter: SourceAdapter
    let forge: ForgeRoster
    let connection: ScriptedConnection
    let now: Date

    init(_ answer: @escaping ScriptedConnection.Answer = { _ throws(PluginError) in Data("{}".utf8) }) async throws {
      let now = Date(timeIntervalSince1970: 1_777_000_000)
      self.now = now
      store = try SQLiteStore()
      forge = ForgeRoster(github: NoForge())
      connection = ScriptedConnection(name: "gitlab", answer)
      adapter = SourceAdapter(forge: forge, inbox: store, logger: Logger(label: "test"), now: { now }, wake: {})
      await adapter.started(RunningPlugin(manifest: SourceForgeTests.manifest, abilities: [.jobs], connection: connection))
    }

    func parameters(_ index: Int) throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: connection.calls[index].parameters) }
  }

  static let manifest = PluginManifest(
    name: "gitlab", version: "1.0.0", kind: .source, summary: "", command: ["x"], abilities: [.jobs])
  private static let jobClass = JobClass(scope: "gitlab:group/project", labels: ["docker", "linux"])

  private static func known() throws -> Job {
    Job(try JSONDecoder.plugin.decode(SourceJob.self, from: Data(job.utf8)).report(from: "gitlab"), at: .distantPast)
  }

  // MARK: Jobs

  @Test("a job that a plugin tells is a job of its source, with what is known of it") func report() throws {
    let report = try JSONDecoder.plugin.decode(SourceJob.self, from: Data(Self.job.utf8)).report(from: "gitlab")
    #expect(report.jobID.rawValue == "gitlab-123.2")
    #expect(report.repository.qualifiedName == "gitlab:group/project")
    #expect(report.status == "queued")
    #expect(report.action == "queued")
    #expect(report.conclusion == nil)
    #expect(report.run?.headRepositoryID == 7)
    #expect(report.definition?.definition?.images == ["alpine:3", "postgres:16"])
    #expect(report.labels == ["Docker", "linux"])
  }

  @Test(
    "what no job can be is refused with its place",
    arguments: [
      (#""id":123"#, #""id":0"#, "id is 0: expected 1 or more"),
      (#""name":"build""#, #""name":"""#, "name has 0 bytes: expected 1 to 500"),
      (#""commit":"abc""#, #""commit":"a\u001bc""#, "commit holds a control character"),
      (#""labels":["Docker","linux"]"#, #""labels":["a,b"]"#, "a label holds a comma, which none may"),
      (#""name":"group/project""#, #""name":"group|project""#, "repository.name holds a |, which no name may"),
      (#""transition":"123/pending""#, #""transition":"""#, "transition has 0 bytes: expected 1 to 200"),
    ])
  func impossible(part: String, other: String, fault: String) throws {
    let job = try JSONDecoder.plugin.decode(SourceJob.self, from: Data(Self.job.replacing(part, with: other).utf8))
    #expect(throws: SourceJobFault(description: fault)) { try job.report(from: "gitlab") }
  }

  @Test("jobs are stored before the plugin is answered, each change once, and read again as what they were") func events() async throws {
    let scene = try await Scene()
    let service = scene.adapter.service(for: Self.manifest)
    let other = Self.job.replacing("\"id\":123", with: "\"id\":-1").replacing("123/pending", with: "bad")
    let message = Data(#"{"jobs":[\#(Self.job),\#(other),{"id":"text"}]}"#.utf8)
    let answer = try JSONDecoder().decode(
      JSONValue.self, from: try await service.answer("source/events", parameters: message, from: "gitlab"))
    guard case .array(let refused)? = answer["refused"] else { return #expect(Bool(false), "nothing was refused: \(answer)") }
    #expect(refused.count == 2)
    _ = try await service.answer("source/events", parameters: Data(#"{"jobs":[\#(Self.job)]}"#.utf8), from: "gitlab")
    let stored = try await scene.store.pendingDeliveries(limit: 9)
    #expect(stored.map(\.delivery.transition) == ["gitlab:123/pending"])
    let event = try SourceDeliveryDecoder(github: NoDecoder()).decode(try #require(stored.first?.delivery))
    guard case .job(let report) = event else { return #expect(Bool(false), "no job: \(event)") }
    #expect(report.jobID.rawValue == "gitlab-123.2")
  }

  @Test("two plugins that use the same words for a change are not mistaken for each other") func sameWords() async throws {
    let scene = try await Scene()
    for name in ["gitlab", "gitlab-2"] {
      var manifest = Self.manifest
      manifest.name = name
      _ = try await scene.adapter.service(for: manifest).answer(
        "source/events", parameters: Data(#"{"jobs":[\#(Self.job)]}"#.utf8), from: name)
    }
    #expect(try await scene.store.pendingDeliveries(limit: 9).count == 2)
  }

  @Test("jobs need their ability, and other requests are not known") func abilities() async throws {
    let scene = try await Scene()
    var manifest = Self.manifest
    manifest.abilities = []
    let service = scene.adapter.service(for: manifest)
    await #expect(throws: PluginError.refused(.forbidden, "handing in jobs needs the ability `jobs` in plugin.yaml")) {
      try await service.answer("source/events", parameters: Data(#"{"jobs":[]}"#.utf8), from: "gitlab")
    }
    await #expect(throws: PluginError.self) { try await service.answer("source/else", parameters: Data("{}".utf8), from: "gitlab") }
  }

  @Test("a delivery of another event is GitHub's to read, and a broken one is malformed") func decoding() throws {
    let decoder = SourceDeliveryDecoder(github: NoDecoder())
    let broken = Delivery(guid: "1", hookID: "gitlab", event: "source", body: Data("{".utf8), receivedAt: .distantPast)
    #expect(throws: MalformedDelivery.self) { try decoder.decode(broken) }
    let other = Delivery(guid: "1", hookID: "1", event: "workflow_job", body: Data(), receivedAt: .distantPast)
    #expect(try decoder.decode(other) == .ignored(reason: "GitHub's"))
  }

  // MARK: Runners

  @Test("a registration becomes files of the runner's home, and a script that is the command") func register() async throws {
    let scene = try await Scene { _ throws(PluginError) in
      Data(
        #"{"id":41,"files":[{"path":"gitlab/config.toml","contents":"c2VjcmV0","mode":384}],"command":["./it's","--x"],"environment":{"A":"b'c"}}"#
          .utf8)
    }
    let registration = try await scene.forge.register(
      RunnerRequest(name: "rh-1", jobClass: Self.jobClass, repository: "group/project", installationID: nil, job: try Self.known()))
    #expect(registration.runnerID == 41)
    let files = Dictionary(uniqueKeysWithValues: registration.files.map { ($0.path, $0) })
    #expect(files["gitlab/config.toml"] == RunnerFile(path: "gitlab/config.toml", contents: Data("secret".utf8), mode: 0o600))
    #expect(
      files[".runnerhub/environment"]
        == RunnerFile(path: ".runnerhub/environment", contents: Data("export A='b'\\''c'\n".utf8), mode: 0o600))
    let script = try #require(files["run.sh"])
    #expect(script.mode == 0o755)
    #expect(String(decoding: script.contents, as: UTF8.self).hasSuffix("exec './it'\\''s' '--x'\n"))
    let asked = try scene.parameters(0)
    #expect(scene.connection.calls[0].method == "source/register")
    #expect(asked["scope"] == .string("group/project"))
    #expect(asked["job"]?["labels"] == .array([.string("Docker"), .string("linux")]))
  }

  @Test(
    "what no runner may have is refused",
    arguments: [
      (#"{"id":1,"files":[],"command":[]}"#, "names no command"),
      (#"{"id":1,"files":[{"path":"run.sh","contents":"","mode":1}],"command":["x"]}"#, "a file of the host's own: run.sh"),
      (#"{"id":1,"files":[{"path":".runnerhub-go","contents":"","mode":1}],"command":["x"]}"#, "a file of the host's own: .runnerhub-go"),
      (#"{"id":1,"files":[{"path":"x","contents":"","mode":2541}],"command":["x"]}"#, "mode 4755 of x is more than permissions"),
      (#"{"id":1,"files":[],"command":["x"],"environment":{"A B":"c"}}"#, "'A B' is no name of an environment variable"),
      (#"{"id":1,"files":[],"command":["a\u0000b"]}"#, "holds a zero byte"),
    ])
  func wrongRunner(result: String, fault: String) async throws {
    let scene = try await Scene { _ throws(PluginError) in Data(result.utf8) }
    let error = await #expect(throws: ForgeError.self) {
      try await scene.forge.register(
        RunnerRequest(name: "rh-1", jobClass: Self.jobClass, repository: "group/project", installationID: nil))
    }
    guard case .invalid(let why)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
    #expect(why.contains(fault), "\(why)")
  }

  @Test("a name that is taken is freed and taken again, unless its runner works") func taken() async throws {
    for (outcome, isFreed) in [("removed", true), ("busy", false)] {
      let tries = Mutex(0)
      let scene = try await Scene { call throws(PluginError) in
        if call.method == "source/remove" { return Data(#"{"outcome":"\#(outcome)"}"#.utf8) }
        let isFirst = tries.withLock { tries in
          tries += 1
          return tries == 1
        }
        if isFirst { throw .refused(.alreadyExists, "rh-1 is there") }
        return Data(#"{"id":2,"files":[],"command":["x"]}"#.utf8)
      }
      let request = RunnerRequest(name: "rh-1", jobClass: Self.jobClass, repository: "group/project", installationID: nil)
      if isFreed {
        #expect(try await scene.forge.register(request).runnerID == 2)
        #expect(scene.connection.calls.map(\.method) == ["source/register", "source/remove", "source/register"])
      } else {
        await #expect(throws: ForgeError.self) { try await scene.forge.register(request) }
      }
    }
  }

  // MARK: Other calls

  @Test("a status is told with the platform's own number of the job, and its handle comes back") func publish() async throws {
    let scene = try await Scene { _ throws(PluginError) in Data(#"{"handle":"h1"}"#.utf8) }
    var update = StatusUpdate(
      jobID: JobID(source: "gitlab", forgeID: 123, attempt: 2), repository: "group/project", installationID: nil, headSHA: "abc",
      name: "RunnerHub / build", status: .completed, conclusion: .success, title: "Success", summary: "", detailsURL: nil, startedAt: nil,
      completedAt: nil, source: "gitlab")
    #expect(try await scene.forge.publish(update, handle: nil) == "h1")
    update.title = "again"
    _ = try await scene.forge.publish(update, handle: "h1")
    #expect(try scene.parameters(0)["job"]?["id"] == .integer(123))
    #expect(try scene.parameters(0)["conclusion"] == .string("success"))
    #expect(try scene.parameters(0)["handle"] == nil)
    #expect(try scene.parameters(1)["handle"] == .string("h1"))
  }

  @Test("a job, all that are open, and the end of a run are asked for by numbers and names of the platform") func asked() async throws {
    let scene = try await Scene { call throws(PluginError) in
      switch call.method {
      case "source/job": Data(#"{"job":\#(Self.job)}"#.utf8)
      case "source/open": Data(#"{"jobs":[\#(Self.job),{"id":0}]}"#.utf8)
      default: Data("{}".utf8)
      }
    }
    let project = Repository(id: 7, fullName: "group/project", isPrivate: true, defaultBranch: nil, source: "gitlab")
    #expect(try await scene.forge.job(id: 123, repository: project, installationID: nil).jobID.rawValue == "gitlab-123.2")
    #expect(try await scene.forge.source("gitlab").openJobs().count == 1)
    try await scene.forge.cancelRun(id: 9, repository: project, installationID: nil)
    #expect(try scene.parameters(0) == .object(["id": .integer(123), "repository": .string("group/project")]))
    #expect(try scene.parameters(2) == .object(["run": .integer(9), "repository": .string("group/project")]))
  }

  @Test(
    "answers of a plugin are those of a forge",
    arguments: [
      (PluginError.refused(.notFound, "x"), "not found"), (.refused(.forbidden, "x"), "not allowed"),
      (.refused(.failed, "x"), "refused as invalid"),
      (.refused(.unavailable, "x"), "no answer"), (.notRunning("x"), "no answer"), (.malformed("x"), "no answer"),
      (.throttled("x", after: .seconds(7)), "throttled until"),
    ] as [(PluginError, String)])
  func errors(error: PluginError, words: String) async throws {
    let scene = try await Scene { _ throws(PluginError) in throw error }
    let project = Repository(id: 7, fullName: "group/project", isPrivate: true, defaultBranch: nil, source: "gitlab")
    let found = await #expect(throws: ForgeError.self) { try await scene.forge.job(id: 1, repository: project, installationID: nil) }
    #expect(found?.description.hasPrefix(words) == true, "\(String(describing: found))")
    if case .throttled(let until, _)? = found { #expect(until == scene.now.addingTimeInterval(7)) }
  }

  @Test("a plugin that does not answer in time is left alone for a while, so that no loop waits for it again and again") func silent()
    async throws
  {
    let scene = try await Scene { _ throws(PluginError) in throw .timedOut("source/job") }
    let project = Repository(id: 7, fullName: "group/project", isPrivate: true, defaultBranch: nil, source: "gitlab")
    for _ in 0..<3 { await #expect(throws: ForgeError.self) { try await scene.forge.job(id: 1, repository: project, installationID: nil) } }
    #expect(scene.connection.calls.count == 1)
  }

  @Test("a source that is removed is not there any more") func removed() async throws {
    let scene = try await Scene()
    #expect(scene.forge.sources == ["gitlab"])
    await scene.adapter.removed("gitlab")
    #expect(scene.forge.sources.isEmpty)
    #expect(throws: ForgeError.self) { try scene.forge.source("gitlab") }
  }

  // MARK: Webhooks

  @Test("a webhook is what its plugin says of it") func webhooks() async throws {
    let scene = try await Scene { call throws(PluginError) in
      let body = try? JSONDecoder().decode(JSONValue.self, from: call.parameters)["body"]
      switch body {
      case .string("good"): return Data(#"{"accepted":true,"jobs":[\#(Self.job)]}"#.utf8)
      case .string("other"): return Data(#"{"accepted":true}"#.utf8)
      case .string("forged"): return Data(#"{"accepted":false,"reason":"wrong token"}"#.utf8)
      case .string("odd"): throw .refused(.invalid, "no JSON")
      default: throw .notRunning("it starts")
      }
    }
    func take(_ body: String, _ source: String = "gitlab") async throws(SourceMessageRefusal) -> [Delivery] {
      try await scene.adapter.deliveries(
        of: SourceMessage(headers: ["x-gitlab-token": "t"], body: Data(body.utf8), receivedAt: scene.now), to: source)
    }
    #expect(try await take("good").map(\.transition) == ["gitlab:123/pending"])
    #expect(try await take("other").isEmpty)
    await #expect(throws: SourceMessageRefusal.notAccepted("wrong token")) { try await take("forged") }
    await #expect(throws: SourceMessageRefusal.malformed("no JSON")) { try await take("odd") }
    await #expect(throws: SourceMessageRefusal.unavailable("the plugin is not running: it starts")) { try await take("else") }
    await #expect(throws: SourceMessageRefusal.unknownSource) { try await take("good", "jenkins") }
    #expect(try scene.parameters(0)["headers"] == .object(["x-gitlab-token": .string("t")]))
  }
}

extension JSONDecoder {
  /// As messages of plugins are read.
  static var plugin: JSONDecoder { PluginJSON.decoder }
}

private struct NoDecoder: DeliveryDecoder {
  func decode(_ delivery: Delivery) throws(MalformedDelivery) -> ForgeEvent { .ignored(reason: "GitHub's") }
}

/// A GitHub that nobody may ask here.
private struct NoForge: Forge, JobSearch {
  private static let refusal = ForgeError.invalid("GitHub was asked")
  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration { throw Self.refusal }
  func removeRunner(id: Int64, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError) -> RunnerRemoval {
    throw Self.refusal
  }
  func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval { throw Self.refusal }
  func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport { throw Self.refusal }
  func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String { throw Self.refusal }
  func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport { throw Self.refusal }
  func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) { throw Self.refusal }
  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String { throw Self.refusal }
  func runs(_ status: OpenRunStatus, of repository: String, installationID: Int64?) async throws(ForgeError) -> [RunReport] {
    throw Self.refusal
  }
  func jobs(ofRun id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> [JobReport] { throw Self.refusal }
  func repositories(of organization: String) async throws(ForgeError) -> [Repository] { throw Self.refusal }
}
