import Domain
import Foundation
import RunnerHub
import Testing

/// Values that the contract writes. Times are whole milliseconds, which every store keeps exactly.
enum Sample {
  /// A second of the samples' day.
  static func time(_ seconds: Double) -> Date { Date(timeIntervalSince1970: 1_777_000_000 + seconds) }

  static let linux = JobClass(scope: "acme", labels: ["self-hosted", "linux"])

  static func delivery(_ guid: String, hook: String = "7", transition: String? = nil, at seconds: Double = 0) -> Delivery {
    Delivery(
      guid: guid, hookID: hook, event: "workflow_job", target: "repository/1", transition: transition,
      body: Data("{\"é\":\"\(guid)\"}\n".utf8),
      receivedAt: time(seconds))
  }

  static func job(_ id: Int64, state: JobState = .received, at seconds: Double = 0) -> Job {
    var job = Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: id / 10, runAttempt: 1,
      repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: true, defaultBranch: "main"), workflow: nil, name: "build (ü)",
      labels: ["Linux"], headSHA: "abc", state: state, createdAt: time(seconds), receivedAt: time(seconds + 0.25))
    job.steps = [JobStep(number: 1, name: "Set up job", status: "completed", conclusion: "success")]
    return job
  }

  static func queued(_ id: Int64, in jobClass: JobClass = linux, order: Double, need: Resources? = nil, isFork: Bool = false) -> Job {
    var job = job(id, state: .queued, at: order)
    job.jobClass = jobClass
    job.orderKey = order
    job.queuedAt = time(order)
    job.estimate = need.map { Estimate(resources: $0, durationSeconds: .infinity, sources: ["label large-runner"]) }
    job.run = RunContext(event: "pull_request", path: nil, headRepositoryID: isFork ? 2 : 1, actor: nil)
    return job
  }

  static func container(_ id: String, state: ContainerState = .ready, at seconds: Double = 0) -> Container {
    Container(
      id: ContainerID(rawValue: id), name: "demo \(id)", pool: "demo", engine: "process", image: "runner:1",
      resources: Resources(milliCPUs: 2000, memory: ByteCount(gibibytes: 4)), labels: ["linux"], state: state, createdAt: time(seconds))
  }

  static func assignment(_ id: String, job: Int64 = 1, container: String = "c1", at seconds: Double = 0) -> Assignment {
    Assignment(
      id: AssignmentID(rawValue: id), jobID: JobID(forgeID: job, attempt: 1), containerID: ContainerID(rawValue: container),
      jobClass: linux, priority: .high, use: 1, assignedAt: time(seconds))
  }

  static func effect(_ key: String, run: Int64 = 1, due seconds: Double = 0) -> OutboxEffect {
    OutboxEffect(
      key: key, kind: .cancelRun(jobID: JobID(forgeID: run, attempt: 1), repository: "acme/storefront", runID: run), dueAt: time(seconds))
  }
}

extension ChangeWriter {
  /// Commits what a closure fills in.
  @discardableResult
  func commit(_ fill: (inout Changes) -> Void) async throws -> Changes {
    var changes = Changes()
    fill(&changes)
    return try await commit(changes, at: .deliveriesApplied)
  }

  /// Owes one effect. Returns it with its revision.
  func owe(_ effect: OutboxEffect) async throws -> OutboxEffect {
    try #require(try await settle(owed: [effect]).first)
  }

  /// Commits what became of effects. Returns the ones owed anew.
  @discardableResult
  func settle(finished: [OutboxEffect] = [], postponed: [OutboxEffect] = [], owed: [OutboxEffect] = []) async throws -> [OutboxEffect] {
    var changes = Changes()
    changes.finishedEffects = finished
    changes.postponedEffects = postponed
    changes.effects = owed
    return try await commit(changes, at: .statusesSettled).effects
  }
}

/// Whether an action fails with a conflict; any other error goes through.
func conflicts(_ action: () async throws -> some Any) async throws -> Bool {
  do {
    _ = try await action()
    return false
  } catch StoreError.conflict {
    return true
  }
}
