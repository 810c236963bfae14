import Domain
import Foundation
import GRDB
import GRDBSQLite
import RunnerHub
import Testing

@testable import Storage

@Suite("The cost of a turn of the planner")
struct QueueCostTests {
  @Test(
    "reading the queue never scans jobs",
    arguments: [
      Queue.heads.replacing("LIMIT ?", with: "LIMIT 4"), Queue.needs.replacing("?1", with: "?"), Queue.waitingClasses,
      Queue.leftNeeds.replacing("?1", with: "?"), Queue.leftRepositories.replacing("?1", with: "?"),
    ])
  func plan(sql: String) async throws {
    let store = try SQLiteStore()
    let plan = try await store.read { db in
      let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
      statement.setUncheckedArguments(StatementArguments(Array(repeating: "a", count: sql.count { $0 == "?" })))
      return try Row.fetchAll(statement).map { $0["detail"] as String }
    }
    #expect(!plan.isEmpty)
    for step in plan where step.contains("orchestrator_jobs") || step.contains("row_counts") {
      #expect(step.hasPrefix("SEARCH"), "\(step)")
    }
    #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
  }

  @Test("a page of unfinished jobs is merged from the index of states, without sorting")
  func statePlan() async throws {
    let store = try SQLiteStore()
    let plan = try await store.read { db in
      try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + SQLiteStore.jobsByState(count: 3), arguments: ["a", "b", "c", 5])
        .map { $0["detail"] as String }
    }
    #expect(plan.count { $0.contains("jobs_by_status") } == 3)
    #expect(!plan.contains { $0.contains("TEMP B-TREE") || $0.hasPrefix("SCAN") }, "\(plan)")
  }

  @Test("a turn over 100,000 waiting jobs takes as many steps of SQLite as one over 1,000")
  func steps() async throws {
    let store = try SQLiteStore()
    try await fill(store, from: 1, to: 1000)
    let small = try await turn(store)
    try await fill(store, from: 1001, to: 100_000)
    let large = try await turn(store)
    let scan = try await steps(store) { db in _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM orchestrator_jobs WHERE gpus IS NULL") }
    let clock = ContinuousClock()
    let start = clock.now
    let queue = try await store.queue(heads: 4)
    let turnTime = clock.now - start
    #expect(queue.map(\.count).reduce(0, +) == 66_667)
    #expect(queue.allSatisfy { $0.left.largest?.milliCPUs == 6 && $0.left.repositories == ["acme/storefront"] })
    print(
      "a turn of the queue: \(small) steps with 1,000 waiting, \(large) with 100,000, a third of them left to others (a scan: \(scan)), \(turnTime)"
    )
    #expect(large <= small + small / 10)
    #expect(scan > 20 * large)
  }

  @Test("the newest job of each of 20 repositories takes as many steps of SQLite among 20,000 jobs as among 1,000, and scans none")
  func newestOfRepositories() async throws {
    let store = try SQLiteStore()
    let sql = SQLiteStore.newestOfRepositories
    let since = Timestamp.text(.distantPast)
    let plan = try await store.read { db in
      try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: [since, 1000]).map { $0["detail"] as String }
    }
    #expect(plan.contains { $0.contains("jobs_by_repository") })
    #expect(!plan.contains { $0.hasPrefix("SCAN orchestrator_jobs") || $0.hasPrefix("SCAN jobs") }, "\(plan)")
    let spread = "UPDATE orchestrator_jobs SET repository = 'acme/r' || (rowid % 20)"
    try await fill(store, from: 1, to: 1000)
    try await store.write { db in try db.execute(sql: spread) }
    let small = try await steps(store) { [cache = store.jobs] db in _ = try db.values(cache, sql, [since, 1000]) }
    try await fill(store, from: 1001, to: 20_000)
    try await store.write { db in try db.execute(sql: spread) }
    let large = try await steps(store) { [cache = store.jobs] db in _ = try db.values(cache, sql, [since, 1000]) }
    #expect(try await store.newestJobs(byRepositorySince: .distantPast, limit: 1000).count == 20)
    #expect(try await store.newestJobs(byRepositorySince: .distantPast, limit: 3).count == 3)
    #expect(large <= small + small / 10, "\(small), \(large)")
  }

  private func turn(_ store: SQLiteStore) async throws -> Int {
    try await steps(store) { [cache = store.jobs] db in _ = try Queue.classes(heads: 4, cache, in: db) }
  }

  /// Steps of SQLite's virtual machine that a closure takes, counted by the progress handler: a measure that no other load changes.
  private func steps(_ store: SQLiteStore, _ work: @escaping @Sendable (Database) throws -> Void) async throws -> Int {
    try await store.read { db in
      let counter = UnsafeMutablePointer<Int>.allocate(capacity: 1)
      counter.initialize(to: 0)
      defer { counter.deallocate() }
      sqlite3_progress_handler(
        db.sqliteConnection, 1,
        { counter in
          counter?.assumingMemoryBound(to: Int.self).pointee += 1
          return 0
        }, counter)
      defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
      try work(db)
      return counter.pointee
    }
  }

  /// Copies of one stored job in ten classes, made by SQLite itself.
  private func fill(_ store: SQLiteStore, from first: Int, to last: Int) async throws {
    if first == 1 {
      var job = Job(
        id: JobID(rawValue: "template"), forgeID: 0, runID: 1, runAttempt: 1,
        repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: false, defaultBranch: nil), name: "build", labels: [],
        headSHA: "abc", createdAt: .distantPast, receivedAt: .distantPast)
      job.jobClass = JobClass(scope: "acme", labels: ["linux"])
      var changes = Changes()
      changes.jobs = [job]
      try await store.commit(changes, at: .deliveriesApplied)
    }
    try await store.write { db in
      try db.execute(
        sql: """
          WITH RECURSIVE numbers (n) AS (VALUES (?) UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
          INSERT INTO orchestrator_jobs (
            id, repository, workflow, status, metadata, version, received_at, run_id, run_attempt, class_key, order_key, is_fork,
            milli_cpus, memory_bytes, disk_bytes, gpus)
          SELECT 'j' || n, repository, workflow, CASE n % 3 WHEN 0 THEN 'forwarded' ELSE 'queued' END, metadata, 1, received_at, run_id, run_attempt, 'class ' || (n % 10), n, 0,
            n % 7, n % 11, n % 13, 0
          FROM numbers JOIN orchestrator_jobs ON id = 'template'
          """, arguments: [first, last])
    }
  }
}
