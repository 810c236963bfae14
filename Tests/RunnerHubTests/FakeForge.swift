import Domain
import Foundation
import RunnerHub
import Synchronization

/// A forge in memory. It knows what a test tells it, keeps registrations as GitHub does, and writes down each call.
final class FakeForge: Forge, JobSearch {
  enum Call: Hashable { case register, remove, removeNamed, run, file, job, cancel, publish, search }

  struct State {
    var runs: [Int64: RunReport] = [:]
    /// Text by `path@ref`, or by `owner/repository/path@ref`.
    var files: [String: String] = [:]
    var jobs: [Int64: JobReport] = [:]
    /// Of the organisation, the latest push first.
    var repositories: [Repository] = []
    /// Registrations that exist now.
    var runners: [Int64: RunnerRequest] = [:]
    /// Names of runners that refuse to be removed because they work.
    var busy: Set<String> = []
    /// Answered instead of doing it, as long as it is there.
    var faults: [Call: ForgeError] = [:]
    /// How long files take.
    var fileDelay: Duration = .zero
    /// How long files of a path take, instead.
    var fileDelays: [String: Duration] = [:]
    var calls: [Call] = []
    var lastRunnerID: Int64 = 0
  }
  let state = Mutex(State())

  func with<Value: Sendable>(_ body: (inout sending State) -> sending Value) -> Value { state.withLock(body) }
  func set(_ fault: ForgeError?, on call: Call) { state.withLock { $0.faults[call] = fault } }
  func count(_ call: Call) -> Int { state.withLock { state in state.calls.count { $0 == call } } }
  var runnerNames: Set<String> { state.withLock { Set($0.runners.values.map(\.name)) } }

  /// Writes the call down; throws what is scripted for it.
  fileprivate func meet(_ call: Call) throws(ForgeError) {
    let fault = state.withLock { state -> ForgeError? in
      state.calls.append(call)
      return state.faults[call]
    }
    if let fault { throw fault }
  }

  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    try meet(.register)
    let id: Int64? = state.withLock { state in
      if let old = state.runners.first(where: { $0.value.name == request.name }) {
        if state.busy.contains(request.name) { return nil }
        state.runners[old.key] = nil
      }
      state.lastRunnerID += 1
      state.runners[state.lastRunnerID] = request
      return state.lastRunnerID
    }
    guard let id else { throw .alreadyExists(request.name) }
    return RunnerRegistration(runnerID: id, files: [RunnerFile(path: ".runner", contents: Data(request.name.utf8), mode: 0o400)])
  }

  func removeRunner(id: Int64, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError) -> RunnerRemoval {
    try meet(.remove)
    return state.withLock { state in
      guard let runner = state.runners[id] else { return .absent }
      if state.busy.contains(runner.name) { return .busy }
      state.runners[id] = nil
      return .removed
    }
  }

  func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval {
    try meet(.removeNamed)
    let id = state.withLock { $0.runners.first { $0.value.name == name }?.key }
    guard let id else { return .absent }
    return try await removeRunner(id: id, scope: scope, repository: repository, installationID: installationID)
  }

  func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport {
    try meet(.run)
    guard let run = state.withLock({ $0.runs[id] }) else { throw .notFound("run \(id)") }
    return run
  }

  func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String {
    try meet(.file)
    let (delay, text) = state.withLock { state in
      (state.fileDelays[path] ?? state.fileDelay, state.files["\(repository)/\(path)@\(ref)"] ?? state.files["\(path)@\(ref)"])
    }
    if delay > .zero {
      do { try await Task.sleep(for: delay) } catch { throw .unavailable("cancelled") }
    }
    guard let text else { throw .notFound("\(path)@\(ref)") }
    return text
  }

  func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport {
    try meet(.job)
    guard let job = state.withLock({ $0.jobs[id] }) else { throw .notFound("job \(id)") }
    return job
  }

  func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) { try meet(.cancel) }

  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String {
    try meet(.publish)
    return handle ?? "check"
  }

  func runs(_ status: OpenRunStatus, of repository: String, installationID: Int64?) async throws(ForgeError) -> [RunReport] {
    try meet(.search)
    return state.withLock { state in
      state.runs.values.filter { $0.repository == repository && $0.status == status.rawValue }.sorted { $0.id > $1.id }
    }
  }

  func jobs(ofRun id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> [JobReport] {
    try meet(.search)
    return state.withLock { state in state.jobs.values.filter { $0.runID == id }.sorted { $0.forgeID < $1.forgeID } }
  }

  func repositories(of organization: String) async throws(ForgeError) -> [Repository] {
    try meet(.search)
    return state.withLock { $0.repositories }
  }

  /// A just-in-time runner leaves when its job has ended.
  func runnerLeft(_ name: String) {
    state.withLock { state in
      state.busy.remove(name)
      state.runners = state.runners.filter { $0.value.name != name }
    }
  }
}

extension FakeForge: SourceForge {
  func openJobs() async throws(ForgeError) -> [JobReport] {
    try meet(.search)
    return state.withLock { state in state.jobs.values.filter { $0.status != "completed" }.sorted { $0.forgeID < $1.forgeID } }
  }
}
