package import Domain
import Synchronization

/// Another CI platform than GitHub, whose jobs are run here too.
package protocol SourceForge: Forge {
  /// All its jobs that have not ended.
  func openJobs() async throws(ForgeError) -> [JobReport]
}

/// GitHub and the other sources of jobs, as one forge: each call goes to the one that it concerns. Sources come and go while jobs of theirs are
/// known; a call for one that is not there is `unavailable`, so such a job waits.
package final class ForgeRoster: Forge, JobSearch {
  private let github: any Forge & JobSearch
  private let others = Mutex([String: any SourceForge]())
  /// Told when a source comes or goes.
  package let changes = WakeUp()

  package init(github: any Forge & JobSearch) {
    self.github = github
  }

  /// Names of the sources that are there.
  package var sources: Set<String> { others.withLock { Set($0.keys) } }

  /// From now on the jobs of a source are asked for there.
  package func add(_ forge: any SourceForge, as source: String) {
    others.withLock { $0[source] = forge }
    changes.notify()
  }

  package func remove(_ source: String) {
    others.withLock { _ = $0.removeValue(forKey: source) }
    changes.notify()
  }

  /// - Throws: `unavailable` where it is not there.
  package func source(_ name: String) throws(ForgeError) -> any SourceForge {
    guard let forge = others.withLock({ $0[name] }) else { throw .unavailable("source \(name) is not there: no plugin of that name runs") }
    return forge
  }

  private func forge(of source: String?) throws(ForgeError) -> any Forge {
    if let source { try self.source(source) } else { github }
  }

  // MARK: Forge

  package func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    try await forge(of: request.jobClass.source).register(request)
  }

  package func removeRunner(
    id: Int64, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval {
    try await forge(of: scope.source).removeRunner(id: id, scope: scope, repository: repository, installationID: installationID)
  }

  package func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval {
    try await forge(of: scope.source).removeRunner(named: name, scope: scope, repository: repository, installationID: installationID)
  }

  package func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport {
    try await github.run(id: id, repository: repository, installationID: installationID)
  }

  package func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String {
    try await github.file(path: path, ref: ref, repository: repository, installationID: installationID)
  }

  package func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport {
    try await forge(of: repository.source).job(id: id, repository: repository, installationID: installationID)
  }

  package func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) {
    try await forge(of: repository.source).cancelRun(id: id, repository: repository, installationID: installationID)
  }

  package func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String {
    try await forge(of: update.source).publish(update, handle: handle)
  }

  // MARK: JobSearch, which walks GitHub's repositories: other sources tell all their open jobs at once

  package func runs(_ status: OpenRunStatus, of repository: String, installationID: Int64?) async throws(ForgeError) -> [RunReport] {
    try await github.runs(status, of: repository, installationID: installationID)
  }

  package func jobs(ofRun id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> [JobReport] {
    try await github.jobs(ofRun: id, repository: repository, installationID: installationID)
  }

  package func repositories(of organization: String) async throws(ForgeError) -> [Repository] {
    try await github.repositories(of: organization)
  }
}
