import Domain
import Foundation
import RunnerHub
import Testing

@testable import Policies

@Suite("A replay")
struct ReplayTests {
  private static let start = PolicySamples.now

  private func engine(_ files: [String: String]) throws -> LuaPolicyEngine {
    LuaPolicyEngine(bundle: try PolicyBundle(files: files.mapValues { Array($0.utf8) }), builtIn: BuiltInPolicy())
  }

  private func routing(_ body: String) -> [String: String] {
    ["routing.lua": "local r = { api = 1 }\nfunction r.route(job)\n\(body)\nend\nreturn r"]
  }

  private func record(_ kind: String, _ id: Int, output: String, pool: String? = nil, after seconds: Double = 0) -> DecisionRecord {
    DecisionRecord(
      kind: kind, jobID: kind == "scaling" ? nil : JobID(rawValue: "\(id)"), pool: pool, output: output, reason: "then", bundle: "built-in",
      fallbackCause: nil, microseconds: 1, at: Self.start + seconds)
  }

  private func line(_ replay: Replay, _ kind: String) -> String? {
    PolicyCommands.replay(replay, seconds: 1).text.split(separator: "\n").first { $0.hasPrefix(kind) }.map(String.init)
  }

  @Test("tells how many jobs would go elsewhere, and what they have in common")
  func routingGroups() throws {
    let engine = try engine(routing("if job.repository == 'acme/search' then return 'orchestrator', 'moved' end return 'traditional'"))
    var replay = Replay(candidate: engine)
    for id in 0..<40 {
      let job = job(labels: ["windows"], repository: id % 4 == 0 ? "acme/search" : "acme/shop\(id)")
      replay.add(record("routing", id, output: "traditional"), job: job, snapshot: FleetSnapshot(fleet: PolicySamples.fleet))
    }
    #expect(line(replay, "routing") == "routing    10 differ (25.0 %): 10 traditional → orchestrator, all repository=acme/search")
    #expect(replay.jobCount == 40)
    let listed = PolicyCommands.replay(replay, seconds: 3.94, showing: "routing")
    #expect(listed.text.hasPrefix("40 jobs replayed in 3.9 s\n"))
    #expect(listed.text.contains("build · acme/search (4): traditional → orchestrator\n  before  then\n  after   moved"))
    #expect(PolicyCommands.replay(replay, seconds: 1, again: "again").text.hasSuffix("examples: again"))
  }

  @Test("a fact that nearly all have is said with its count, and one that others have too is not said")
  func commonFacts() throws {
    var replay = Replay(candidate: try engine(routing("if job.labels:has('a') then return 'orchestrator' end return 'traditional'")))
    for id in 0..<20 {
      let labels = id < 10 ? ["a", id < 9 ? "nightly" : "other"] : ["plain"]
      replay.add(
        record("routing", id, output: "traditional"), job: job(labels: labels), snapshot: FleetSnapshot(fleet: PolicySamples.fleet))
    }
    #expect(line(replay, "routing")?.hasSuffix(": 10 traditional → orchestrator, all label=a") == true)
    var even = Replay(
      candidate: try engine(routing("if job.id == '1' or job.id == '2' then return 'orchestrator' end return 'traditional'")))
    for id in 0..<20 {
      var job = job()
      job.id = JobID(rawValue: "\(id)")
      even.add(record("routing", id, output: "traditional"), job: job, snapshot: FleetSnapshot(fleet: PolicySamples.fleet))
    }
    #expect(line(even, "routing") == "routing    2 differ (10.0 %): 2 traditional → orchestrator")
  }

  @Test("nothing differs under the policies that decided")
  func same() throws {
    let bundle = try PolicyBundle(folder: projectPolicies)
    let then = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
    var replay = Replay(candidate: LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy()))
    for (id, question) in PolicySamples.questions.enumerated() {
      let snapshot = FleetSnapshot(fleet: question.fleet, containers: question.containers)
      replay.add(
        record("routing", id, output: then.route(question.job, fleet: question.fleet).value.rawValue), job: question.job, snapshot: snapshot
      )
      replay.add(
        record("priority", id, output: then.prioritise(question.job, fleet: question.fleet).value.word), job: question.job,
        snapshot: snapshot)
    }
    #expect(replay.differences == [])
    #expect(line(replay, "routing") == "routing    0 of 20 differ")
    #expect(PolicyCommands.replay(replay, seconds: 1).isSuccess)
  }

  @Test("affinity differs where the chosen container is no longer among the best, and is left out where routing differs")
  func affinity() throws {
    let files = [
      "affinity.lua": "local a = { api = 1 }\nfunction a.score(_, c) if c.name == 'b' then return 90, 'best' end return 50 end\nreturn a",
      "routing.lua": "local r = { api = 1 }\nfunction r.route(job) return job.id == '9' and 'traditional' or 'orchestrator' end\nreturn r",
    ]
    var replay = Replay(candidate: try engine(files))
    let containers = ["a", "b"].map { name in
      var container = PolicySamples.container
      container.id = "id-\(name)"
      container.name = name
      return container
    }
    let snapshot = FleetSnapshot(fleet: PolicySamples.fleet, containers: containers)
    func asked(_ id: Int, chosen: String) -> DecisionRecord {
      var record = record("affinity", id, output: chosen, pool: "linux")
      record.candidates = containers.map { .init(id: $0.id, name: $0.name, score: 50, reason: "warm") }
      return record
    }
    var nine = job()
    nine.id = JobID(rawValue: "9")
    replay.add(record("routing", 9, output: "orchestrator"), job: nine, snapshot: snapshot)
    replay.add(asked(9, chosen: "a"), job: nine, snapshot: snapshot)
    replay.add(asked(1, chosen: "a"), job: job(), snapshot: snapshot)
    replay.add(asked(2, chosen: "b"), job: job(), snapshot: snapshot)
    #expect(line(replay, "affinity") == "affinity   1 of 2 differ (1 not comparable: routing differs)")
    let difference = try #require(replay.differences.first { $0.kind == "affinity" })
    #expect(difference.change == "a → b")
    #expect(difference.after.reason == "best")
    #expect(difference.before.reason == "warm")
  }

  @Test("scaling is told as peak and container-hours")
  func scaling() throws {
    var replay = Replay(
      candidate: try engine(["scaling.lua": "local s = { api = 1 }\nfunction s.scale(pool) return pool.pending end\nreturn s"]))
    for (wanted, pending, hour) in [(8, 4, 0.0), (4, 4, 1.0), (0, 0, 2.0)] {
      let fleet = PolicyFleet(now: Self.start, pools: [pool(minimum: 0, idle: 0, busy: 0, pending: pending)], pending: pending, active: 0)
      replay.add(
        record("scaling", 0, output: "\(wanted)", pool: "linux", after: hour * 3600), job: nil, snapshot: FleetSnapshot(fleet: fleet))
    }
    #expect(line(replay, "scaling") == "scaling    pool linux: peak 8 → 4 containers, container-hours −33 %")
    let values = PolicyCommands.replay(replay, seconds: 1).values
    guard case .object(let pools)? = values["pools"], case .object(let linux)? = pools["linux"] else { _ = Issue.record("no pool"); return }
    #expect(linux["container_hours_before"] == .number(12))
    #expect(linux["container_hours_after"] == .number(8))
  }

  @Test("decisions without their input, and policies that break, are told and not counted as equal")
  func gaps() throws {
    var replay = Replay(candidate: try engine(routing("error('no')")))
    replay.add(record("routing", 1, output: "orchestrator"), job: nil, snapshot: FleetSnapshot(fleet: PolicySamples.fleet))
    replay.add(record("routing", 2, output: "orchestrator"), job: job(), snapshot: nil)
    replay.add(record("routing", 3, output: "orchestrator"), job: job(), snapshot: FleetSnapshot(fleet: PolicySamples.fleet))
    let report = PolicyCommands.replay(replay, seconds: 1)
    #expect(!report.isSuccess)
    #expect(report.text.contains("left out   2 decisions whose input is no longer kept"))
    #expect(report.text.contains("broke      once, the built-in rule answered: routing.lua of bundle "))
    #expect(PolicyCommands.replay(Replay(candidate: BuiltInPolicy()), seconds: 0).text == "no decisions are recorded in this time")
  }

  @Test("two bundles are compared with each other, whatever was decided then")
  func against() throws {
    let here = try engine(routing("return 'orchestrator'"))
    var replay = Replay(candidate: here, baseline: try engine(routing("return 'traditional', 'before'")))
    replay.add(record("routing", 1, output: "orchestrator"), job: job(), snapshot: FleetSnapshot(fleet: PolicySamples.fleet))
    #expect(replay.differences.map(\.change) == ["traditional → orchestrator"])
    #expect(replay.differences.first?.before.reason == "before")
  }
}
