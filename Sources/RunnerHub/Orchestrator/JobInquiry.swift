import Domain
import Logging

/// Asks the forge how a job stands, where news of it may have been lost, and applies the answer.
struct JobInquiry: Sendable {
  let transactor: Transactor
  let forge: any Forge
  let reducer: JobReducer
  let logger: Logger

  /// What came of a question. Unless it is `unanswered`, the rows now say what the forge knows.
  enum Outcome: Hashable {
    /// The forge gave no answer.
    case unanswered
    /// Nobody works on it any more: its row had ended, the forge has it no more, or has another attempt in its place.
    case over
    /// The forge has it in this status.
    case standing(status: String)
  }

  /// Applies what the forge says of a job now.
  func refresh(_ id: JobID) async throws -> Outcome {
    guard let job = try await transactor.store.job(id), !job.state.isFinal else { return .over }
    let report: JobReport
    do {
      report = try await forge.job(id: job.forgeID, repository: job.repository, installationID: job.installationID)
    } catch {
      logger.info("the forge could not be asked for a job", metadata: ["job": "\(id)", "error": "\(error)"])
      // A job that is not there any more is worked on by nobody.
      if case .notFound = error { return .over }
      return .unanswered
    }
    guard report.jobID == id else { return .over }
    let effect = try await transactor.transact(.jobRefreshed) { (unit) throws(StoreError) in try await reducer.reduce(report, in: &unit) }
    if effect == .applied {
      logger.notice("a job was brought up to date by asking the forge", metadata: ["job": "\(id)", "status": "\(report.status)"])
    }
    return .standing(status: report.status)
  }
}
