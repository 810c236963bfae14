package import Domain
package import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: DecisionReader {
  package func decisions(ofJob id: JobID) async throws(StoreError) -> [DecisionRecord] {
    try await read { db in
      try db.rows("SELECT * FROM decisions WHERE job_id = ? ORDER BY id", [id.rawValue]).map(DecisionRecord.init(row:))
    }
  }

  package func timeline(ofJob id: JobID) async throws(StoreError) -> [TimelineEntry] {
    try await read { db in
      try db.rows("SELECT at, text FROM timeline WHERE job_id = ? ORDER BY at, id", [id.rawValue]).map { row in
        let place = "the timeline of job \(id)"
        return TimelineEntry(jobID: id, at: try row.readTime("at", place), text: try row.read("text", place))
      }
    }
  }

  package func decisionCount() async throws(StoreError) -> Int {
    try await read { db in
      try db.row("SELECT total FROM row_counts WHERE subject = 'decisions'")?.read("total", "row_counts of decisions") ?? 0
    }
  }
}

extension SQLiteStore: DecisionLog {
  /// The sign keeps SQLite from walking the rows by identity to the first one that fits.
  private static let firstDecision = "SELECT MIN(+id) AS first FROM decisions INDEXED BY decisions_by_time WHERE at >= ?"

  package func decisions(since: Date, after id: Int64, limit: Int) async throws(StoreError) -> [(id: Int64, record: DecisionRecord)] {
    try await read { db in
      let time = Timestamp.text(since)
      var start = id
      if id <= 0 {
        // The first page begins where the index by time says, not at the oldest row of all.
        guard let first: Int64 = try db.row(Self.firstDecision, [time])?.readOptional("first", "the first row of decisions") else {
          return []
        }
        start = first - 1
      }
      return try db.rows("SELECT * FROM decisions WHERE id > ? AND at >= ? ORDER BY id LIMIT ?", [start, time, limit])
        .map { row in (try row.read("id", "a row of decisions"), try DecisionRecord(row: row)) }
    }
  }
}

extension SQLiteStore: ForgeMemory {
  package func value(forKey key: String) async throws(StoreError) -> String? {
    try await read { db in try db.row("SELECT value FROM memory WHERE key = ?", [key])?.read("value", "memory of \(key)") }
  }
}

extension DecisionRecord {
  init(row: Row) throws {
    let id: Int64 = try row.read("id", "a row of decisions")
    let place = "decision \(id)"
    let jobID: String? = try row.readOptional("job_id", place)
    self.init(
      kind: try row.read("kind", place), jobID: jobID.map(JobID.init(rawValue:)), pool: try row.readOptional("pool", place),
      output: try row.read("output", place), reason: try row.read("reason", place), bundle: try row.read("bundle", place),
      fallbackCause: try row.readOptional("fallback_cause", place), microseconds: try row.read("microseconds", place),
      at: try row.readTime("at", place))
    guard let json: String = try row.readOptional("detail", place) else { return }
    let detail = try RowCoding.value(DecisionDetail.self, json, of: place)
    (input, snapshot, candidates) = (detail.input, detail.snapshot, detail.candidates ?? [])
    (shadow, isCanary) = (detail.shadow, detail.isCanary ?? false)
  }

  /// What `insert` takes for the column `detail`; nil: there is nothing to hold.
  func encodedDetail() throws(StoreError) -> String? {
    guard let detail = DecisionDetail(self) else { return nil }
    return try RowCoding.json(detail)
  }

  func insert(_ detail: String?, in db: Database) throws {
    try db.run(
      """
      INSERT INTO decisions (
        kind, job_id, pool, output, reason, bundle, fallback_cause, microseconds, at, detail, is_canary, other_bundle, other_output, differs)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        kind, jobID?.rawValue, pool, output, reason, bundle, fallbackCause, microseconds, Timestamp.text(at),
        detail, shadow.map { _ in isCanary ? 1 : 0 }, shadow?.bundle, shadow?.output,
        shadow.map { $0.differs ? 1 : 0 },
      ])
  }
}

/// What the columns of a decision do not hold.
private struct DecisionDetail: Codable {
  var input: String?
  var snapshot: String?
  var candidates: [DecisionRecord.Candidate]?
  var shadow: ShadowVerdict?
  var isCanary: Bool?

  /// nil: there is nothing to hold.
  init?(_ record: DecisionRecord) {
    input = record.input
    snapshot = record.snapshot
    candidates = record.candidates.isEmpty ? nil : record.candidates
    shadow = record.shadow
    isCanary = record.isCanary ? true : nil
    if input == nil, snapshot == nil, candidates == nil, shadow == nil, isCanary == nil { return nil }
  }
}
