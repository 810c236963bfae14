import Emulator
import Foundation
import GRDB
import Glibc
import NIOHTTP1
import RunnerHub
import Testing

/// `serve` is killed at every failpoint, one death after the other in a few houses, and started again each time.
@Suite("Death at every failpoint", .serialized) struct FailpointTests {
  typealias Step = Failpoint.Step

  /// The way of ordinary jobs, in an order in which what one death leaves is what the next one needs.
  private static let ordinary: [Step] = [
    .commit(.installationNamed), .commit(.policyChanged), .commit(.deliveryStored), .commit(.deliveriesApplied), .call(.run), .call(.file),
    .commit(.jobDecided),
    .commit(.planMade), .commit(.decisionsForgotten), .commit(.alertsForgotten), .call(.create), .call(.start), .commit(.containerMade),
    .call(.register),
    .commit(.runnerRegistered),
    .call(.removeRunner), .commit(.startFailed), .call(.put), .commit(.runnerStarted),
    .call(.appendLog), .commit(.healthJudged), .call(.publish), .commit(.statusesSettled), .call(.recycle), .commit(.assignmentReleased),
    .call(.remove), .commit(.containerEnded), .commit(.idleDrained),
  ]
  /// One label may stand for several moments of a job's way: the second `put` is the marker, and deliveries tell of its whole life.
  private static let laterHits =
    orders([.call(.put), .call(.register), .commit(.assignmentReleased)], hit: 2)
    + (2...6).flatMap { orders([.commit(.deliveriesApplied)], hit: $0) }
    + (2...3).flatMap { orders([.commit(.planMade), .call(.publish), .commit(.statusesSettled)], hit: $0) }
  private static let lostNews: [Step] = [.call(.job), .commit(.jobRefreshed)]
  private static let refusals: [Step] = [.call(.cancelRun), .commit(.cancellationSettled), .commit(.refusalOverdue)]
  private static let forbidden: [Step] = [.commit(.cancellationForbidden)]
  private static let losses: [Step] = [
    .commit(.poolScaled), .commit(.containerWarmed), .commit(.warmingFailed), .commit(.containerLost), .commit(.lossNoted),
    .commit(.deliverySetAside),
  ]
  private static let searches: [Step] = [
    .call(.searchRepositories), .call(.searchRuns), .call(.searchJobs), .commit(.jobFound),
  ]
  private static let migration: [Step] = [.commit(.jobsFellBack), .commit(.migrationJudged)]
  private static let alerts: [Step] = [.commit(.alertsChanged), .call(.notify), .commit(.notificationSettled)]
  private static let wishes: [Step] = [.commit(.pluginSteered), .commit(.fleetSteered)]
  private static let lateAnswers: [Step] = [.call(.removeRunnerNamed)]
  /// No step of the core changes limits yet. The first that does makes this list wrong.
  private static let unused: [Step] = [.call(.update)]

  /// Without searches, so that what is lost is found in one way only: the one that a test means.
  private static var plan: House.Plan {
    var plan = House.Plan()
    plan.set("github.sweep-interval", "0")
    return plan
  }

  /// Before and after each step.
  private static func orders(_ steps: [Step], hit: Int = 1) -> [FailpointOrder] {
    steps.flatMap { step in Failpoint.Moment.allCases.map { FailpointOrder(Failpoint(step, $0), hit: hit) } }
  }

  @Test("every failpoint of the catalogue has its place in one of these tests")
  func complete() {
    let tried =
      Self.ordinary + Self.lostNews + Self.refusals + Self.forbidden + Self.losses + Self.searches + Self.lateAnswers + Self.migration
      + Self.wishes + Self.alerts + Self.unused
    #expect(tried.map(\.name).sorted() == Step.allCases.map(\.name).sorted())
  }

  @Test(
    "on the way of jobs that succeed, fail, are cancelled, belong to others, and follow each other in a container", .timeLimit(.minutes(5)))
  func ordinaryJobs() async throws {
    var plan = Self.plan
    (plan.usesApp, plan.isServed, plan.reuse) = (true, false, 2)
    plan.set("orchestrator.reconcile-after", "1")
    plan.set("decisions.maximum", "3")
    plan.github = { $0.traditionalRunners = [.init(name: "old-1", labels: ["windows"])] }
    try await House.run(plan) { house in
      // An event that tells of a run spares the question, and which of both comes first is chance.
      await house.github.inject(FaultPlan(webhooks: [.init(.lose, event: "workflow_run")]))
      let line = CrashLine(house)
      for order in Self.orders(Self.ordinary) + Self.laterHits {
        try await line.die(at: order) { line in
          guard order.failpoint.step == .commit(.idleDrained) else { return try await line.keepBusy(4) }
          try await eventually("an idle container, and nothing to do") {
            let isIdle = try !house.rows("SELECT id FROM container_registry WHERE status = 'READY'").isEmpty
            let isDone = await line.openJobs == 0
            return isIdle && isDone
          }
          await house.hub.signal(SIGTERM)
        }
      }
      try await line.end()
    }
  }

  @Test("where the news of a job's end was lost with the process", .timeLimit(.minutes(2)))
  func newsLost() async throws {
    var plan = Self.plan
    plan.reuse = 2
    plan.set("orchestrator.reconcile-after", "1")
    try await House.run(plan) { house in
      let line = CrashLine(house)
      let gate = house.hub.folder.appending(path: "gate")
      try await line.push(.held("held", by: gate))
      try await eventually("the job runs here too") { try house.row(of: await house.job("held")["id"].int ?? 0)?["status"] == "running" }
      try await line.kill()
      try Data().write(to: gate)
      try await eventually("the job has ended, and the news of it met nobody") {
        let isLost = await house.ledger("deliveries").contains {
          $0["event"].string == "workflow_job" && $0["action"].string == "completed" && !["pending", "OK"].contains($0["status"].string)
        }
        let isCompleted = await house.job("held")["status"].string == "completed"
        return isCompleted && isLost
      }
      for order in Self.orders(Self.lostNews) { try await line.die(at: order, redelivering: false) }
      // What GitHub could not deliver stays lost.
      try await line.end(redelivering: [])
    }
  }

  @Test("while a refusal is carried out, though GitHub does not heed the cancellation", .timeLimit(.minutes(2)))
  func refused() async throws {
    var plan = Self.plan
    plan.pool = ["images: [ghcr.io/acme/*]"]
    plan.set("orchestrator.ask-again-after", "1")
    plan.isServed = false
    plan.github = { $0.heedsCancellations = false }
    try await House.run(plan) { house in
      let line = CrashLine(house)
      let orders = Self.orders(Self.refusals)
      for (index, order) in orders.enumerated() {
        try await line.die(at: order) { line in
          if index == 0 { try await line.push(.forbidden("forbidden")) }
        }
      }
      try await line.end()
    }
  }

  @Test("where a run may not be cancelled", .timeLimit(.minutes(2)))
  func notAllowed() async throws {
    var plan = Self.plan
    plan.permissions["actions"] = "read"
    plan.pool = ["images: [ghcr.io/acme/*]"]
    plan.isServed = false
    try await House.run(plan) { house in
      let line = CrashLine(house)
      for (index, order) in Self.orders(Self.forbidden).enumerated() {
        try await line.die(at: order) { line in
          if index == 0 { try await line.push(.forbidden("forbidden"), .success("allowed")) }
        }
      }
      try await line.end()
    }
  }

  @Test("where containers cannot be made or are lost, and where a row is damaged", .timeLimit(.minutes(3)))
  func lost() async throws {
    var plan = Self.plan
    (plan.maximum, plan.isServed) = (2, false)
    plan.pools = ["broken: { image: /nonexistent/runner, labels: [broken], maximum: 1, warm: 1 }"]
    plan.github = { $0.runnerLostAfter = .seconds(8) }
    try await House.run(plan) { house in
      let line = CrashLine(house)
      // A pool that is empty grows at once.
      for order in Self.orders([.commit(.poolScaled), .commit(.containerWarmed), .commit(.warmingFailed)]) {
        try await line.die(at: order)
      }
      for order in Self.orders([.commit(.containerLost)]) {
        try await line.die(at: order) { line in
          // After the first death the container is lost already.
          guard order.failpoint.moment == .before else { return }
          try await eventually("an idle container") {
            try !house.rows("SELECT id FROM container_registry WHERE status = 'READY'").isEmpty
          }
          try await line.engine.kill(nil)
        }
      }
      for order in Self.orders([.commit(.lossNoted)]) {
        try await line.die(at: order) { line in
          guard order.failpoint.moment == .before else { return }
          try await line.push(.endless("lost", conclusion: "failure"))
          var container: String?
          try await eventually("the job runs here too") {
            container = try house.rows("SELECT container_id FROM orchestrator_jobs WHERE status = 'running'").first?["container_id"]
            return container != nil
          }
          try await line.engine.lose(try #require(container))
        }
      }
      try await house.hub.serve()
      let example = try await house.takeExample()
      try await line.kill()
      // While nobody remembers what was committed.
      try house.damage(example)
      for order in Self.orders([.commit(.deliverySetAside)]) {
        try await line.die(at: order) { _ in
          guard order.failpoint.moment == .before else { return }
          try await house.postNews(of: example)
        }
      }
      try await line.end()
    }
  }

  @Test("while jobs are searched of which no delivery told", .timeLimit(.minutes(2)))
  func searched() async throws {
    var plan = House.Plan()
    plan.isServed = false
    try await House.run(plan) { house in
      let line = CrashLine(house)
      // Nobody is there to be told.
      try await line.push(.success("unheard-1"), .failure("unheard-2"))
      try await eventually("lost deliveries") {
        await house.ledger("deliveries").allSatisfy { !["pending", "OK"].contains($0["status"].string) }
      }
      for order in Self.orders(Self.searches) { try await line.die(at: order, redelivering: false) }
      try await line.end(redelivering: [])
    }
  }

  @Test(
    "while jobs are left to traditional runners, it is asked whether these are needed no more, and a plugin is disabled",
    .timeLimit(.minutes(2)))
  func migrated() async throws {
    var plan = Self.plan
    (plan.maximum, plan.warm, plan.isServed) = (0, 0, false)
    plan.set("migration.traditional-labels", "[self-hosted, linux]")
    plan.set("migration.fallback-after", "1")
    // It is nowhere, and can be disabled all the same.
    plan.set("plugins.ghost.enabled", "true")
    plan.github = {
      $0.traditionalRunners = [.init(name: "old-1", labels: ["self-hosted", "linux"])]
      $0.traditionalPickup = .seconds(3)
    }
    try await House.run(plan) { house in
      let line = CrashLine(house)
      for (index, order) in Self.orders([.commit(.jobsFellBack)]).enumerated() {
        try await line.die(at: order) { line in
          var work = Work.traditional("left-\(index)")
          work.labels = "[self-hosted, linux]"
          try await line.push(work)
        }
      }
      let asked = Self.orders([.commit(.migrationJudged)]).map { ($0, "/api/v1/migration/complete", "{}") }
      let disabled = Self.orders([.commit(.pluginSteered)]).map { ($0, "/api/v1/plugins/ghost/disable", "{}") }
      let steered = Self.orders([.commit(.fleetSteered)]).map { ($0, "/api/v1/fleet/uncordon", #"{"host": "process"}"#) }
      for (order, path, body) in asked + disabled + steered {
        try await line.die(at: order) { _ in
          let address = try #require(await house.hub.announcement?.administration)
          let headers = [("Content-Type", "application/json"), ("X-RunnerHub-Request", "test")]
          // It dies before it answers.
          do {
            let reply = try await House.send(.POST, address + path, headers: headers, body: Data(body.utf8))
            #expect(reply.status == 0, "\(order) was answered: \(reply.text)")
          } catch {}
        }
      }
      try await line.end()
      let events = try house.rows("SELECT action FROM audit_events").map { $0["action"] as String }
      #expect(Set(events) == ["migration-refused", "plugin-disable", "fleet-uncordon"], "\(events)")
    }
  }

  @Test("while an alert is raised and a plugin tells of it", .timeLimit(.minutes(2)))
  func alerted() async throws {
    let pager = try Pager()
    defer { pager.remove() }
    var plan = Self.plan
    plan.isServed = false
    plan.set("plugins.directory", "\"\(pager.plugins.path(percentEncoded: false))\"")
    plan.set("plugins.pager.grant", "[\"write:\(pager.told.path(percentEncoded: false))\"]")
    plan.set("plugins.pager.configuration", "{ folder: \"\(pager.told.path(percentEncoded: false))\" }")
    try await House.run(plan) { house in
      let line = CrashLine(house)
      let routing = house.hub.folder.appending(path: "policies/routing.lua")
      let good = try Data(contentsOf: routing)
      for (index, order) in Self.orders(Self.alerts).enumerated() {
        try await line.die(at: order) { _ in
          if index == 0 { try Data("this is no Lua".utf8).write(to: routing) }
        }
      }
      let open = "SELECT id FROM alerts WHERE key = 'policies/refused' AND resolved_at IS NULL"
      let id: String = try #require(try house.rows(open).first)["id"]
      try await house.hub.serve()
      try good.write(to: routing)
      try await eventually("its end is told") { try pager.all().contains("\(id) resolved") }
      let told = try pager.all()
      #expect(Set(told) == ["\(id) raised", "\(id) resolved"] && told.last == "\(id) resolved", "\(told)")
      try await eventually("nothing is owed") { try house.rows("SELECT id FROM notifications WHERE status <> 'delivered'").isEmpty }
      #expect(try house.rows("SELECT id FROM alerts").count == 1)
      try await line.kill()
      try await line.end()
    }
  }

  @Test("where a job was cancelled before the answer to its registration came", .timeLimit(.minutes(2)))
  func answerLost() async throws {
    var plan = Self.plan
    plan.github = { $0.registrationLatency = .seconds(4) }
    try await House.run(plan) { house in
      let line = CrashLine(house)
      var work = Work.endless("cancelled", conclusion: "cancelled")
      work.leavesMark = false
      let run = try #require(try await line.push(work).runs.first)
      try await eventually("a registration") { await !house.ledger("registrations").isEmpty }
      try await line.cancel(run: run)
      try await eventually("its release begins") {
        try !house.rows("SELECT id FROM container_assignments WHERE phase = 'releasing'").isEmpty
      }
      try await line.kill()
      for order in Self.orders(Self.lateAnswers) { try await line.die(at: order) }
      try await line.end()
    }
  }
}

extension Work {
  /// Its image is not on the pool's list: a runner's hook fails it before its first step.
  fileprivate static func forbidden(_ name: String) -> Work {
    Work(
      name: name, script: "echo this must not be run", conclusion: "failure", steps: ["uses: docker://docker.io/unknown/tool:latest"],
      leavesMark: false)
  }
}

extension House {
  /// An ended job of GitHub's examples, once it is a row.
  fileprivate func takeExample() async throws -> Example {
    let examples = try Example.all().filter { $0.event == "workflow_job" }
    let completed = try #require(examples.first { $0.name.hasPrefix("completed") })
    #expect(try await post(completed).status == 202)
    let id = try Self.job(of: completed)
    try await eventually("its row") { try row(of: id) != nil }
    return completed
  }

  private static func job(of example: Example) throws -> Int64 {
    try #require(try JSON(parsing: example.body)["workflow_job"]["id"].int)
  }

  /// Makes its row unreadable.
  fileprivate func damage(_ example: Example) throws {
    let id = try Self.job(of: example)
    let queue = try DatabaseQueue(path: hub.database)
    try queue.write { db in
      try db.execute(
        sql: "UPDATE orchestrator_jobs SET metadata = '{}' WHERE json_extract(metadata, '$.forgeID') = ?", arguments: [id])
    }
    try queue.close()
  }

  fileprivate func postNews(of example: Example) async throws {
    var news = try example.mutated {
      $0.merging(["action": "in_progress", "workflow_job": $0["workflow_job"].merging(["status": "in_progress"])])
    }
    news.guid = UUID().uuidString.lowercased()
    // Where the death comes before the answer, there is none.
    do { #expect(try await post(news).status == 202) } catch {}
  }
}
