import Foundation
import GRDB
import RunnerHub

/// One step of the schema. Steps are numbered, only go forward, and only add: a version of RunnerHub and the next one can share a database.
struct Migration: Sendable {
  let number: Int
  let name: String
  let sql: String

  /// The steps that a database lacks. Only reads.
  static func missing(_ steps: [Migration], in db: Database) throws -> [Migration] {
    guard try db.tableExists("schema_migrations") else { return steps }
    var applied: Set<Int> = []
    for row in try db.rows("SELECT number FROM schema_migrations") { applied.insert(try row.read("number", "schema_migrations")) }
    return steps.filter { !applied.contains($0.number) }
  }

  /// Brings a database to the last step, all missing steps in one transaction that keeps others from writing. Recorded in `schema_migrations`.
  ///
  /// Steps that a newer version has applied are left alone.
  static func apply(_ steps: [Migration], to database: any DatabaseWriter) throws {
    try database.writeWithoutTransaction { db in
      try db.inTransaction(.immediate) {
        try db.execute(
          sql: """
            CREATE TABLE IF NOT EXISTS schema_migrations (
              number INTEGER PRIMARY KEY,
              name VARCHAR NOT NULL,
              applied_at TIMESTAMP NOT NULL
            )
            """)
        var applied: [Int: String] = [:]
        for row in try db.rows("SELECT number, name FROM schema_migrations") {
          applied[try row.read("number", "schema_migrations")] = try row.read("name", "schema_migrations")
        }
        for step in steps {
          if let name = applied[step.number] {
            guard name == step.name else {
              throw StoreError.damaged(
                "migration \(step.number) of this database is `\(name)`, here it is `\(step.name)`: the file belongs to another program")
            }
            continue
          }
          try db.execute(sql: step.sql)
          try db.run(
            "INSERT INTO schema_migrations (number, name, applied_at) VALUES (?, ?, ?)",
            [step.number, step.name, Timestamp.text(Date())])
        }
        return .commit
      }
    }
  }
}
