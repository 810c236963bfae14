import Domain
import Foundation
import GRDB
package import RunnerHub

/// Everything that must outlive the process, in one SQLite file: the embedded default.
///
/// Write-ahead log and `synchronous=FULL`: what a call has answered survives a power cut. Readers work beside the one writer. SQLite runs on
/// queues of its own, so that no thread of Swift's pool waits for a disk. A call whose task is cancelled is still carried out whole.
///
///     let store = try SQLiteStore(path: "data/runnerhub.sqlite")
///     let receipt = try await store.append(delivery)
package final class SQLiteStore: Sendable {
  let database: any DatabaseWriter
  let inbox: WriteBatches<Delivery, DeliveryReceipt>
  let commits: WriteBatches<EncodedChanges, Changes>
  let jobs = RowCache<Job>()
  let assignments = RowCache<Assignment>()
  let containers = RowCache<Container>()

  /// Opens or creates the file, and its folder, and brings the schema up to date.
  /// - Parameter committed: told of each commit of changes once it is durable, in the order of the commits; all writing waits for it.
  /// - Throws: `StoreError.unavailable` where the file cannot be opened or written, `StoreError.damaged` where it is no database of ours.
  package init(path: String, committed: @escaping @Sendable (Changes) -> Void = { _ in }) throws(StoreError) {
    do {
      try FileManager.default.createDirectory(
        at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw .unavailable("the folder of the database \(path) cannot be made; choose another or make it by hand: \(error)")
    }
    do {
      let pool = try DatabasePool(path: path, configuration: Self.configuration)
      // GRDB sets `synchronous` to NORMAL when it turns on the write-ahead log, so this comes after.
      try pool.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = \(Self.pagesBetweenCheckpoints)")
      }
      try Migration.apply(Migration.all, to: pool)
      database = pool
    } catch {
      throw StoreFailure.error(error)
    }
    inbox = WriteBatches(database: database) { delivery, db in try delivery.insert(in: db) }
    commits = Self.commits(to: database, jobs, assignments, containers, committed)
  }

  /// Opens a file for reading, beside a process that may be writing to it: nothing is made, brought up to date or written.
  /// - Throws: `StoreError.unavailable` where the file cannot be read, or lacks steps of the schema that this version reads.
  package init(reading path: String) throws(StoreError) {
    do {
      var configuration = Self.configuration
      configuration.readonly = true
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      let missing = try queue.read { db in try Migration.missing(Migration.all, in: db) }
      guard missing.isEmpty else {
        throw StoreError.unavailable(
          "the database \(path) is of an older version of RunnerHub (it lacks \(missing.map(\.name).joined(separator: ", "))): "
            + "start `runnerhub serve` of this version over it once, which brings it up to date")
      }
      database = queue
    } catch {
      throw StoreFailure.error(error)
    }
    inbox = WriteBatches(database: database) { delivery, db in try delivery.insert(in: db) }
    commits = Self.commits(to: database, jobs, assignments, containers)
  }

  /// A store in memory, gone with the object: for tests and demonstrations.
  package init(committed: @escaping @Sendable (Changes) -> Void = { _ in }) throws(StoreError) {
    do {
      let queue = try DatabaseQueue(configuration: Self.configuration)
      try Migration.apply(Migration.all, to: queue)
      database = queue
    } catch {
      throw StoreFailure.error(error)
    }
    inbox = WriteBatches(database: database) { delivery, db in try delivery.insert(in: db) }
    commits = Self.commits(to: database, jobs, assignments, containers, committed)
  }

  private static func commits(
    to database: any DatabaseWriter, _ jobs: RowCache<Job>, _ assignments: RowCache<Assignment>, _ containers: RowCache<Container>,
    _ told: @escaping @Sendable (Changes) -> Void = { _ in }
  ) -> WriteBatches<EncodedChanges, Changes> {
    WriteBatches(database: database) { changes, db in
      try changes.stored(apart: db)
    } committed: { changes in
      jobs.committed(changes.jobs)
      assignments.committed(changes.assignments)
      containers.committed(changes.containers)
      told(changes)
    }
  }

  /// Closes the file once all that was asked for is done. Calls that come later are answered with `StoreError.unavailable`. Blocks: for the
  /// end of a process.
  package func close() throws(StoreError) {
    do { try database.close() } catch { throw StoreFailure.error(error) }
  }

  /// Pages of 4 KiB that the log holds before a commit also copies it into the file: bounds both the log and the time of one commit.
  private static let pagesBetweenCheckpoints = 1000

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "RunnerHub store"
    configuration.busyMode = .timeout(5)
    configuration.foreignKeysEnabled = true
    configuration.maximumReaderCount = 4
    return configuration
  }

  /// Reads in one snapshot.
  func read<Value: Sendable>(_ work: @escaping @Sendable (Database) throws -> Value) async throws(StoreError) -> Value {
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      database.asyncRead { db in
        continuation.resume(returning: Result { try work(db.get()) }.mapError(StoreFailure.error))
      }
    }
    return try result.get()
  }

  /// Writes in one transaction, which is durable when this returns and undone when it throws.
  func write<Value: Sendable>(_ work: @escaping @Sendable (Database) throws -> Value) async throws(StoreError) -> Value {
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      database.asyncWriteWithoutTransaction { db in
        let result = Result {
          var value: Value?
          try db.inTransaction(.immediate) {
            value = try work(db)
            return .commit
          }
          guard let value else { throw StoreError.unavailable("the transaction was not carried out") }
          return value
        }
        continuation.resume(returning: result.mapError(StoreFailure.error))
      }
    }
    return try result.get()
  }
}
