import Domain

/// A forge with a failpoint before and after each call. Reads have theirs too: a step waits for them, and has been decided on an older picture.
struct FailingForge: Forge, JobSearch {
  private let forge: any Forge & JobSearch
  private let trap: FailpointTrap

  init(_ forge: any Forge & JobSearch, _ trap: FailpointTrap) {
    self.forge = forge
    self.trap = trap
  }

  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    try await trap.around(.call(.register)) { () async throws(ForgeError) in try await forge.register(request) }
  }
  func removeRunner(id: Int64, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError) -> RunnerRemoval {
    try await trap.around(.call(.removeRunner)) { () async throws(ForgeError) in
      try await forge.removeRunner(id: id, scope: scope, repository: repository, installationID: installationID)
    }
  }
  func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval {
    try await trap.around(.call(.removeRunnerNamed)) { () async throws(ForgeError) in
      try await forge.removeRunner(named: name, scope: scope, repository: repository, installationID: installationID)
    }
  }
  func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport {
    try await trap.around(.call(.run)) { () async throws(ForgeError) in
      try await forge.run(id: id, repository: repository, installationID: installationID)
    }
  }
  func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String {
    try await trap.around(.call(.file)) { () async throws(ForgeError) in
      try await forge.file(path: path, ref: ref, repository: repository, installationID: installationID)
    }
  }
  func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport {
    try await trap.around(.call(.job)) { () async throws(ForgeError) in
      try await forge.job(id: id, repository: repository, installationID: installationID)
    }
  }
  func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) {
    try await trap.around(.call(.cancelRun)) { () async throws(ForgeError) in
      try await forge.cancelRun(id: id, repository: repository, installationID: installationID)
    }
  }
  func repositories(of organization: String) async throws(ForgeError) -> [Repository] {
    try await trap.around(.call(.searchRepositories)) { () async throws(ForgeError) in try await forge.repositories(of: organization) }
  }
  func runs(_ status: OpenRunStatus, of repository: String, installationID: Int64?) async throws(ForgeError) -> [RunReport] {
    try await trap.around(.call(.searchRuns)) { () async throws(ForgeError) in
      try await forge.runs(status, of: repository, installationID: installationID)
    }
  }
  func jobs(ofRun id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> [JobReport] {
    try await trap.around(.call(.searchJobs)) { () async throws(ForgeError) in
      try await forge.jobs(ofRun: id, repository: repository, installationID: installationID)
    }
  }
  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String {
    try await trap.around(.call(.publish)) { () async throws(ForgeError) in try await forge.publish(update, handle: handle) }
  }
}
