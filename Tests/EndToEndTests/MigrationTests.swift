import Domain
import Emulator
import Foundation
import GRDB
import Testing

/// An organisation moves: a traditional runner stands beside RunnerHub, which takes over workflow by workflow.
@Suite("Migration from traditional runners") struct MigrationTests {
  /// Workflows of the canary's half, and others.
  private static let names = (0..<40).map { "Work \($0)" }
  private static let moved = Array(names.filter { StableHash.percent("acme/shop", $0) < 50 }.prefix(3))
  private static let kept = Array(names.filter { StableHash.percent("acme/shop", $0) >= 50 }.prefix(3))
  private static let slow = names.first { StableHash.percent("acme/other", $0) < 50 } ?? ""

  @Test(
    "half of the workflows move by a canary, the report adds up, who waits too long is left to others, complete refuses and then agrees",
    .timeLimit(.minutes(2)))
  func migration() async throws {
    var plan = House.Plan()
    plan.labels = "self-hosted, linux, old"
    plan.routing = "return \"traditional\", \"not yet\""
    plan.pools = ["slow: { labels: [self-hosted, slow], maximum: 0, warm: 0 }"]
    plan.set("migration.traditional-labels", "[self-hosted, old, slow]")
    plan.set("migration.fallback-after", "1")
    plan.github = { $0.traditionalRunners = [.init(name: "old-1", labels: ["self-hosted", "old"])] }
    try await House.run(plan) { house in
      let next = house.hub.folder.appending(path: "next", directoryHint: .isDirectory)
      let policies = house.hub.folder.appending(path: "policies", directoryHint: .isDirectory)
      try FileManager.default.copyItem(at: policies, to: next)
      let routing = next.appending(path: "routing.lua")
      let text = try String(contentsOf: routing, encoding: .utf8)
      try Data(text.replacing("\"traditional\", \"not yet\"", with: "\"orchestrator\", \"its turn\"").utf8).write(to: routing)
      let path = next.path(percentEncoded: false)

      let shadow = try await house.command("policy", "shadow", path, "--json")
      #expect(shadow.status == 0, "\(shadow.output)")
      try await house.pushOne(Self.kept[0], "kept-0", labels: "[self-hosted, old]")
      try await house.allEnded(1)
      let seen = try await house.command("policy", "differences", "--kind", "routing")
      #expect(seen.output.contains("routing: 1 of 1 differ (100.0 %)"), "\(seen.output)")
      #expect(seen.output.contains("1 traditional → orchestrator"), "\(seen.output)")

      #expect(try await house.command("policy", "shadow", "--off").status == 0)
      let canary = try await house.command("policy", "canary", path, "--percent", "50")
      #expect(canary.status == 0 && canary.output.hasPrefix("canary: "), "\(canary.output)")
      // The canary is there after a restart too.
      #expect(try await house.hub.stop() == 0)
      try await house.hub.serve()
      for (index, name) in Self.moved.enumerated() { try await house.pushOne(name, "moved-\(index)", labels: "[self-hosted, linux]") }
      for index in 1...2 { try await house.pushOne(Self.kept[index], "kept-\(index)", labels: "[self-hosted, old]") }
      try await house.allEnded(6)
      for job in await house.jobs() {
        let isOurs = job["name"].string?.hasPrefix("moved") == true
        #expect((job["runner_name"].string == "old-1") != isOurs, "\(job)")
      }

      try await house.pushOne(Self.slow, "slow", labels: "[self-hosted, slow]", to: "acme/other")
      try await eventually("its forwarding") { try house.state(of: "slow") == "forwarded" }
      await house.github.hire(.init(name: "old-2", labels: ["self-hosted", "slow"]))
      try await house.allEnded(7)

      try await Self.expectReport(house)
      try await Self.expectCompletion(house)
    }
  }

  private static func expectReport(_ house: House) async throws {
    let report = try await house.get("/api/v1/migration?by=reason").json
    #expect(report["total"]["orchestrator"]["succeeded"].int == 3, "\(report)")
    #expect(report["total"]["traditional"]["succeeded"].int == 4, "\(report)")
    #expect(report["total"]["causes"]["policy"].int == 3 && report["total"]["causes"]["waited-too-long"].int == 1, "\(report)")
    let rows = report["rows"].array ?? []
    #expect(rows.reduce(0) { $0 + ($1["orchestrator"]["jobs"].int ?? 0) + ($1["traditional"]["jobs"].int ?? 0) } == 7)
    #expect(rows.contains { $0["key"].string?.hasPrefix("waited-too-long: no container within 1 s") == true }, "\(rows)")
    let table = try await house.command("migration", "report", "--by", "workflow", "--since", "1h")
    #expect(table.output.contains("3 of 7 jobs ran here (42 %)"), "\(table.output)")
    let csv = try await house.command("migration", "report", "--by", "label", "--csv")
    #expect(csv.output.hasPrefix("key,side,jobs,open,"), "\(csv.output)")
    let metrics = try await house.get("/metrics").text
    #expect(metrics.contains(#"runnerhub_jobs_routed_total{cause="waited-too-long",route="traditional"} 1"#), "\(metrics)")
    #expect(metrics.contains(#"runnerhub_policy_comparisons_total{kind="routing",outcome="differs",slot="canary"}"#))
  }

  private static func expectCompletion(_ house: House) async throws {
    let refused = try await house.command("migration", "complete")
    #expect(refused.status == 2, "\(refused.output)")
    #expect(refused.output.contains("not yet") && refused.output.contains("no pool offers [self-hosted, slow]"), "\(refused.output)")
    let status = try await house.command("migration", "status")
    #expect(status.output.contains("old-1") && status.output.contains("needed: acme/shop"), "\(status.output)")

    let promoted = try await house.command("policy", "promote", "--note", "all of it")
    #expect(promoted.status == 0, "\(promoted.output)")
    let complete = try await house.command("migration", "complete", "--scope", "acme/shop")
    #expect(complete.status == 0 && complete.output.contains("may be decommissioned:\n  old-1"), "\(complete.output)")
    #expect(!complete.output.contains("old-2"), "\(complete.output)")
    #expect(try await house.command("migration", "complete").status == 2)
    let events = try house.rows("SELECT action FROM audit_events ORDER BY id").map { $0["action"] as String }
    #expect(events == ["migration-refused", "migration-completed", "migration-refused"])
  }
}

extension House {
  /// A workflow of one job. Always in the same file, so that those of before do not run again.
  fileprivate func pushOne(_ workflow: String, _ job: String, labels: String, to repository: String = "acme/shop") async throws {
    var work = Work.success(job)
    work.labels = labels
    let text = Work.workflow([work]).replacing("name: Work\n", with: "name: \(workflow)\n")
    try await push([".github/workflows/work.yml": text], to: repository)
  }

  fileprivate func state(of job: String) throws -> String? {
    try rows("SELECT status FROM orchestrator_jobs WHERE json_extract(metadata, '$.name') = ?", [job]).first?["status"]
  }
}
