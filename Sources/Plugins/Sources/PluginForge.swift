internal import Domain
internal import Foundation
internal import Logging
internal import RunnerHub
internal import Synchronization

/// Another CI platform as a forge, through its plugin.
///
/// A plugin that is away or does not answer makes its own jobs wait and nothing else: after a call that got no answer in time it is not asked again for
/// a while, so that loops which serve all sources are not held up time after time.
final class PluginForge: SourceForge {
  private let connection: any PluginConnection
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let silentUntil = Mutex(Date.distantPast)
  /// Seconds for which a plugin is left alone that did not answer in time.
  private static let rest: TimeInterval = 10
  private static let limit: Duration = .seconds(20)

  init(connection: any PluginConnection, logger: Logger, now: @escaping @Sendable () -> Date = { Date() }) {
    self.connection = connection
    self.logger = logger
    self.now = now
  }

  private var name: String { connection.name }

  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    let parameters = SourceRegisterParameters(
      name: request.name, scope: request.jobClass.localScope, labels: request.jobClass.labels.values,
      job: request.job.map { .init(id: $0.forgeID, run: $0.runID, name: $0.name, repository: $0.repository.fullName, labels: $0.labels) })
    do {
      return try await register(parameters)
    } catch .alreadyExists(let what) {
      // An earlier call may have made it without living to tell: the name is freed and taken again.
      let removal = try await removeRunner(
        named: request.name, scope: request.jobClass, repository: request.repository, installationID: request.installationID)
      if removal == .busy { throw .alreadyExists("\(what); it works on a job") }
      return try await register(parameters)
    }
  }

  private func register(_ parameters: SourceRegisterParameters) async throws(ForgeError) -> RunnerRegistration {
    let result: SourceRegisterResult = try await call("source/register", parameters)
    return RunnerRegistration(runnerID: result.id, files: try SourceRunner(result).files)
  }

  func removeRunner(id: Int64, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError) -> RunnerRemoval {
    try await remove(SourceRemoveParameters(id: id, name: nil, scope: scope.localScope, repository: repository))
  }

  func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval {
    try await remove(SourceRemoveParameters(id: nil, name: name, scope: scope.localScope, repository: repository))
  }

  private func remove(_ parameters: SourceRemoveParameters) async throws(ForgeError) -> RunnerRemoval {
    let result: SourceRemoveResult = try await call("source/remove", parameters)
    return switch result.outcome {
    case .removed: .removed
    case .absent: .absent
    case .busy: .busy
    }
  }

  func job(id: Int64, repository: Domain.Repository, installationID: Int64?) async throws(ForgeError) -> JobReport {
    let result: SourceJobResult = try await call("source/job", SourceJobParameters(id: id, repository: repository.fullName))
    do throws(SourceJobFault) {
      return try result.job.report(from: name)
    } catch {
      throw .invalid("\(name) tells of job \(id) what cannot be: \(error)")
    }
  }

  func openJobs() async throws(ForgeError) -> [JobReport] {
    let result: SourceOpenResult = try await call("source/open", PluginNothing())
    let (reports, faults) = result.jobs.mapped { job throws(SourceJobFault) in try job.report(from: name) }
    if let first = faults.first {
      logger.warning(
        "a source tells of jobs what cannot be",
        metadata: ["source": "\(name)", "jobs": "\(faults.count)", "first": "jobs[\(first.index)]: \(PrintableText.line(first.reason))"])
    }
    return reports
  }

  func cancelRun(id: Int64, repository: Domain.Repository, installationID: Int64?) async throws(ForgeError) {
    let _: PluginNothing = try await call("source/cancel", SourceCancelParameters(run: id, repository: repository.fullName))
  }

  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String {
    guard let id = update.jobID.forgeID else { throw .invalid("\(update.jobID) is no job of a source") }
    // A handle that holds nothing is how a plugin without one is remembered.
    let parameters = SourceReportParameters(
      job: .init(id: id, name: update.name, commit: update.headSHA), repository: update.repository, status: update.status.rawValue,
      conclusion: update.conclusion?.word, title: update.title, summary: update.summary, url: update.detailsURL,
      handle: handle.flatMap { $0.isEmpty ? nil : $0 })
    let result: SourceReportResult = try await call("source/report", parameters)
    return String((result.handle ?? handle ?? "").prefix(1000))
  }

  // Its jobs bring what is known of them.
  func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport {
    throw .notFound("runs of \(name) are not asked for")
  }

  func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String {
    throw .notFound("files of \(name) are not asked for")
  }

  private func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable
  ) async throws(ForgeError) -> Result {
    if silentUntil.withLock({ $0 }) > now() { throw .unavailable("\(name) did not answer in time; it is asked again soon") }
    do throws(PluginError) {
      return try await connection.call(method, parameters, limit: Self.limit)
    } catch {
      if case .timedOut = error { silentUntil.withLock { $0 = now().addingTimeInterval(Self.rest) } }
      throw ForgeError(error, from: name, at: now())
    }
  }
}

extension ForgeError {
  init(_ error: PluginError, from name: String, at now: Date) {
    let text = "\(name): \(PrintableText.line(String(error.description.prefix(1000))))"
    switch error {
    case .notRunning, .timedOut, .malformed: self = .unavailable(text)
    case .throttled(_, let after): self = .throttled(until: now.addingTimeInterval((after ?? .seconds(60)) / .seconds(1)), text)
    case .refused(let code, _):
      switch code {
      case .notFound: self = .notFound(text)
      case .forbidden: self = .forbidden(text)
      case .alreadyExists: self = .alreadyExists(text)
      case .unavailable, .cancelled: self = .unavailable(text)
      case .methodNotFound, .invalidParameters, .failed, .invalid: self = .invalid(text)
      }
    }
  }
}
