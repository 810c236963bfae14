import Domain
import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: ChangeWriter {
  @discardableResult
  package func commit(_ changes: Changes, at point: CommitPoint) async throws(StoreError) -> Changes {
    if changes.isEmpty { return changes }
    do {
      return try await commits.write(try EncodedChanges(changes))
    } catch .conflict(let what) {
      // Who tries again must read what the row holds, also where somebody has changed the file by hand. Only that row: conflicts are many in a burst.
      jobs.forget(changes.jobs.map(\.id), called: what)
      assignments.forget(changes.assignments.map(\.id), called: what)
      containers.forget(changes.containers.map(\.id), called: what)
      throw .conflict(what)
    }
  }
}

/// Changes, and what of their decisions and bundles is kept as JSON: made before the writer's turn comes, which all others wait for.
struct EncodedChanges: Sendable {
  private let changes: Changes
  /// Of each decision.
  private let details: [String?]
  /// Of each bundle.
  private let files: [Data]

  init(_ changes: Changes) throws(StoreError) {
    var details: [String?] = []
    for decision in changes.decisions { details.append(try decision.encodedDetail()) }
    var files: [Data] = []
    for bundle in changes.bundles { files.append(try bundle.encodedFiles()) }
    self.changes = changes
    self.details = details
    self.files = files
  }

  /// Writes everything into the transaction that is open, or nothing.
  func stored(apart db: Database) throws -> Changes {
    var new = changes
    try db.inSavepoint {
      new = try stored(in: db)
      return .commit
    }
    return new
  }

  /// Writes every row into the transaction that is open. Effects come last, so that one that replaces what is done in the same commit stays.
  private func stored(in db: Database) throws -> Changes {
    var new = changes
    new.jobs = try changes.jobs.map { try $0.stored(in: db) }
    new.containers = try changes.containers.map { try $0.stored(in: db) }
    new.assignments = try changes.assignments.map { try $0.stored(in: db) }
    for outcome in changes.deliveries { try outcome.store(in: db) }
    for transition in changes.transitions {
      try db.run(
        "INSERT INTO transitions (job_id, action) VALUES (?, ?) ON CONFLICT (job_id, action) DO NOTHING",
        [transition.jobID.rawValue, transition.action])
    }
    for effect in changes.finishedEffects { try effect.finish(in: db) }
    for effect in changes.postponedEffects { try effect.postpone(in: db) }
    new.effects = try changes.effects.map { try $0.owed(in: db) }
    for (decision, detail) in zip(changes.decisions, details) { try decision.insert(detail, in: db) }
    for input in changes.decisionInputs { try input.store(in: db) }
    for (bundle, files) in zip(changes.bundles, files) { try bundle.store(files, in: db) }
    new.policyEvents = try changes.policyEvents.map { try $0.stored(in: db) }
    for entry in changes.timeline {
      try db.run(
        "INSERT INTO timeline (job_id, at, text) VALUES (?, ?, ?)", [entry.jobID.rawValue, Timestamp.text(entry.at), entry.text])
    }
    for event in changes.audit { try event.insert(in: db) }
    for alert in changes.alerts { try alert.store(in: db) }
    new.notifications = try changes.notifications.map { try $0.stored(in: db) }
    for (key, value) in changes.memory {
      try db.run("INSERT INTO memory (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [key, value])
    }
    if let marks = changes.fleetMarks {
      try db.run(
        "INSERT INTO memory (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [SQLiteStore.fleetMarksKey, try RowCoding.json(marks)])
    }
    return new
  }
}

extension DeliveryOutcome {
  fileprivate func store(in db: Database) throws {
    try db.run("UPDATE deliveries SET status = ?, note = ?, job_id = ? WHERE id = ?", [status.rawValue, note, jobID?.rawValue, id])
    if db.changesCount == 0 { throw StoreError.conflict("delivery \(id)") }
  }
}
