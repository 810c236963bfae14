import Foundation
import Workflow

/// The private service of the stand-in runner: its session, its job, its steps. GitHub's own runner speaks another protocol.
extension EmulatedGitHub {
  /// Who shows this secret.
  ///
  /// - Throws: 404 for a registration that is gone or never was, as GitHub tells it to a runner: it then ends with code 0.
  private func session(_ secret: String) throws(Refusal) -> RegistrationRecord {
    guard let found = registrations.values.first(where: { $0.secret == secret }) else { throw .notFound }
    guard found.state != .gone else {
      registrations[found.id]?.refusedUses += 1
      throw .notFound
    }
    registrations[found.id]?.lastContact = now()
    return found
  }

  /// The runner is online from now on.
  ///
  /// - Throws: 409 where this registration already has a session.
  func connect(_ secret: String, operatingSystem: String) throws(Refusal) {
    let registration = try session(secret)
    guard registration.state == .offline else { throw Refusal(409, "A session for this runner already exists.") }
    registrations[registration.id]?.state = .online
    registrations[registration.id]?.operatingSystem = operatingSystem
  }

  /// Waits for a job; nil when none came in time.
  func acquire(_ secret: String, patience: TimeInterval) async throws(Refusal) -> Int64? {
    let registration = try session(secret)
    if let job = registration.job { return job }
    guard registration.state == .online, !isClosed else { throw Refusal(409, "This runner has no session.") }
    if let older = waiters.removeValue(forKey: registration.id) { older.continuation.resume(returning: nil) }
    let deadline = now() + patience
    let job = await withCheckedContinuation { continuation in
      waiters[registration.id] = Waiter(continuation: continuation, deadline: deadline)
      if registration.vanishesAt == nil, let seconds = faults.vanishing() {
        registrations[registration.id]?.vanishesAt = now() + seconds
      }
      // A registration that is to vanish gets no job until then.
      if registrations[registration.id]?.vanishesAt == nil {
        queue.offer(
          .init(
            id: registration.id, scope: registration.scope, labels: registration.labels, group: registration.group.name,
            repositories: registration.group.repositories))
        dispatch()
      }
    }
    if job == nil { _ = try session(secret) }
    return job
  }

  /// The runner says that it begins the job that it was given.
  func begin(_ secret: String, job id: Int64, site: (RegistrationRecord, _ directory: String) -> JobExecution.Site) throws(Refusal)
    -> String
  {
    let registration = try session(secret)
    guard registration.job == id, let job = jobs[id], let run = runs[job.runID], job.offer?.registration == registration.id else {
      throw Refusal(409, "Job \(id) is not with this runner.")
    }
    start(
      id,
      on: RunnerIdentity(id: registration.id, name: registration.name, groupID: registration.group.id, groupName: registration.group.name))
    let directory = String(run.repository.drop { $0 != "/" }.dropFirst())
    var contexts = contexts(of: run, needs: job.definition.needs)
    contexts["matrix"] = job.matrix
    let execution = JobExecution(
      job: job.definition, file: run.file, contexts: contexts, functions: functions(of: run), site: site(registration, directory))
    jobs[id]?.execution = execution
    jobs[id]?.steps = execution.steps
    var manifest = ShellFragment()
    manifest.set("job_name", job.name)
    manifest.set("job_directory", directory)
    manifest.set("job_timeout", Self.wholeSeconds(job.definition.timeoutMinutes.flatMap { Double($0) }.map { $0 * 60 } ?? 360 * 60))
    manifest.set("job_masks", configuration.secrets.values.filter { !$0.isEmpty }.sorted().joined(separator: "\n"))
    manifest.set("job_event", String(decoding: (try? run.payload.encoded()) ?? Data("{}".utf8), as: UTF8.self))
    var environment = ShellFragment()
    for (name, value) in defaultEnvironment(of: job, in: run).merging(["RUNNER_NAME": registration.name], uniquingKeysWith: { $1 })
      .sorted(by: { $0.key < $1.key })
    {
      environment.export(name, value)
    }
    manifest.set("job_environment", environment.text)
    return manifest.text
  }

  static func wholeSeconds(_ seconds: Double) -> String { String(Int(min(max(seconds, 1), 31_536_000).rounded(.up))) }

  private func ownJob(_ secret: String, _ id: Int64) throws(Refusal) -> (JobRecord, JobExecution) {
    let registration = try session(secret)
    guard registration.job == id, let job = jobs[id], let execution = job.execution else {
      throw Refusal(409, "Job \(id) is not with this runner.")
    }
    return (job, execution)
  }

  /// What the runner does next, as a fragment of shell.
  func next(_ secret: String, job id: Int64) throws(Refusal) -> String {
    var (job, execution) = try ownJob(secret, id)
    if job.isCancelRequested, !execution.isCancelled { execution.cancel() }
    let order = execution.next(at: now())
    jobs[id]?.execution = execution
    jobs[id]?.steps = execution.steps
    let current = execution.steps.first { $0.progress == .inProgress }
    return StepOrder.fragment(order, step: current, paths: execution.paths)
  }

  /// The files of the job's commit, one after the other as shell: the paths are the repository's own.
  func checkout(_ secret: String, job id: Int64) throws(Refusal) -> String {
    let (job, _) = try ownJob(secret, id)
    return StepOrder.checkout(runs[job.runID]?.commit.files ?? [:])
  }

  /// A step has ended. `files` are the texts of `output`, `env` and `path`.
  func finishStep(_ secret: String, job id: Int64, exitCode: Int, ending: JobExecution.Ending, files: [String: String]) throws(Refusal) {
    var (_, execution) = try ownJob(secret, id)
    execution.finish(
      exitCode: exitCode, ending: ending, outputs: files["output"] ?? "", environment: files["env"] ?? "", paths: files["path"] ?? "",
      at: now())
    jobs[id]?.execution = execution
    jobs[id]?.steps = execution.steps
  }

  func upload(_ secret: String, job id: Int64, step: Int, log: String) throws(Refusal) {
    _ = try ownJob(secret, id)
    jobs[id]?.logs.append((step, log))
  }

  /// Whether the job shall be cancelled. Renews the runner's lock on the job.
  func heartbeat(_ secret: String, job id: Int64) throws(Refusal) -> Bool {
    let (job, execution) = try ownJob(secret, id)
    return job.isCancelRequested && !execution.isCancelled
  }

  /// The runner cancels by itself, since it was told to stop.
  func cancelFromRunner(_ secret: String, job id: Int64) throws(Refusal) {
    _ = try ownJob(secret, id)
    jobs[id]?.isCancelRequested = true
  }

  /// The job is over and so is the registration.
  func complete(_ secret: String, job id: Int64) throws(Refusal) {
    let (job, execution) = try ownJob(secret, id)
    let registration = try session(secret)
    jobs[id]?.outputs = execution.outputs(job.definition.outputs)
    if !execution.remarks.isEmpty { jobs[id]?.note = execution.remarks.joined(separator: "\n") }
    retire(registration.id, "ran job \(id)")
    end(id, execution.conclusion)
    dispatch()
  }
}
