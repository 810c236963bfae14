import Domain
import Foundation
import JSON
import Plugins
import RunnerHub
import Storage
import Testing

/// Jobs of other CI platforms, their whole way: emulated platform → webhook or poll → the real plugin → the core → process engine → a stand-in for the
/// platform's runner → the platform sees the end → the job has its conclusion here, and the platform was told.
@Suite("Jobs of other CI platforms", .serialized, .timeLimit(.minutes(2)))
struct SourceWayTests {
  struct Platform: Sendable, CustomTestStringConvertible {
    /// Of plugin, source and pool.
    var name: String
    var emulator: String
    /// Labels that the platform's jobs have for RunnerHub.
    var labels: Labels
    var configuration: @Sendable (String) -> [String: JSONValue]
    var testDescription: String { name }
  }

  static let platforms = [
    Platform(name: "gitlab", emulator: "gitlab.py", labels: ["linux"]) { url in
      [
        "url": .string(url), "token": .string("glpat-emulated"), "webhook-token": .string("s3cret"),
        "projects": .array([.string("acme/shop")]),
        "runner": .string("./gitlab-runner"), "wait-seconds": .integer(20),
      ]
    },
    Platform(name: "jenkins", emulator: "jenkins.py", labels: ["linux"]) { url in
      [
        "url": .string(url), "user": .string("runnerhub"), "token": .string("11emulated"), "labels": .array([.string("linux")]),
        "command": .array([.string("./agent")]),
      ]
    },
    Platform(name: "azure-devops", emulator: "azure_devops.py", labels: ["linux", "runnerhub"]) { url in
      ["url": .string(url), "token": .string("pat-emulated"), "webhook-password": .string("s3cret"), "pool": .string("RunnerHub")]
    },
  ]

  private func run(
    _ platform: Platform, poll: Double, _ body: @Sendable @escaping (SourceHub, PlatformEmulator) async throws -> Void
  ) async throws {
    let emulator = PlatformEmulator()
    try await emulator.start(platform.emulator)
    let image = PlatformEmulator.folder.appending(path: "images/\(platform.name)").path(percentEncoded: false)
    let pool = Pool(
      name: platform.name, engine: "process", image: image, labels: platform.labels,
      resources: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1), disk: ByteCount(gibibytes: 1)), minimum: 0, maximum: 3,
      warm: 1,
      source: platform.name)
    var configuration = platform.configuration(await emulator.url)
    configuration["poll-seconds"] = .number(poll)
    try await SourceHub.run(platform.name, configuration: .object(configuration), pool: pool) { hub in
      try await hub.eventually("the start of the plugin") { hub.forge.sources == [platform.name] }
      try await emulator.call("hook", ["url": .string(hub.webhooks), "token": .string("s3cret")])
      try await body(hub, emulator)
    }
    try await emulator.end()
  }

  @Test("a job is found, run, ended and reported", arguments: platforms) func way(_ platform: Platform) async throws {
    try await run(platform, poll: 0.3) { hub, emulator in
      // The first news of each is lost, or comes twice.
      try await emulator.call("hook_faults", ["faults": .array(["lose", "double", "ok", "lose"].map { .string($0) })])
      let good = try await emulator.queue("echo it runs in $PWD")
      let bad = try await emulator.queue("exit 3")
      for (id, conclusion) in [(good, Conclusion.success), (bad, .failure)] {
        try await hub.eventually("the end of job \(id)") { try await hub.job(id, of: platform.name)?.state == .completed }
        let job = try #require(try await hub.job(id, of: platform.name))
        #expect(job.conclusion == conclusion)
        #expect(job.ranOn == .orchestrator)
        #expect(job.tries == 0)
        #expect(job.pool == platform.name)
      }
      // The registrations are taken back, and the platform was told.
      try await hub.eventually("the release of everything") { try await hub.store.activeAssignments().isEmpty }
      try await hub.eventually("the report of everything") { try await hub.store.effectCount() == 0 }
      let state = try await emulator.call("state")
      #expect(state["runners"] == .array([]))
      let seen = try #require(state["jobs"]?["\(good)"])
      #expect(["success", "SUCCESS", "succeeded"].contains(seen["status"]?.string), "\(seen)")
      #expect(seen["trace"]?.string?.contains("it runs in ") == true, "\(seen)")
      let told = "\(state["statuses"] ?? .null) \(seen["description"] ?? .null)"
      #expect(told.contains("Success"), "\(told)")
      // A job whose first news was lost may have been taken by the other's runner before it had a class.
      #expect(try await hub.job(good, of: platform.name)?.source == platform.name)
    }
  }

  @Test("jobs wait for a plugin that was disabled: no webhook told of them, so they are searched for; the next comes by webhook")
  func disabled() async throws {
    try await run(Self.platforms[0], poll: 3600) { hub, emulator in
      _ = try await hub.plugins.fulfil(.disable, of: "gitlab")
      try await hub.eventually("the end of the plugin") { hub.forge.sources.isEmpty }
      let missed = try await emulator.queue("true")
      _ = try await hub.plugins.fulfil(.enable, of: "gitlab")
      try await hub.eventually("the end of job \(missed)") { try await hub.job(missed, of: "gitlab")?.state == .completed }
      #expect(try await hub.job(missed, of: "gitlab")?.conclusion == .success)
      let told = try await emulator.queue("true", tags: ["of-no-pool"])
      try await hub.eventually("the webhook of job \(told)") {
        try await hub.store.recentDeliveries(limit: 20).contains { $0.delivery.transition == "gitlab:\(told)/pending" }
      }
      try await hub.eventually("its routing") { try await hub.job(told, of: "gitlab")?.state == .forwarded }
    }
  }
}
