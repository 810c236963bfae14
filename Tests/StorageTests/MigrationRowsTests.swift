import Domain
import Foundation
import GRDB
import RunnerHub
import Testing

@testable import Storage

@Suite("Outcomes of jobs by side")
struct MigrationRowsTests {
  private static func job(_ id: Int64, _ change: (inout Job) -> Void) -> Job {
    let at = Date(timeIntervalSince1970: 1_777_000_000 + Double(id))
    var job = Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: 1, runAttempt: 1,
      repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: false, defaultBranch: nil), workflow: "CI", name: "build",
      labels: ["Linux", "self-hosted", "linux"], headSHA: "abc", createdAt: at, receivedAt: at)
    (job.route, job.routeReason, job.queuedAt) = (.orchestrator, "label linux", at)
    change(&job)
    return job
  }

  private static let jobs = [
    job(1) { $0.state = .queued },
    job(2) {
      ($0.state, $0.conclusion, $0.runnerName, $0.assignment) = (.completed, .timedOut, "rh-1", AssignmentID(rawValue: "rh-1"))
      ($0.startedAt, $0.completedAt) = ($0.receivedAt.addingTimeInterval(1.5), $0.receivedAt.addingTimeInterval(4))
    },
    job(3) { ($0.state, $0.conclusion, $0.runnerName) = (.completed, .success, "old-1") },
    job(4) { ($0.state, $0.refusal) = (.cancelled, "an image is not approved") },
    job(5) { $0.state = .failed },
    job(6) { ($0.state, $0.route, $0.queuedAt, $0.workflow, $0.labels) = (.forwarded, .traditional, nil, nil, []) },
    job(7) { ($0.state, $0.conclusion) = (.cancelled, .cancelled) },
    job(8) { $0.route = nil },
  ]

  private static let columns =
    "job_id, received_at, side, cause, reason, repository, workflow, labels, outcome, runner, wait_seconds, run_seconds"

  @Test("rows of before are made as they would be written now, but for their cause, and a damaged job does not stand in the way")
  func backfill() async throws {
    let store = try SQLiteStore()
    var changes = Changes()
    changes.jobs = Self.jobs
    try await store.commit(changes, at: .deliveriesApplied)
    let step = try #require(Migration.all.first { $0.name == "outcomes of jobs by side" })
    let insert = try #require(step.sql.range(of: "INSERT INTO job_outcomes"))
    // The table has one column more than it had then.
    let backfill = String(step.sql[insert.lowerBound...]).replacing(
      "INSERT INTO job_outcomes", with: "INSERT INTO job_outcomes (\(Self.columns))")
    let names = try #require(Migration.all.first { $0.name == "earlier runs of a job" })
    let update = try #require(names.sql.range(of: "UPDATE job_outcomes")), index = try #require(names.sql.range(of: "CREATE INDEX"))
    let naming = String(names.sql[update.lowerBound..<index.lowerBound])
    let (written, made) = try await store.write { db in
      let written = try Self.rows(db)
      try db.execute(sql: "DELETE FROM job_outcomes; UPDATE orchestrator_jobs SET metadata = 'garbage' WHERE id = '8'")
      try db.execute(sql: backfill)
      try db.execute(sql: naming)
      return (written, try Self.rows(db))
    }
    #expect(written.count == 7)
    #expect(made == written)
  }

  /// Without causes. Texts and whole milliseconds: JSON's seconds are not exact.
  private static func rows(_ db: Database) throws -> [[String]] {
    try Row.fetchAll(db, sql: "SELECT * FROM job_outcomes ORDER BY job_id").map { row in
      row.columnNames.filter { $0 != "cause" }.map { name in
        let value: DatabaseValue = row[name]
        return if case .double(let seconds) = value.storage { "\(name) \((seconds * 1000).rounded())" } else { "\(name) \(value)" }
      }
    }
  }

  @Test("a report over 100,000 jobs reads no wide row")
  func cost() async throws {
    let store = try SQLiteStore()
    try await store.write { db in
      try db.execute(
        sql: """
          WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
          INSERT INTO job_outcomes (\(Self.columns), name)
          SELECT 'j' || n, '2026-04-24T03:06:40.000Z', CASE n % 3 WHEN 0 THEN 'traditional' ELSE 'orchestrator' END, 'policy', 'why ' || (n % 50),
            'acme/r' || (n % 200), 'CI', 'linux,self-hosted', 'succeeded', 'r' || (n % 400), n % 97, n % 601,
            'build ' || (n % 10)
          FROM numbers
          """)
    }
    let clock = ContinuousClock()
    let start = clock.now
    let rows = try await store.migrationRows(by: .repository, since: .distantPast, limit: 500)
    print("a report over 100,000 jobs by 200 repositories: \(clock.now - start)")
    #expect(rows.count == 200 && rows.reduce(0) { $0 + $1.jobs } == 100_000)
    #expect(rows.first?.orchestrator.waitP95 != nil)
    let lineage = JobLineage(repository: "acme/r7", workflow: "CI", name: "build 7")
    #expect(try await store.earlierRuns(of: lineage, limit: 100).count == 100)
    let search = try await store.read { db in
      try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + SQLiteStore.earlierRuns, arguments: ["a", "b", "c", 5]).map {
        $0["detail"] as String
      }
    }
    #expect(search.count == 1 && search.allSatisfy { $0.contains("COVERING INDEX job_outcomes_by_job") }, "\(search)")
    for sql in [SQLiteStore.counts(by: "repository"), SQLiteStore.percentiles(of: "wait_seconds", by: "repository")] {
      let plan = try await store.read { db in
        try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: ["a", 5]).map { $0["detail"] as String }
      }
      #expect(plan.contains { $0.contains("job_outcomes") } && !plan.contains { $0.contains("orchestrator_jobs") }, "\(plan)")
    }
  }
}
