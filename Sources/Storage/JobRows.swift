package import Domain
package import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: JobReader {
  package func job(_ id: JobID) async throws(StoreError) -> Job? {
    if let newest = jobs.newest(id) { return newest }
    return try await read { [cache = jobs] db in
      try db.value(cache, "SELECT id, version, metadata FROM orchestrator_jobs WHERE id = ?", [id.rawValue])
    }
  }

  package func jobs(in states: Set<JobState>, limit: Int) async throws(StoreError) -> [Job] {
    if states.isEmpty { return [] }
    let sql = Self.jobsByState(count: states.count)
    let words = states.map(\.rawValue).sorted()
    return try await read { [cache = jobs] db in
      try db.values(cache, sql, words + [max(0, limit)])
    }
  }

  /// One arm a state, each in the order of its index, so that SQLite merges them and stops at the limit.
  static func jobsByState(count: Int) -> String {
    let arm = "SELECT id, version, metadata, received_at FROM orchestrator_jobs WHERE status = ?"
    return Array(repeating: arm, count: count).joined(separator: " UNION ALL ") + " ORDER BY received_at, id LIMIT ?"
  }

  package func jobs(in states: Set<JobState>, receivedBefore: Date, after job: Job?, limit: Int) async throws(StoreError) -> [Job] {
    if states.isEmpty { return [] }
    let sql = Self.jobsByStateAndTime(count: states.count)
    let place: [String] = [
      Timestamp.text(receivedBefore), job.map { Timestamp.text($0.receivedAt) } ?? "", job?.id.rawValue ?? "",
    ]
    let arguments = states.map(\.rawValue).sorted().flatMap { [$0] + place }
    return try await read { [cache = jobs, limit = max(0, limit)] db in
      try db.values(cache, sql, arguments + [limit])
    }
  }

  /// The same as `jobsByState`, between two times.
  static func jobsByStateAndTime(count: Int) -> String {
    let arm = """
      SELECT id, version, metadata, received_at FROM orchestrator_jobs
      WHERE status = ? AND received_at < ? AND (received_at, id) > (?, ?)
      """
    return Array(repeating: arm, count: count).joined(separator: " UNION ALL ") + " ORDER BY received_at, id LIMIT ?"
  }

  package func jobs(ofRun runID: Int64, attempt: Int, source: String?) async throws(StoreError) -> [Job] {
    let ofAllSources: [Job] = try await read { [cache = jobs] db in
      try db.values(
        cache, "SELECT id, version, metadata FROM orchestrator_jobs WHERE run_id = ? AND run_attempt = ? ORDER BY id", [runID, attempt])
    }
    return ofAllSources.filter { $0.source == source }
  }

  package func recentJobs(limit: Int) async throws(StoreError) -> [Job] {
    try await read { [cache = jobs] db in
      try db.values(
        cache, "SELECT id, version, metadata FROM orchestrator_jobs ORDER BY received_at DESC, id DESC LIMIT ?", [max(0, limit)])
    }
  }

  package func jobCounts() async throws(StoreError) -> [JobState: Int] {
    try await read { db in try db.counts(of: "jobs") }
  }

  package func queue(heads: Int) async throws(StoreError) -> [ClassQueue] {
    try await read { [cache = jobs] db in try Queue.classes(heads: heads, cache, in: db) }
  }

  package func refusedJobsForHook(limit: Int) async throws(StoreError) -> [Job] {
    try await read { [cache = jobs] db in try db.values(cache, Self.refusedJobs, [max(0, limit)]) }
  }

  static let refusedJobs = """
    SELECT id, version, metadata FROM orchestrator_jobs WHERE status = 'refused' AND refusal_action = 'failByHook'
    ORDER BY received_at, id LIMIT ?
    """

  package func waits(since: Date) async throws(StoreError) -> [Double] {
    try await read { db in
      try db.rows(
        "SELECT wait_seconds FROM orchestrator_jobs WHERE started_at >= ? AND wait_seconds IS NOT NULL", [Timestamp.text(since)]
      ).map { try $0.read("wait_seconds", "a row of orchestrator_jobs") }
    }
  }

  package func newestJobs(byRepositorySince since: Date, limit: Int) async throws(StoreError) -> [Job] {
    try await read { [cache = jobs] db in
      try db.values(cache, Self.newestOfRepositories, [Timestamp.text(since), max(0, limit)])
    }
  }

  /// From one repository to the next by `jobs_by_repository`, each time to its end: the cost is that of repositories, not of jobs.
  /// The large column is read only of the rows that were chosen.
  static let newestOfRepositories = """
    WITH RECURSIVE
      repositories (name) AS (
        SELECT min(repository) FROM orchestrator_jobs
        UNION ALL
        SELECT (SELECT min(repository) FROM orchestrator_jobs WHERE repository > repositories.name) FROM repositories
        WHERE name IS NOT NULL
      ),
      newest (name, at) AS (
        SELECT name, (SELECT max(received_at) FROM orchestrator_jobs WHERE repository = repositories.name) FROM repositories
        WHERE name IS NOT NULL
      ),
      chosen (id, at) AS MATERIALIZED (
        SELECT (SELECT max(id) FROM orchestrator_jobs WHERE repository = newest.name AND received_at = newest.at), at FROM newest
        WHERE at >= ? ORDER BY 2 DESC, 1 DESC LIMIT ?
      )
    SELECT jobs.id, jobs.version, jobs.metadata FROM chosen CROSS JOIN orchestrator_jobs AS jobs ON jobs.id = chosen.id
    ORDER BY chosen.at DESC, chosen.id DESC
    """
}

extension Job {
  /// Inserts or updates the row if its version is that of the value. Returns the job as stored.
  func stored(in db: Database) throws -> Job {
    var new = self
    let (next, isOver) = version.addingReportingOverflow(1)
    guard version >= 0, !isOver else { throw StoreError.conflict("job \(id)") }
    new.version = next
    let need = estimate?.resources
    // A job that is left to others is not put off until its run is known.
    let isFork = state == .forwarded ? mayBeFromFork : isFromFork
    let values: [(any DatabaseValueConvertible)?] = [
      repository.qualifiedName, workflow ?? "", state.rawValue, Timestamp.text(createdAt), startedAt.map(Timestamp.text),
      completedAt.map(Timestamp.text), containerID?.rawValue, try RowCoding.json(new), next, Timestamp.text(receivedAt), runID, runAttempt,
      refusalAction?.rawValue, queueSeconds, jobClass?.key, orderKey ?? (queuedAt ?? createdAt).timeIntervalSince1970,
      isFork ? 1 : 0,
      need?.milliCPUs, need?.memory.bytes, need?.disk.bytes, need?.gpus,
    ]
    if version == 0 {
      try db.run(
        """
        INSERT INTO orchestrator_jobs (
          repository, workflow, status, created_at, started_at, completed_at, container_id, metadata, version, received_at, run_id,
          run_attempt, refusal_action, wait_seconds, class_key, order_key, is_fork, milli_cpus, memory_bytes, disk_bytes, gpus, id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING
        """, values + [id.rawValue])
    } else {
      try db.run(
        """
        UPDATE orchestrator_jobs SET
          repository = ?, workflow = ?, status = ?, created_at = ?, started_at = ?, completed_at = ?, container_id = ?, metadata = ?,
          version = ?, received_at = ?, run_id = ?, run_attempt = ?, refusal_action = ?, wait_seconds = ?, class_key = ?, order_key = ?,
          is_fork = ?, milli_cpus = ?, memory_bytes = ?, disk_bytes = ?, gpus = ?
        WHERE id = ? AND version = ?
        """, values + [id.rawValue, version])
    }
    if db.changesCount == 0 { throw StoreError.conflict("job \(id)") }
    try storeOutcome(in: db)
    return new
  }

  /// Seconds from queued to started, where both are known.
  private var queueSeconds: Double? {
    guard let queuedAt, let startedAt else { return nil }
    return startedAt.timeIntervalSince(queuedAt)
  }
}
