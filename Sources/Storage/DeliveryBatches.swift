import Foundation
import GRDB
import RunnerHub
import Synchronization

/// Group commit: deliveries that arrive while a transaction is under way share the next one, so that a sync to disk serves many.
///
/// Each caller is answered after the commit that holds its row. No task of its own: the writer's queue takes what waits when its turn comes,
/// so other writes get their turn between two batches.
final class DeliveryBatches: Sendable {
  private struct Waiting: Sendable {
    let delivery: Delivery
    let answer: CheckedContinuation<Result<DeliveryReceipt, StoreError>, Never>
  }
  private struct State {
    var waiting: [Waiting] = []
    /// Whether the writer's queue will come for what waits.
    var isScheduled = false
  }

  /// Deliveries in one transaction: more gain little, and make the first of them and other writers wait longer.
  private static let largestBatch = 128

  private let database: any DatabaseWriter
  private let state = Mutex(State())

  init(database: any DatabaseWriter) {
    self.database = database
  }

  func append(_ delivery: Delivery) async throws(StoreError) -> DeliveryReceipt {
    let result: Result<DeliveryReceipt, StoreError> = await withCheckedContinuation { answer in
      let mustSchedule = state.withLock { state in
        state.waiting.append(Waiting(delivery: delivery, answer: answer))
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
        let batch = Array(state.waiting.prefix(Self.largestBatch))
        state.waiting.removeFirst(batch.count)
        return batch
      }
      let results = Self.store(batch.map(\.delivery), in: db)
      for (waiting, result) in zip(batch, results) { waiting.answer.resume(returning: result) }
      let isMore = self.state.withLock { state in
        state.isScheduled = !state.waiting.isEmpty
        return state.isScheduled
      }
      if isMore { self.schedule() }
    }
  }

  /// One transaction. A row that SQLite refuses fails alone; a failure of disk or commit fails all.
  private static func store(_ batch: [Delivery], in db: Database) -> [Result<DeliveryReceipt, StoreError>] {
    var results: [Result<DeliveryReceipt, StoreError>] = []
    results.reserveCapacity(batch.count)
    do {
      try db.inTransaction(.immediate) {
        for delivery in batch {
          do {
            results.append(.success(try insert(delivery, in: db)))
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

  /// Rows of the same batch count as stored before. Which of both unique keys was in the way is asked only where one was.
  private static func insert(_ delivery: Delivery, in db: Database) throws -> DeliveryReceipt {
    try db.run(
      """
      INSERT INTO deliveries (guid, hook_id, event, target, transition, body, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING
      """,
      [
        delivery.guid, delivery.hookID, delivery.event, delivery.target, delivery.transition, delivery.body,
        Timestamp.text(delivery.receivedAt),
      ])
    if db.changesCount > 0 { return .stored }
    let sameGUID = try db.row("SELECT 1 FROM deliveries WHERE guid = ? AND hook_id = ?", [delivery.guid, delivery.hookID])
    return sameGUID == nil ? .repeated : .duplicate
  }
}
