import Domain
import GRDB
package import RunnerHub

extension SQLiteStore: ChangeWriter {
  @discardableResult
  package func commit(_ changes: Changes, at point: CommitPoint) async throws(StoreError) -> Changes {
    if changes.isEmpty { return changes }
    do {
      return try await commits.write(changes)
    } catch .conflict(let what) {
      // Who tries again must read what the row holds, also where somebody has changed the file by hand. Only that row: conflicts are many in a burst.
      jobs.forget(changes.jobs.map(\.id), called: what)
      assignments.forget(changes.assignments.map(\.id), called: what)
      containers.forget(changes.containers.map(\.id), called: what)
      throw .conflict(what)
    }
  }
}

extension Changes {
  /// Writes everything into the transaction that is open, or nothing.
  func stored(apart db: Database) throws -> Changes {
    var new = self
    try db.inSavepoint {
      new = try stored(in: db)
      return .commit
    }
    return new
  }

  /// Writes every row into the transaction that is open. Effects come last, so that one that replaces what is done in the same commit stays.
  fileprivate func stored(in db: Database) throws -> Changes {
    var new = self
    new.jobs = try jobs.map { try $0.stored(in: db) }
    new.containers = try containers.map { try $0.stored(in: db) }
    new.assignments = try assignments.map { try $0.stored(in: db) }
    for outcome in deliveries { try outcome.store(in: db) }
    for transition in transitions {
      try db.run(
        "INSERT INTO transitions (job_id, action) VALUES (?, ?) ON CONFLICT (job_id, action) DO NOTHING",
        [transition.jobID.rawValue, transition.action])
    }
    for effect in finishedEffects { try effect.finish(in: db) }
    for effect in postponedEffects { try effect.postpone(in: db) }
    new.effects = try effects.map { try $0.owed(in: db) }
    for decision in decisions { try decision.insert(in: db) }
    for input in decisionInputs { try input.store(in: db) }
    for bundle in bundles { try bundle.store(in: db) }
    new.policyEvents = try policyEvents.map { try $0.stored(in: db) }
    for entry in timeline {
      try db.run(
        "INSERT INTO timeline (job_id, at, text) VALUES (?, ?, ?)", [entry.jobID.rawValue, Timestamp.text(entry.at), entry.text])
    }
    for event in audit { try event.insert(in: db) }
    for (key, value) in memory {
      try db.run("INSERT INTO memory (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [key, value])
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
