package import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: OutboxReader {
  package func dueEffects(at now: Date, limit: Int) async throws(StoreError) -> [OutboxEffect] {
    try await read { db in
      try db.rows("SELECT * FROM outbox WHERE due_at <= ? ORDER BY due_at, key LIMIT ?", [Timestamp.text(now), max(0, limit)])
        .map(OutboxEffect.init(row:))
    }
  }

  package func dueEffects(
    _ rank: OutboxEffect.Rank, to source: String?, at now: Date, limit: Int
  ) async throws(StoreError) -> [OutboxEffect] {
    try await read { db in
      try db.rows(
        "SELECT * FROM outbox WHERE rank = ? AND due_at <= ? ORDER BY due_at, key LIMIT ?",
        [rank.column(source), Timestamp.text(now), max(0, limit)]
      ).map(OutboxEffect.init(row:))
    }
  }

  package func nextEffectTime(_ rank: OutboxEffect.Rank, to source: String?) async throws(StoreError) -> Date? {
    try await read { db in
      try db.row("SELECT due_at FROM outbox WHERE rank = ? ORDER BY due_at LIMIT 1", [rank.column(source)]).map {
        try $0.readTime("due_at", "a row of outbox")
      }
    }
  }

  package func nextEffectTime() async throws(StoreError) -> Date? {
    try await read { db in
      try db.row("SELECT due_at FROM outbox ORDER BY due_at LIMIT 1").map { try $0.readTime("due_at", "a row of outbox") }
    }
  }

  package func effectCount() async throws(StoreError) -> Int {
    try await read { db in try db.row("SELECT count(*) AS total FROM outbox")?.read("total", "outbox") ?? 0 }
  }
}

extension OutboxEffect.Rank {
  /// The rank as its column has it, with the source where that is not GitHub: what is owed to one is found past what is owed to another.
  fileprivate func column(_ source: String?) -> String { source.map { "\(rawValue) \($0)" } ?? rawValue }
}

extension OutboxEffect {
  fileprivate init(row: Row) throws {
    let key: String = try row.read("key", "a row of outbox")
    let place = "effect \(key) of outbox"
    self.init(
      key: key, kind: try RowCoding.value(Kind.self, try row.read("kind", place), of: place), dueAt: try row.readTime("due_at", place),
      tries: try row.read("tries", place), revision: try row.read("revision", place))
  }

  /// Owes the effect from now on, in place of one under the same key. Returns it with its revision.
  ///
  /// Revisions rise over all keys, so that an effect that is owed, done and owed again never has an old one's.
  func owed(in db: Database) throws -> OutboxEffect {
    var new = self
    guard
      let row = try db.row(
        "UPDATE row_counts SET total = total + 1 WHERE subject = 'outbox' AND key = 'revision' RETURNING total AS revision")
    else { throw RowCoding.damage("row_counts", "the row for revisions of outbox is missing") }
    new.revision = try row.read("revision", "row_counts of outbox")
    try db.run(
      """
      INSERT INTO outbox (key, kind, rank, due_at, tries, revision) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET
        kind = excluded.kind, rank = excluded.rank, due_at = excluded.due_at, tries = excluded.tries, revision = excluded.revision
      """, [key, try RowCoding.json(kind), rank.column(source), Timestamp.text(dueAt), tries, new.revision])
    return new
  }

  /// Removes it, unless a newer one has taken its place.
  func finish(in db: Database) throws {
    try db.run("DELETE FROM outbox WHERE key = ? AND revision = ?", [key, revision])
  }

  /// Sets due time and tries, unless a newer one has taken its place.
  func postpone(in db: Database) throws {
    try db.run(
      "UPDATE outbox SET due_at = ?, tries = ? WHERE key = ? AND revision = ?", [Timestamp.text(dueAt), tries, key, revision])
  }
}
