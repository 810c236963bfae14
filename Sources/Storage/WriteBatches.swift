import Foundation
import GRDB
import RunnerHub
import Synchronization

/// Group commit: what arrives while a transaction is under way shares the next one, so that a sync to disk serves many.
///
/// Each caller is answered after the commit that holds its rows. No task of its own: the writer's queue takes what waits when its turn comes,
/// so other writes get their turn between two batches.
final class WriteBatches<Request: Sendable, Answer: Sendable>: Sendable {
  private struct Waiting: Sendable {
    let request: Request
    let answer: CheckedContinuation<Result<Answer, StoreError>, Never>
  }
  private struct State {
    var waiting: [Waiting] = []
    /// Whether the writer's queue will come for what waits.
    var isScheduled = false
  }

  /// Requests in one transaction: more gain little, and make the first of them and other writers wait longer.
  private let largestBatch = 128

  private let database: any DatabaseWriter
  private let store: @Sendable (Request, Database) throws -> Answer
  private let committed: @Sendable (Answer) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - store: writes one request into the transaction that is open. Where it fails for a fault of its own rows, it must leave nothing.
  ///   - committed: told of each answer once it is durable, in the order of the commits and before the caller is.
  init(
    database: any DatabaseWriter, store: @escaping @Sendable (Request, Database) throws -> Answer,
    committed: @escaping @Sendable (Answer) -> Void = { _ in }
  ) {
    self.database = database
    self.store = store
    self.committed = committed
  }

  /// Writes durably, or not at all.
  func write(_ request: Request) async throws(StoreError) -> Answer {
    let result: Result<Answer, StoreError> = await withCheckedContinuation { answer in
      let mustSchedule = state.withLock { state in
        state.waiting.append(Waiting(request: request, answer: answer))
        defer { state.isScheduled = true }
        return !state.isScheduled
      }
      if mustSchedule { schedule() }
    }
    return try result.get()
  }

  private func schedule() {
    database.asyncWriteWithoutTransaction { db in
      let batch = self.state.withLock { state in
        let batch = Array(state.waiting.prefix(self.largestBatch))
        state.waiting.removeFirst(batch.count)
        return batch
      }
      let results = self.store(batch.map(\.request), in: db)
      for case .success(let answer) in results { self.committed(answer) }
      for (waiting, result) in zip(batch, results) { waiting.answer.resume(returning: result) }
      let isMore = self.state.withLock { state in
        state.isScheduled = !state.waiting.isEmpty
        return state.isScheduled
      }
      if isMore { self.schedule() }
    }
  }

  /// One transaction. A request that SQLite or the store refuses for its own rows fails alone; a failure of disk or commit fails all.
  private func store(_ batch: [Request], in db: Database) -> [Result<Answer, StoreError>] {
    var results: [Result<Answer, StoreError>] = []
    results.reserveCapacity(batch.count)
    do {
      try db.inTransaction(.immediate) {
        for request in batch {
          do {
            results.append(.success(try store(request, db)))
          } catch  where StoreFailure.concernsOneRow(error) && db.isInsideTransaction {
            results.append(.failure(StoreFailure.error(error)))
          }
        }
        return .commit
      }
      return results
    } catch {
      return batch.map { _ in .failure(StoreFailure.error(error)) }
    }
  }
}
