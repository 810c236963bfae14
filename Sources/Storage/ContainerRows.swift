package import Domain
import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: ContainerReader {
  package func container(_ id: ContainerID) async throws(StoreError) -> Container? {
    if let newest = containers.newest(id) { return newest }
    return try await read { [cache = containers] db in
      try db.value(cache, "SELECT id, version, metadata FROM container_registry WHERE id = ?", [id.rawValue])
    }
  }

  package func liveContainers() async throws(StoreError) -> [Container] {
    try await read { [cache = containers] db in try db.values(cache, Self.liveContainers) }
  }

  static let liveContainers = "SELECT id, version, metadata FROM container_registry WHERE status <> 'GONE' ORDER BY created_at, id"

  package func recentContainers(limit: Int) async throws(StoreError) -> [Container] {
    try await read { [cache = containers] db in
      let live = try db.values(
        cache, "SELECT id, version, metadata FROM container_registry WHERE status <> 'GONE' ORDER BY created_at DESC, id DESC LIMIT ?",
        [max(0, limit)])
      let gone = try db.values(
        cache, "SELECT id, version, metadata FROM container_registry WHERE status = 'GONE' ORDER BY created_at DESC, id DESC LIMIT ?",
        [max(0, limit - live.count)])
      return (live + gone).sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
    }
  }
}

extension Container {
  /// Inserts or updates the row if its version is that of the value. Returns the container as stored.
  func stored(in db: Database) throws -> Container {
    var new = self
    let (next, isOver) = version.addingReportingOverflow(1)
    guard version >= 0, !isOver else { throw StoreError.conflict("container \(id)") }
    new.version = next
    let values: [(any DatabaseValueConvertible)?] = [
      name, image, state.rawValue, try RowCoding.json(labels), try RowCoding.json(resources), try RowCoding.json(health),
      Timestamp.text(createdAt), lastHeartbeat.map(Timestamp.text), pool, engine, assignment?.rawValue, try RowCoding.json(new), next,
      id.rawValue,
    ]
    if version == 0 {
      try db.run(
        """
        INSERT INTO container_registry (
          name, image, status, labels, resources, health_status, created_at, last_heartbeat, pool, engine, runner_name, metadata, version, id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING
        """, values)
    } else {
      try db.run(
        """
        UPDATE container_registry SET
          name = ?, image = ?, status = ?, labels = ?, resources = ?, health_status = ?, created_at = ?, last_heartbeat = ?, pool = ?,
          engine = ?, runner_name = ?, metadata = ?, version = ?
        WHERE id = ? AND version = ?
        """, values + [version])
    }
    if db.changesCount == 0 { throw StoreError.conflict("container \(id)") }
    return new
  }
}
