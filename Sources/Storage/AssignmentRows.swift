package import Domain
import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: AssignmentReader {
  package func assignment(_ id: AssignmentID) async throws(StoreError) -> Assignment? {
    if let newest = assignments.newest(id) { return newest }
    return try await read { [cache = assignments] db in
      try db.value(cache, "SELECT runner_name, version, metadata FROM container_assignments WHERE runner_name = ?", [id.rawValue])
    }
  }

  package func activeAssignments() async throws(StoreError) -> [Assignment] {
    try await read { [cache = assignments] db in try db.values(cache, Self.activeAssignments) }
  }

  static let activeAssignments = """
    SELECT runner_name, version, metadata FROM container_assignments WHERE phase <> 'released' ORDER BY assigned_at, id
    """

  package func assignments(ofJob id: JobID) async throws(StoreError) -> [Assignment] {
    try await read { [cache = assignments] db in
      try db.values(
        cache, "SELECT runner_name, version, metadata FROM container_assignments WHERE job_id = ? ORDER BY assigned_at, id", [id.rawValue])
    }
  }
}

extension Assignment {
  /// Inserts or updates the row if its version is that of the value. Returns the assignment as stored.
  func stored(in db: Database) throws -> Assignment {
    var new = self
    let (next, isOver) = version.addingReportingOverflow(1)
    guard version >= 0, !isOver else { throw StoreError.conflict("assignment \(id)") }
    new.version = next
    let values: [(any DatabaseValueConvertible)?] = [
      jobID.rawValue, containerID.rawValue, Timestamp.text(assignedAt), releasedAt.map(Timestamp.text), priority.rawValue, phase.rawValue,
      jobClass.key, try RowCoding.json(new), next, id.rawValue,
    ]
    if version == 0 {
      try db.run(
        """
        INSERT INTO container_assignments (
          job_id, container_id, assigned_at, released_at, priority, phase, class_key, metadata, version, runner_name)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (runner_name) DO NOTHING
        """, values)
    } else {
      try db.run(
        """
        UPDATE container_assignments SET
          job_id = ?, container_id = ?, assigned_at = ?, released_at = ?, priority = ?, phase = ?, class_key = ?, metadata = ?, version = ?
        WHERE runner_name = ? AND version = ?
        """, values + [version])
    }
    if db.changesCount == 0 { throw StoreError.conflict("assignment \(id)") }
    return new
  }
}
