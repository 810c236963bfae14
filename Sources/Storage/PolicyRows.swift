import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: PolicyArchive {
  package func bundle(_ digest: String) async throws(StoreError) -> StoredBundle? {
    try await read { db in
      try db.row("SELECT * FROM policy_bundles WHERE digest = ?", [digest]).map(StoredBundle.init(row:))
    }
  }

  package func policyEvents(limit: Int) async throws(StoreError) -> [PolicyEvent] {
    try await read { db in
      try db.rows("SELECT * FROM policy_events ORDER BY id DESC LIMIT ?", [limit]).map(PolicyEvent.init(row:))
    }
  }

  package func policyEvent(actingIn slot: PolicySlot) async throws(StoreError) -> PolicyEvent? {
    try await read { db in
      try db.row(
        "SELECT * FROM policy_events WHERE slot = ? AND kind <> ? ORDER BY id DESC LIMIT 1",
        [slot.rawValue, PolicyEvent.Kind.refused.rawValue]
      ).map(PolicyEvent.init(row:))
    }
  }
}

extension StoredBundle {
  fileprivate init(row: Row) throws {
    let digest: String = try row.read("digest", "a row of policy_bundles")
    let place = "bundle \(digest)"
    let files: Data = try row.read("files", place)
    self.init(
      digest: digest, files: try RowCoding.value([String: Data].self, String(decoding: files, as: UTF8.self), of: place),
      storedAt: try row.readTime("stored_at", place))
  }

  /// What `store` takes for the column `files`.
  func encodedFiles() throws(StoreError) -> Data { Data(try RowCoding.json(files).utf8) }

  func store(_ encoded: Data, in db: Database) throws {
    try db.run(
      "INSERT INTO policy_bundles (digest, files, stored_at) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
      [digest, encoded, Timestamp.text(storedAt)])
  }
}

extension PolicyEvent {
  fileprivate init(row: Row) throws {
    let id: Int64 = try row.read("id", "a row of policy_events")
    let place = "policy event \(id)"
    let kind: String = try row.read("kind", place)
    let slot: String = try row.read("slot", place)
    guard let kind = Kind(rawValue: kind), let slot = PolicySlot(rawValue: slot) else {
      throw RowCoding.damage(place, "no kind `\(kind)` or no slot `\(slot)` is known")
    }
    self.init(
      id: id, kind: kind, slot: slot, bundle: try row.readOptional("bundle", place), percent: try row.readOptional("percent", place),
      actor: try row.read("actor", place), detail: try row.readOptional("detail", place), at: try row.readTime("at", place))
  }

  /// Adds the event. Returns it with its identity.
  func stored(in db: Database) throws -> PolicyEvent {
    try db.run(
      "INSERT INTO policy_events (kind, slot, bundle, percent, actor, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      [kind.rawValue, slot.rawValue, bundle, percent, actor, detail, Timestamp.text(at)])
    var new = self
    new.id = db.lastInsertedRowID
    return new
  }
}
