import Foundation
import GRDB
import Storage

/// SQLite by itself: the rows that intake writes, in the same table with the same indexes and triggers, as many at once as a group has.
enum GroupedWriter {
  /// Rows a second over some seconds.
  static func rate(in directory: URL, _ deliveries: SignedDeliveries, group: Int, seconds: Double) throws -> Double {
    try SQLiteStore(path: directory.database).close()
    let pool = try DatabasePool(path: directory.database)
    defer { try? FileManager.default.removeItem(at: directory) }
    try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    let bodies = (0..<group).map { deliveries.body($0) }
    let start = Clock.now
    let end = start + UInt64(seconds * 1e9)
    var rows = 0
    while Clock.now < end, rows + group <= deliveries.count {
      try pool.writeWithoutTransaction { db in
        try db.inTransaction(.immediate) {
          let statement = try db.cachedStatement(
            sql: """
              INSERT INTO deliveries (guid, hook_id, event, target, transition, body, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
              ON CONFLICT DO NOTHING
              """)
          for index in 0..<group {
            let identity = deliveries.identity(rows + index)
            try statement.execute(arguments: [
              identity.guid, "451234567", "workflow_job", "organization/9876543", identity.transition, bodies[index],
              "2026-04-19 21:12:12.000",
            ])
          }
          return .commit
        }
      }
      rows += group
    }
    let rate = Double(rows) / Clock.seconds(start, Clock.now)
    try pool.close()
    return rate
  }
}
