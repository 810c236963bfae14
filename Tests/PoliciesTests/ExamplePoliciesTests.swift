import Domain
import Foundation
import RunnerHub
import Scheduling
import Testing

@testable import Policies

/// A folder of `policies/examples`.
private struct Example: Sendable, CustomTestStringConvertible {
  let name: String
  var folder: String { examplesFolder + "/" + name }
  var testDescription: String { name }
  func engine() throws -> LuaPolicyEngine { LuaPolicyEngine(bundle: try PolicyBundle(folder: folder), builtIn: BuiltInPolicy()) }
}

private let examplesFolder = projectPolicies + "/examples"

@Suite("The examples")
struct ExamplePoliciesTests {
  private static let all = ((try? FileManager.default.contentsOfDirectory(atPath: examplesFolder)) ?? []).sorted()
    .filter { !$0.hasSuffix(".md") }.map(Example.init)

  @Test("are twelve or more")
  func count() { #expect(Self.all.count >= 12) }

  @Test("are fit, tested, and told in their first lines", arguments: all)
  private func fit(example: Example) throws {
    let check = BundleCheck(try PolicyBundle(folder: example.folder))
    #expect(check.summary == nil)
    #expect(check.tests.count >= 4)
    let files = PolicyFile.allCases.filter { !check.missing.contains($0) }
    #expect(!files.isEmpty)
    for file in files {
      let text = try String(contentsOf: URL(filePath: example.folder + "/" + file.fileName), encoding: .utf8)
      #expect(text.hasPrefix("-- ") && text.contains("-- Does:  "))
      #expect(FileManager.default.fileExists(atPath: example.folder + "/" + file.testName))
    }
  }

  /// Each is a bundle of its own, so what it shares is copied; a copy that differs is an old one.
  @Test("have the libraries of policies/lib as they are there", arguments: all)
  private func libraries(example: Example) throws {
    let library = example.folder + "/lib"
    for name in (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? [] {
      let copy = try String(contentsOf: URL(filePath: library + "/" + name), encoding: .utf8)
      #expect(copy == (try String(contentsOf: URL(filePath: projectPolicies + "/lib/" + name), encoding: .utf8)))
    }
  }

  // MARK: In the planner

  private static let linux = Pool(
    name: "linux", engine: "docker", image: "runner:1", labels: ["self-hosted", "linux", "cpu-16"],
    resources: Resources(milliCPUs: 16_000, memory: ByteCount(gibibytes: 64)), minimum: 0, maximum: 4, warm: 0)

  /// What the planner makes of one waiting job.
  private func plan(_ job: Job, pools: [Pool], at now: Date, with engine: any PolicyEngine) -> Plan {
    let queue = ClassQueue(
      jobClass: job.jobClass ?? JobClass(scope: "acme", labels: Labels(job.labels)), count: 1, heads: [job], holdsForkJob: job.isFromFork,
      largest: nil)
    let input = PlanningInput(
      now: now, pools: pools, containers: [], queues: [queue], assignments: [], bound: [],
      limits: PlanningLimits(
        maxConcurrentJobs: 10, containerPoolSize: 10,
        hosts: ["docker": Resources(milliCPUs: 64_000, memory: ByteCount(gibibytes: 256), disk: ByteCount(gibibytes: 500))]),
      strategy: .leastLoaded
    ) { job, candidates in
      let seen = candidates.map {
        PolicyContainer(
          id: "", name: $0.name, pool: $0.pool, engine: $0.engine, image: $0.image, isNew: $0.isNew, labels: $0.labels,
          resources: $0.resources, uses: 0, repository: nil, createdAt: nil, idleSince: nil)
      }
      let verdict = engine.place(PolicyJob(job), candidates: seen, now: now)
      #expect(verdict.fallbackCause == nil)
      return Affinity(scores: verdict.value.candidates.map { .init(points: $0.score, reason: $0.reason) }, strategy: verdict.value.strategy)
    }
    return Planner.plan(input)
  }

  private func job(_ labels: [String], at time: Date) -> Job {
    var job = Job(
      id: JobID(rawValue: "1"), forgeID: 1, runID: 1, runAttempt: 1,
      repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: true, defaultBranch: "main"), name: "build", labels: labels,
      headSHA: "abc", state: .queued, createdAt: time, receivedAt: time)
    job.queuedAt = time
    return job
  }

  @Test("big jobs wait by day with the reason, and get their place at night")
  func night() throws {
    let engine = try Example(name: "big-jobs-at-night").engine()
    let noon = Date(timeIntervalSince1970: 1_736_164_800)  // Monday, 12:00 UTC
    var big = job(["self-hosted", "linux", "cpu-16"], at: noon)
    big.estimate = Estimate(resources: Resources(milliCPUs: 16_000, memory: ByteCount(gibibytes: 2)), sources: ["label cpu-16"])
    let waiting = plan(big, pools: [Self.linux], at: noon, with: engine)
    #expect(waiting.bindings.isEmpty)
    #expect(waiting.waiting.first?.reason == "affinity left out all 1 places: big (16 CPUs): waits for the night")
    #expect(plan(big, pools: [Self.linux], at: noon + 8 * 3600, with: engine).bindings.count == 1)
  }

  @Test("a fork's job gets the isolated pool, though another one would take it")
  func forks() throws {
    var open = Self.linux
    open.acceptsForks = true
    var isolated = open
    isolated.name = "forks"
    var fork = job(["self-hosted", "linux"], at: PolicySamples.now)
    fork.run = RunContext(event: "pull_request", path: nil, headRepositoryID: 2, actor: nil)
    let engine = try Example(name: "fork-isolation").engine()
    #expect(plan(fork, pools: [open, isolated], at: PolicySamples.now, with: engine).bindings.map(\.pool) == ["forks"])
    var own = fork
    own.run?.headRepositoryID = 1
    #expect(plan(own, pools: [open, isolated], at: PolicySamples.now, with: engine).bindings.map(\.pool) == ["linux"])
  }

  @Test("the cheapest pool is taken, and the next one when it is full")
  func spot() throws {
    var spot = Self.linux
    spot.name = "spot"
    let engine = try Example(name: "spot-first").engine()
    let build = job(["self-hosted", "linux"], at: PolicySamples.now)
    #expect(plan(build, pools: [Self.linux, spot], at: PolicySamples.now, with: engine).bindings.map(\.pool) == ["spot"])
    spot.maximum = 0
    #expect(plan(build, pools: [Self.linux, spot], at: PolicySamples.now, with: engine).bindings.map(\.pool) == ["linux"])
  }

  // MARK: Local time

  static let zones = [
    ("Europe/Berlin", "hours = 1, summer = 'eu'"), ("Europe/London", "hours = 0, summer = 'eu'"),
    ("America/New_York", "hours = -5, summer = 'us'"), ("Australia/Sydney", "hours = 10, summer = 'au'"), ("Asia/Kolkata", "hours = 5.5"),
    ("UTC", ""),
  ]

  @Test("local time is the calendar's, for every rule of summer time", arguments: zones)
  func zone(name: String, zone: String) throws {
    let source = """
      local schedule = require("lib.schedule")
      local routing = { api = 1 }
      function routing.route(job, fleet)
        local here = schedule.at(fleet.clock, { \(zone) })
        return "traditional", ("%d-%d-%d %d:%d %d"):format(here.year, here.month, here.day, here.hour, here.minute, here.weekday)
      end
      return routing
      """
    let library = try Data(contentsOf: URL(filePath: projectPolicies + "/lib/schedule.lua"))
    let engine = LuaPolicyEngine(
      bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8), "lib/schedule.lua": Array(library)]), builtIn: BuiltInPolicy())
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: name))
    // Every 23 hours and 17 minutes of four years from 2024 on: the rules are today's.
    for step in 0..<1500 {
      let now = Date(timeIntervalSince1970: 1_704_067_200 + Double(step) * 83_820)
      var fleet = PolicySamples.fleet
      fleet.now = now
      let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .weekday], from: now)
      let weekday = ((parts.weekday ?? 0) + 5) % 7 + 1
      let wanted =
        "\(parts.year ?? 0)-\(parts.month ?? 0)-\(parts.day ?? 0) \(parts.hour ?? 0):\(parts.minute ?? 0) \(weekday)"
      let verdict = engine.route(PolicySamples.job, fleet: fleet)
      #expect(verdict.reason == wanted)
      if verdict.reason != wanted { break }
    }
  }
}
