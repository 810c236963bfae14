import Domain
package import Foundation
import GRDB
package import RunnerHub

extension Job {
  /// Keeps the narrow row of a job that has a route. What changes between two of its states that no report tells apart is not written.
  func storeOutcome(in db: Database) throws {
    guard let side, state != .assigned, state != .starting else { return }
    try db.run(
      """
      INSERT INTO job_outcomes (
        job_id, received_at, side, cause, reason, repository, workflow, labels, outcome, runner, wait_seconds, run_seconds,
        name)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (job_id) DO UPDATE SET
        side = excluded.side, cause = excluded.cause, reason = excluded.reason, outcome = excluded.outcome, runner = excluded.runner,
        wait_seconds = excluded.wait_seconds, run_seconds = excluded.run_seconds
      """,
      [
        id.rawValue, Timestamp.text(receivedAt), side.rawValue, routeCause?.rawValue ?? "unknown", routeReason ?? "",
        repository.qualifiedName,
        workflow ?? "", Labels(labels).values.joined(separator: ","), outcome.rawValue, runnerName ?? "", waitSeconds, runSeconds,
        name,
      ])
  }
}

extension SQLiteStore: MigrationReader {
  package func migrationRows(
    by grouping: MigrationGrouping, since: Date, limit: Int
  ) async throws(StoreError) -> [MigrationRow] {
    let key = Self.key(of: grouping)
    return try await read { db in
      let arguments: [any DatabaseValueConvertible] = [Timestamp.text(since), max(0, limit)]
      var table = MigrationTable()
      for row in try db.rows(Self.counts(by: key), arguments) { try table.count(row) }
      for row in try db.rows(Self.percentiles(of: "wait_seconds", by: key), arguments) {
        try table.change(row) { side in (side.waitP50, side.waitP95) = try row.readPercentiles() }
      }
      for row in try db.rows(Self.percentiles(of: "run_seconds", by: key), arguments) {
        try table.change(row) { side in (side.runP50, side.runP95) = try row.readPercentiles() }
      }
      return table.rows
    }
  }

  package func traditionalWork(since: Date, limit: Int) async throws(StoreError) -> [TraditionalWork] {
    try await read { db in
      // SQLite takes the bare column from the row of the maximum.
      try db.rows(
        """
        SELECT runner, repository, labels, count(*) AS jobs, sum(outcome = 'open') AS open, job_id, max(received_at) AS last
        FROM job_outcomes WHERE received_at >= ? AND side = 'traditional' AND runner <> ''
        GROUP BY runner, repository, labels ORDER BY last DESC, runner, repository, labels LIMIT ?
        """, [Timestamp.text(since), max(0, limit)]
      ).map { row in
        let place = "a row of job_outcomes"
        return TraditionalWork(
          runner: try row.read("runner", place), repository: try row.read("repository", place), labels: try row.readLabels(place),
          jobs: try row.read("jobs", place), open: try row.read("open", place),
          lastJob: JobID(rawValue: try row.read("job_id", place)), lastAt: try row.readTime("last", place))
      }
    }
  }

  package func workflowDemands(since: Date, limit: Int) async throws(StoreError) -> [WorkflowDemand] {
    try await read { db in
      try db.rows(
        """
        SELECT repository, workflow, labels, count(*) AS jobs, sum(side = 'traditional') AS traditional,
          sum(side = 'traditional' AND outcome = 'open') AS open, sum(side = 'traditional' AND runner LIKE 'GitHub Actions %') AS hosted,
          sum(side = 'traditional' AND runner <> '' AND runner NOT LIKE 'GitHub Actions %') AS self_hosted,
          job_id, max(received_at) AS last
        FROM job_outcomes WHERE received_at >= ?
        GROUP BY repository, workflow, labels ORDER BY jobs DESC, repository, workflow, labels LIMIT ?
        """, [Timestamp.text(since), max(0, limit)]
      ).map { row in
        let place = "a row of job_outcomes"
        return WorkflowDemand(
          repository: try row.read("repository", place), workflow: try row.read("workflow", place), labels: try row.readLabels(place),
          jobs: try row.read("jobs", place), traditional: try row.read("traditional", place), openTraditional: try row.read("open", place),
          hosted: try row.read("hosted", place), selfHosted: try row.read("self_hosted", place),
          newest: JobID(rawValue: try row.read("job_id", place)))
      }
    }
  }

  private static func key(of grouping: MigrationGrouping) -> String {
    switch grouping {
    case .repository: "repository"
    case .workflow: "repository || ' · ' || CASE workflow WHEN '' THEN 'unknown' ELSE workflow END"
    case .label: "labels"
    case .reason: "cause || CASE reason WHEN '' THEN '' ELSE ': ' || reason END"
    case .all: "'all'"
    }
  }

  /// The keys with the most jobs, and the order of the rows.
  private static func top(by key: String) -> String {
    """
    WITH top AS (
      SELECT \(key) AS key, count(*) AS total FROM job_outcomes WHERE received_at >= ?1 GROUP BY 1 ORDER BY total DESC, key LIMIT ?2
    )
    """
  }

  static func counts(by key: String) -> String {
    """
    \(top(by: key)), chosen AS (
      SELECT \(key) AS key, side, outcome, cause, count(*) AS jobs FROM job_outcomes WHERE received_at >= ?1 GROUP BY 1, 2, 3, 4
    )
    SELECT chosen.* FROM top JOIN chosen ON chosen.key = top.key ORDER BY top.total DESC, top.key
    """
  }

  /// By nearest rank.
  static func percentiles(of column: String, by key: String) -> String {
    """
    \(top(by: key)), ranked AS (
      SELECT key, side, seconds, row_number() OVER sides AS place, count(*) OVER (PARTITION BY key, side) AS total
      FROM (SELECT \(key) AS key, side, \(column) AS seconds FROM job_outcomes WHERE received_at >= ?1 AND \(column) IS NOT NULL)
      WINDOW sides AS (PARTITION BY key, side ORDER BY seconds)
    )
    SELECT ranked.key, side, max(CASE WHEN place <= (ranked.total + 1) / 2 THEN seconds END) AS p50,
      max(CASE WHEN place <= (ranked.total * 95 + 99) / 100 THEN seconds END) AS p95
    FROM ranked JOIN top ON top.key = ranked.key GROUP BY ranked.key, side
    """
  }
}

/// Rows of a report as they are filled by several queries, in the order in which they came up first.
private struct MigrationTable {
  private(set) var rows: [MigrationRow] = []
  private var places: [String: Int] = [:]

  mutating func count(_ row: Row) throws {
    let count: Int = try row.read("jobs", "a row of job_outcomes")
    let outcome: String = try row.read("outcome", "a row of job_outcomes")
    let cause: String = try row.read("cause", "a row of job_outcomes")
    let place = try change(row) { side in try side.add(count, outcome) }
    if try row.isOurs() { return }
    rows[place].causes[cause, default: 0] += count
  }

  @discardableResult
  mutating func change(_ row: Row, _ body: (inout SideSummary) throws -> Void) throws -> Int {
    let key: String = try row.read("key", "a row of job_outcomes")
    let place = places[key] ?? rows.count
    if place == rows.count {
      places[key] = place
      rows.append(MigrationRow(key: key))
    }
    if try row.isOurs() { try body(&rows[place].orchestrator) } else { try body(&rows[place].traditional) }
    return place
  }
}

extension SideSummary {
  fileprivate mutating func add(_ count: Int, _ word: String) throws {
    guard let outcome = JobOutcome(rawValue: word) else { throw RowCoding.damage("a row of job_outcomes", "no outcome `\(word)` is known") }
    jobs += count
    switch outcome {
    case .open: open += count
    case .succeeded: succeeded += count
    case .failed: failed += count
    case .cancelled: cancelled += count
    case .refused: refused += count
    }
  }
}

extension Row {
  fileprivate func isOurs() throws -> Bool {
    let side: String = try read("side", "a row of job_outcomes")
    return side == Route.orchestrator.rawValue
  }

  fileprivate func readPercentiles() throws -> (Double?, Double?) {
    (try readOptional("p50", "a row of job_outcomes"), try readOptional("p95", "a row of job_outcomes"))
  }

  fileprivate func readLabels(_ place: String) throws -> Labels {
    let text: String = try read("labels", place)
    return Labels(text.split(separator: ",").map(String.init))
  }
}

extension AuditEvent {
  func insert(in db: Database) throws {
    try db.run(
      "INSERT INTO audit_events (at, actor, action, detail) VALUES (?, ?, ?, ?)", [Timestamp.text(at), actor, action, detail])
  }
}

extension SQLiteStore: AuditReader {
  package func auditEvents(limit: Int) async throws(StoreError) -> [AuditEvent] {
    try await read { db in
      try db.rows("SELECT * FROM audit_events ORDER BY id DESC LIMIT ?", [max(0, limit)]).map { row in
        let place = "a row of audit_events"
        return AuditEvent(
          id: try row.read("id", place), at: try row.readTime("at", place), actor: try row.read("actor", place),
          action: try row.read("action", place), detail: try row.read("detail", place))
      }
    }
  }
}
