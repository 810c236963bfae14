import Domain
import Logging

/// Brings jobs up to date of which the forge was asked, since no event told of them.
struct JobFinder: Sendable {
  let transactor: Transactor
  let reducer: JobReducer
  let logger: Logger

  /// Whether the forge's word on a job is worth a commit.
  func matters(_ report: JobReport) async throws(StoreError) -> Bool {
    SweepOrder.matters(report, known: try await transactor.store.job(report.jobID))
  }

  /// - Returns: whether anything changed.
  func apply(_ report: JobReport) async throws(StoreError) -> Bool {
    let effect = try await transactor.transact(.jobFound) { (unit) throws(StoreError) in
      let effect = try await reducer.reduce(report, in: &unit)
      if effect == .applied {
        unit.tell(report.jobID, "\(report.status): found by asking the forge, no delivery told of it")
        unit.count { HubMetrics.jobFound() }
      }
      return effect
    }
    guard effect == .applied else { return false }
    logger.notice("a job was found by asking the forge", metadata: ["job": "\(report.jobID)", "status": "\(report.status)"])
    return true
  }
}
