import Emulator
import Foundation
import GRDB
import Testing

extension House {
  /// A workflow of jobs, each with its one script.
  static func workflow(_ jobs: [(name: String, script: String)], labels: String = "self-hosted, linux") -> [String: String] {
    let text = jobs.map { "  \($0.name):\n    runs-on: [\(labels)]\n    steps:\n      - run: \($0.script)\n" }.joined()
    return [".github/workflows/ci.yml": "on: push\njobs:\n" + text]
  }

  /// One job that passes and one that fails.
  static let pair: [(name: String, script: String)] = [("passes", "echo fine"), ("fails", "exit 3")]

  /// Both ended once and as written, nothing is owed, and after a stop nothing is left.
  func expectPairWell(_ location: SourceLocation = #_sourceLocation) async throws {
    try await allEnded(2, within: .seconds(60))
    #expect(await job("passes")["conclusion"].string == "success", sourceLocation: location)
    #expect(await job("fails")["conclusion"].string == "failure", sourceLocation: location)
    try await expectWellEnded(location)
  }

  func expectWellEnded(_ location: SourceLocation = #_sourceLocation) async throws {
    await github.inject(FaultPlan())
    await expectEachEndedOnce(location)
    try await allReported()
    #expect(try await hub.stop() == 0, sourceLocation: location)
    try await expectNothingLeft(location)
  }

  /// A fault that never struck proves nothing.
  func expectStruck(_ kind: Strike.Kind, atLeast count: Int = 1, _ location: SourceLocation = #_sourceLocation) async {
    let struck = await github.strikes(of: kind)
    #expect(struck >= count, "\(kind) struck \(struck) times", sourceLocation: location)
  }
}

@Suite("GitHub under fault, one fault at a time", .serialized) struct ForgeFaultTests {
  @Test(
    "a job of which some events are lost ends once all the same",
    arguments: [["queued"], ["in_progress"], ["completed"], ["in_progress", "completed"], ["queued", "in_progress", "completed"]])
  func lost(actions: [String]) async throws {
    try await House.run() { house in
      // Runs are not told of either: RunnerHub never hears of the repository.
      let faults = actions.map { FaultPlan.WebhookFault(.lose, event: "workflow_job", action: $0) } + [.init(.lose, event: "workflow_run")]
      await house.github.inject(FaultPlan(webhooks: faults))
      try await house.push(House.workflow(House.pair), to: "acme/unheard")
      try await house.expectPairWell()
      await house.expectStruck(.lost, atLeast: 2 + 2 * actions.count)
    }
  }

  @Test(
    "doubled, late and reordered events end each job once",
    arguments: [(FaultPlan.WebhookFault(.double), Strike.Kind.doubled), (.init(.delay(1.5)), .late), (.init(.reorder), .reordered)])
  func disturbed(fault: FaultPlan.WebhookFault, kind: Strike.Kind) async throws {
    try await House.run() { house in
      await house.github.inject(FaultPlan(webhooks: [fault]))
      try await house.push(House.workflow(House.pair))
      try await house.expectPairWell()
      await house.expectStruck(kind, atLeast: 6)
    }
  }

  @Test(
    "registrations and results arrive though calls fail before or after their effect, or get no answer",
    arguments: [
      (FaultPlan.RequestFault.Kind.failBefore(503), Strike.Kind.failedBefore), (.failAfter(502), .failedAfter), (.cutBefore, .cutBefore),
      (.cutAfter, .cutAfter),
    ])
  func brokenCalls(fault: FaultPlan.RequestFault.Kind, kind: Strike.Kind) async throws {
    var plan = House.Plan()
    plan.usesApp = true
    try await House.run(plan) { house in
      await house.github.inject(
        FaultPlan(requests: [
          .init(fault, path: "/generate-jitconfig", strikes: .next(3)), .init(fault, path: "/check-runs", strikes: .next(3)),
          .init(fault, method: "GET", path: "/actions/runs", strikes: .next(2)),
        ]))
      try await house.push(House.workflow(House.pair))
      try await house.expectPairWell()
      await house.expectStruck(kind, atLeast: 7)
      // Each job has one check run, and it tells its end.
      let checks = await house.ledger("check_runs")
      #expect(checks.count == 2 && checks.allSatisfy { $0["status"].string == "completed" }, "\(checks)")
    }
  }

  @Test("while no result may be written jobs run and end, and their results arrive once GitHub takes them again")
  func contentRefused() async throws {
    var plan = House.Plan()
    plan.rateLimits = RateLimits(content: [.init(0, per: 3)])
    try await House.run(plan) { house in
      try await house.push(House.workflow(House.pair))
      try await house.allEnded(2)
      await house.expectStruck(.rateLimited)
      #expect(await house.ledger("statuses").isEmpty)
      await house.github.limit(to: .gitHub)
      try await house.allReported()
      let last = await house.ledger("statuses").reduce(into: [String: String]()) { newest, status in
        let context = status["context"].string ?? ""
        if newest[context] == nil { newest[context] = status["state"].string }
      }
      #expect(last == ["RunnerHub / passes": "success", "RunnerHub / fails": "failure"])
      try await house.expectWellEnded()
    }
  }

  @Test("at GitHub's limits registrations, results and calls wait their time, and each job ends once")
  func rateLimits() async throws {
    var plan = House.Plan()
    plan.rateLimits = RateLimits(
      core: .init(40, per: 6), registration: .init(4, per: 5), content: [.init(3, per: 2), .init(8, per: 5)],
      registrations: [.init(2, per: 2)])
    try await House.run(plan) { house in
      let jobs = (1...8).map { (name: "job-\($0)", script: "echo \($0)") }
      try await house.push(House.workflow(jobs))
      try await house.allEnded(8, within: .seconds(90))
      #expect(await house.jobs().allSatisfy { $0["conclusion"].string == "success" })
      let refused = await house.ledger("faults").filter { $0["kind"].string == Strike.Kind.rateLimited.rawValue }
      for path in ["generate-jitconfig", "statuses"] {
        #expect(refused.contains { $0["what"].string?.contains(path) == true }, "\(path) in \(refused)")
      }
      try await eventually("an empty outbox", within: .seconds(60)) {
        try house.rows("SELECT count(*) AS n FROM outbox").first?["n"] == 0
      }
      let ends = await house.ledger("statuses").filter { $0["state"].string == "success" }
      #expect(Set(ends.compactMap { $0["context"].string }).count == 8)
      await house.github.limit(to: nil)
      try await house.expectWellEnded()
    }
  }

  @Test("a registration that vanishes while idle is replaced, and is no failed try of the job's")
  func vanished() async throws {
    var plan = House.Plan()
    // One failed try would give the job up.
    plan.set("orchestrator.max-tries", "1")
    try await House.run(plan) { house in
      await house.github.inject(FaultPlan(vanishing: .init(after: 0.5, strikes: .next(2))))
      try await house.push(House.workflow(House.pair))
      try await house.expectPairWell()
      await house.expectStruck(.vanished, atLeast: 2)
      let registrations = await house.ledger("registrations")
      #expect(registrations.count { $0["fate"].string == "vanished" } == 2 && registrations.count == 4, "\(registrations)")
      for name in ["passes", "fails"] {
        let row = try #require(try house.row(of: await house.job(name)["id"].int ?? 0))
        #expect(try JSON(parsing: Data((row["metadata"] as String).utf8))["tries"].int == 0)
      }
    }
  }

  @Test("a job that another runner takes frees its container, after its registration is deleted, for the next job")
  func stolen() async throws {
    var plan = House.Plan()
    (plan.maximum, plan.warm) = (1, 1)
    try await House.run(plan) { house in
      // The thief is known only after the job has got a runner of ours.
      await house.github.inject(
        FaultPlan(webhooks: ["in_progress", "completed"].map { .init(.delay(4), event: "workflow_job", action: $0, strikes: .next(1)) }))
      await house.github.hire(.init(name: "thief", labels: ["self-hosted", "linux"]))
      try await house.push(House.workflow([("stolen", "exit 1")]))
      try await eventually("a runner of ours is connected") {
        await house.ledger("registrations").contains { $0["state"].string == "online" }
      }
      try await eventually("the thief is done") { await house.job("stolen")["conclusion"].string == "success" }
      try await house.github.dismiss("thief")
      // Until then the next job of the class would be given to that runner, which is as well.
      try await eventually("its registration is deleted") {
        await house.ledger("registrations").contains { $0["fate"].string == "deleted" }
      }
      try await house.push(House.workflow([("kept", "echo kept")]), to: "acme/next")
      try await house.allEnded(2)
      #expect(await house.job("stolen")["runner_name"].string == "thief")
      #expect(await house.job("kept")["conclusion"].string == "success")
      #expect(await house.job("kept")["runner_name"].string?.hasPrefix("rh-") == true)
      let registrations = await house.ledger("registrations")
      let kept = await house.job("kept")["id"].int ?? 0
      #expect(Set(registrations.map { $0["fate"].string }) == ["deleted", "ran job \(kept)"])
      await house.expectStruck(.stolen)
      try await house.expectWellEnded()
    }
  }

  @Test("what happens while GitHub cannot be reached is found afterwards")
  func unreachable() async throws {
    try await House.run() { house in
      let gate = house.hub.folder.appending(path: "gate").path(percentEncoded: false)
      try await house.push(House.workflow([("during", "while [ ! -e '\(gate)' ]; do sleep 0.05; done")]), to: "acme/during")
      try await eventually("it runs") { await house.job("during")["status"].string == "in_progress" }
      await house.github.inject(FaultPlan(unreachable: 5))
      try await house.push(House.workflow(House.pair))
      try Data().write(to: URL(filePath: gate))
      try await house.allEnded(3, within: .seconds(60))
      await house.expectStruck(.unreachable, atLeast: 4)
      #expect(await house.job("during")["conclusion"].string == "success")
      #expect(await house.job("passes")["conclusion"].string == "success")
      #expect(await house.job("fails")["conclusion"].string == "failure")
      try await house.expectWellEnded()
    }
  }

  @Test("what GitHub told while RunnerHub was down is found at its next start")
  func down() async throws {
    var plan = House.Plan()
    // Its first search must do, at its start.
    plan.set("github.sweep-interval", "3600")
    try await House.run(plan) { house in
      let gate = house.hub.folder.appending(path: "gate").path(percentEncoded: false)
      try await house.push(House.workflow([("before", "while [ ! -e '\(gate)' ]; do sleep 0.05; done")]), to: "acme/before")
      try await eventually("it runs") { try house.row(of: await house.job("before")["id"].int ?? 0)?["status"] == "running" }
      await house.hub.signal(SIGKILL)
      _ = try await house.hub.exit()
      try Data().write(to: URL(filePath: gate))
      try await eventually("it has ended") { await house.job("before")["status"].string == "completed" }
      try await house.push(House.workflow(House.pair), to: "acme/unheard")
      try await eventually("its events were not taken") {
        let deliveries = await house.ledger("deliveries")
        return deliveries.count { $0["status_code"].int == 0 && $0["status"].string == "failed to connect to host" } >= 4
      }
      try await house.hub.serve()
      try await house.allEnded(3, within: .seconds(60))
      #expect(await house.job("before")["conclusion"].string == "success")
      #expect(await house.job("passes")["conclusion"].string == "success")
      #expect(await house.job("fails")["conclusion"].string == "failure")
      try await house.expectWellEnded()
    }
  }
}
