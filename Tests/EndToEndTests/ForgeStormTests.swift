import Emulator
import Foundation
import GRDB
import Testing

@Suite("GitHub under all faults at once", .serialized) struct ForgeStormTests {
  /// What a job of the storm does, by its number.
  private static func script(_ number: Int) -> String { number % 5 == 0 ? "exit 3" : "echo \(number)" }

  @Test("thirty jobs in a storm of faults end once each, as written, and leave nothing behind", .timeLimit(.minutes(5)))
  func storm() async throws {
    var plan = House.Plan()
    (plan.maximum, plan.warm, plan.labels) = (4, 2, "self-hosted, linux, ubuntu-latest, stealable")
    plan.rateLimits = RateLimits(content: [.init(10, per: 3)], registrations: [.init(4, per: 2)])
    try await House.run(plan) { house in
      let some = FaultPlan.Strikes.probability(0.12)
      let rare = FaultPlan.Strikes.probability(0.06)
      let storm = FaultPlan(
        seed: 20_261_126,
        webhooks: [
          .init(.lose, strikes: some), .init(.double, strikes: some), .init(.delay(1.5), strikes: some), .init(.reorder, strikes: some),
        ],
        requests: [
          .init(.failBefore(503), strikes: rare), .init(.failAfter(502), strikes: rare), .init(.cutBefore, strikes: rare),
          .init(.cutAfter, strikes: rare),
        ], vanishing: .init(after: 0.5, strikes: .probability(0.15)))
      await house.github.inject(storm)
      await house.github.hire(.init(name: "thief", labels: ["self-hosted", "linux", "stealable"]))
      for group in 0..<10 {
        let jobs = (1...3).map { (name: "job-\(group * 3 + $0)", script: Self.script(group * 3 + $0)) }
        // The thief's jobs all succeed: it gets some of those that are to.
        let kept = jobs.filter { $0.script.hasPrefix("exit") }
        let open = jobs.filter { !$0.script.hasPrefix("exit") }
        try await house.push(
          House.workflow(open, labels: group % 3 == 0 ? "self-hosted, linux, stealable" : "self-hosted, linux"), to: "acme/open-\(group)")
        if !kept.isEmpty {
          try await house.push(House.workflow(kept, labels: "self-hosted, linux, ubuntu-latest"), to: "acme/kept-\(group)")
        }
        if group == 5 {
          var cut = storm
          cut.unreachable = 3
          cut.seed += 1
          await house.github.inject(cut)
        }
      }
      try await eventually("the end of all jobs, here and there", within: .seconds(200)) {
        let jobs = await house.jobs()
        guard jobs.count == 30, jobs.allSatisfy({ $0["status"].string == "completed" }) else { return false }
        return try house.rows("SELECT count(*) AS n FROM orchestrator_jobs WHERE status NOT IN ('completed', 'cancelled')").first?["n"] == 0
      }
      for kind in Strike.Kind.allCases { await house.expectStruck(kind) }
      for job in await house.jobs() {
        let number = try #require((job["name"].string?.split(separator: "-").last).flatMap { Int($0) })
        #expect(job["conclusion"].string == (Self.script(number).hasPrefix("exit") ? "failure" : "success"), "\(job)")
      }
      // Then the sun shines: what is owed arrives.
      await house.github.limit(to: nil)
      await house.github.inject(FaultPlan())
      let allowed = await house.jobs().filter { $0["runner_name"].string != "thief" }
      try await eventually("an empty outbox", within: .seconds(90)) { try house.rows("SELECT count(*) AS n FROM outbox").first?["n"] == 0 }
      let statuses = await house.ledger("statuses")
      var reported = 0
      for job in allowed {
        // One that began and ended unheard, on a runner that was made for another job, is known too late or not at all.
        let row = try house.row(of: job["id"].int ?? 0)
        let route = try row.map { try JSON(parsing: Data(($0["metadata"] as String).utf8))["route"].string } ?? nil
        guard route == "orchestrator" else { continue }
        reported += 1
        let told = statuses.first { $0["context"].string == "RunnerHub / \(job["name"].string ?? "")" }
        #expect(told?["state"].string == job["conclusion"].string, "\(job) \(told ?? .null)")
      }
      #expect(reported * 2 >= allowed.count, "\(reported) of \(allowed.count)")
      try await house.expectWellEnded()
    }
  }
}
