import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: Inbox {
  package func append(_ delivery: Delivery) async throws(StoreError) -> DeliveryReceipt {
    try await inbox.write(delivery)
  }

  package func pendingDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] {
    try await read { db in
      try db.rows("SELECT * FROM deliveries WHERE status = 'pending' ORDER BY id LIMIT ?", [max(0, limit)]).map(StoredDelivery.init(row:))
    }
  }

  package func recentDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] {
    try await read { db in
      try db.rows("SELECT * FROM deliveries ORDER BY id DESC LIMIT ?", [max(0, limit)]).map(StoredDelivery.init(row:))
    }
  }

  package func deliveryCounts() async throws(StoreError) -> [DeliveryStatus: Int] {
    try await read { db in try db.counts(of: "deliveries") }
  }
}

extension Delivery {
  /// Inserts it into the transaction that is open. Rows of the same batch count as stored before. Which of both unique keys was in the way is
  /// asked only where one was.
  func insert(in db: Database) throws -> DeliveryReceipt {
    try db.run(
      """
      INSERT INTO deliveries (guid, hook_id, event, target, transition, body, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING
      """,
      [guid, hookID, event, target, transition, body, Timestamp.text(receivedAt)])
    if db.changesCount > 0 { return .stored }
    let sameGUID = try db.row("SELECT 1 FROM deliveries WHERE guid = ? AND hook_id = ?", [guid, hookID])
    return sameGUID == nil ? .repeated : .duplicate
  }
}

extension StoredDelivery {
  fileprivate init(row: Row) throws {
    let id: Int64 = try row.read("id", "a row of deliveries")
    let place = "delivery \(id)"
    let word: String = try row.read("status", place)
    guard let status = DeliveryStatus(rawValue: word) else { throw RowCoding.damage(place, "its status is `\(word)`") }
    self.init(
      id: id,
      delivery: Delivery(
        guid: try row.read("guid", place), hookID: try row.read("hook_id", place), event: try row.read("event", place),
        target: try row.readOptional("target", place), transition: try row.readOptional("transition", place),
        body: try row.read("body", place), receivedAt: try row.readTime("received_at", place)),
      status: status, note: try row.readOptional("note", place))
  }
}

extension Database {
  /// The numbers that triggers keep under a subject. Those that are 0 are left out.
  func counts<Key: RawRepresentable<String> & Hashable>(of subject: String) throws -> [Key: Int] {
    var counts: [Key: Int] = [:]
    for row in try rows("SELECT key, total FROM row_counts WHERE subject = ? AND total > 0", [subject]) {
      let place = "row_counts of \(subject)"
      let word: String = try row.read("key", place)
      guard let key = Key(rawValue: word) else { throw RowCoding.damage(place, "`\(word)` is unknown") }
      counts[key] = try row.read("total", place) as Int
    }
    return counts
  }
}
