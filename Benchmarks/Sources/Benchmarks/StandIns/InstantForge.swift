import Domain
import Foundation
import RunnerHub
import Synchronization

/// A forge that answers at once, or after the time that a just-in-time registration takes at GitHub.
final class InstantForge: Forge, JobSearch {
  private struct State {
    var lastRunnerID: Int64 = 0
    var underWay = 0
    var mostUnderWay = 0
    /// Waiting for the next call of `register`.
    var listeners: [CheckedContinuation<UInt64, Never>] = []
  }
  private let registrationTime: Duration
  private let state = Mutex(State())

  /// - Parameter registrationTime: how long a registration takes.
  init(registrationTime: Duration = .zero) { self.registrationTime = registrationTime }

  /// Registrations that were under way at once, at most.
  var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }

  /// The clock's reading at the next request for a registration.
  func nextRegistration() async -> UInt64 {
    await withCheckedContinuation { continuation in state.withLock { $0.listeners.append(continuation) } }
  }

  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    let now = Clock.now
    let (id, listeners) = state.withLock { state in
      state.lastRunnerID += 1
      state.underWay += 1
      state.mostUnderWay = max(state.mostUnderWay, state.underWay)
      defer { state.listeners = [] }
      return (state.lastRunnerID, state.listeners)
    }
    for listener in listeners { listener.resume(returning: now) }
    defer { state.withLock { $0.underWay -= 1 } }
    if registrationTime > .zero {
      do { try await Task.sleep(for: registrationTime) } catch { throw .unavailable("cancelled") }
    }
    return RunnerRegistration(runnerID: id, files: Self.files)
  }

  private static let files = [".runner", ".credentials", ".credentials_rsaparams"].map {
    RunnerFile(path: $0, contents: Data(repeating: 120, count: 700), mode: 0o400)
  }

  func removeRunner(id: Int64, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError) -> RunnerRemoval {
    .removed
  }

  func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval { .absent }

  func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport {
    RunReport(
      action: nil, id: id, attempt: 1, repository: repository, headSHA: Sample.commit, status: "queued", conclusion: nil,
      context: Sample.run, definitionRefs: [Sample.commit])
  }

  func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String {
    guard path.hasPrefix(".github/workflows/") else { throw .notFound(path) }
    return Sample.workflow
  }

  func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport {
    throw .unavailable("a benchmark's jobs are known from deliveries only")
  }

  // Every delivery arrives: a search would find nothing.
  func runs(_ status: OpenRunStatus, of repository: String, installationID: Int64?) async throws(ForgeError) -> [RunReport] { [] }
  func jobs(ofRun id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> [JobReport] { [] }
  func repositories(of organization: String) async throws(ForgeError) -> [Repository] { [] }

  func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) {}
  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String { handle ?? "\(update.jobID)" }
}
