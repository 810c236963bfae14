import Domain
import Foundation
package import Logging

/// Turns deliveries into job rows: inbox → events → state table.
///
/// One consumer, in the order of storing; a batch is one commit. A delivery that cannot be understood is marked and never stops the others.
package struct Intake: Sendable {
  private let transactor: Transactor
  private let decoder: any DeliveryDecoder
  private let reducer: JobReducer
  private let runs: DefinitionSource
  private let logger: Logger
  private static let batch = 64

  package init(transactor: Transactor, decoder: any DeliveryDecoder, reducer: JobReducer, runs: DefinitionSource, logger: Logger) {
    self.transactor = transactor
    self.decoder = decoder
    self.reducer = reducer
    self.runs = runs
    self.logger = logger
  }

  /// Works through the inbox until cancelled. The first turn finds what an earlier process left.
  package func run() async throws {
    while !Task.isCancelled {
      do {
        if try await turn() == Self.batch { continue }
        await transactor.signals.intake.wait(until: nil)
      } catch {
        logger.error("intake stopped for a moment", metadata: ["error": "\(error)"])
        await transactor.signals.intake.wait(until: transactor.currentTime.addingTimeInterval(1))
      }
    }
  }

  /// One batch.
  /// - Returns: how many deliveries it held.
  package func turn() async throws(StoreError) -> Int {
    let pending = try await transactor.store.pendingDeliveries(limit: Self.batch)
    if pending.isEmpty { return 0 }
    do {
      try await apply(pending[...])
    } catch .damaged(let why) {
      // One unreadable row must not hold the rest, nor itself for ever: find it by working one by one.
      logger.error("a batch could not be applied, going one by one", metadata: ["error": "\(why)"])
      for delivery in pending { try await applyAlone(delivery) }
    }
    return pending.count
  }

  private func applyAlone(_ delivery: StoredDelivery) async throws(StoreError) {
    do {
      try await apply([delivery])
    } catch .damaged(let why) {
      try await transactor.transact(.deliverySetAside) { (unit) throws(StoreError) in
        unit.additions.deliveries.append(DeliveryOutcome(id: delivery.id, status: .malformed, note: why))
      }
    }
  }

  private func apply(_ deliveries: ArraySlice<StoredDelivery>) async throws(StoreError) {
    let outcomes = try await transactor.transact(.deliveriesApplied) { (unit) throws(StoreError) in
      for stored in deliveries {
        let outcome = try await apply(stored, in: &unit)
        unit.additions.deliveries.append(outcome)
      }
      return unit.additions.deliveries
    }
    for outcome in outcomes {
      HubMetrics.delivery(outcome.status)
    }
  }

  private func apply(_ stored: StoredDelivery, in unit: inout UnitOfWork) async throws(StoreError) -> DeliveryOutcome {
    let event: ForgeEvent
    do {
      event = try decoder.decode(stored.delivery)
    } catch {
      return DeliveryOutcome(id: stored.id, status: .malformed, note: error.description)
    }
    switch event {
    case .ignored(let reason):
      return DeliveryOutcome(id: stored.id, status: .ignored, note: reason)
    case .run(let run):
      await runs.learn(run)
      return DeliveryOutcome(id: stored.id, status: .processed, note: "run \(run.id) \(run.action ?? run.status)")
    case .job(let report):
      let place = unit.additions.timeline.count
      let effect = try await reducer.reduce(report, in: &unit)
      switch effect {
      case .applied:
        let text =
          "delivery \(stored.delivery.guid.prefix(8))… \(stored.delivery.event) \(report.action ?? report.status), verified, stored"
        unit.additions.timeline.insert(TimelineEntry(jobID: report.jobID, at: stored.delivery.receivedAt, text: text), at: place)
        return DeliveryOutcome(id: stored.id, status: .processed, jobID: report.jobID)
      case .nothing: return DeliveryOutcome(id: stored.id, status: .repeated, jobID: report.jobID)
      case .unknownAction(let word):
        return DeliveryOutcome(id: stored.id, status: .ignored, note: "action \(word) is not known", jobID: report.jobID)
      }
    }
  }
}
