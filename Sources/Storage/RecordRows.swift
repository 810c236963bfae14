package import Domain
import Foundation
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

extension SQLiteStore: ForgeMemory {
  package func value(forKey key: String) async throws(StoreError) -> String? {
    try await read { db in try db.row("SELECT value FROM memory WHERE key = ?", [key])?.read("value", "memory of \(key)") }
  }
}

extension DecisionRecord {
  fileprivate init(row: Row) throws {
    let id: Int64 = try row.read("id", "a row of decisions")
    let place = "decision \(id)"
    let jobID: String? = try row.readOptional("job_id", place)
    self.init(
      kind: try row.read("kind", place), jobID: jobID.map(JobID.init(rawValue:)), pool: try row.readOptional("pool", place),
      output: try row.read("output", place), reason: try row.read("reason", place), bundle: try row.read("bundle", place),
      fallbackCause: try row.readOptional("fallback_cause", place), microseconds: try row.read("microseconds", place),
      at: try row.readTime("at", place))
  }

  func insert(in db: Database) throws {
    try db.run(
      """
      INSERT INTO decisions (kind, job_id, pool, output, reason, bundle, fallback_cause, microseconds, at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        kind, jobID?.rawValue, pool, output, reason, bundle, fallbackCause, microseconds, Timestamp.text(at),
      ])
  }
}
