import Domain
import Foundation
import RunnerHub
import Scheduling

/// Jobs, containers and assignments as RunnerHub itself would have stored them, with everything that decisions leave behind.
enum Sample {
  static let commit = "16c5286e8d9a0629956a28938386b36608707a71"
  static let repository = Repository(id: 591_427_149, fullName: "acme/storefront", isPrivate: true, defaultBranch: "main")
  static let run = RunContext(event: "push", path: ".github/workflows/ci.yml", headRepositoryID: 591_427_149, actor: "octocat")
  static let workflow = """
    name: CI
    on: push
    jobs:
      build:
        name: build (ubuntu, debug)
        runs-on: [self-hosted, linux]
        steps:
          - uses: actions/checkout@v4
          - run: make
          - run: make test
    """

  static let labels = ["self-hosted", "linux"]

  static func pool(maximum: Int, warm: Int = 0) -> Pool {
    Pool(
      name: "linux", engine: "instant", image: "runner:1", labels: ["self-hosted", "linux", "x64"],
      resources: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1), disk: ByteCount(gibibytes: 10)), minimum: 0, maximum: maximum,
      warm: warm)
  }

  static func settings(_ pools: [Pool], room: Int = 10_000) -> Settings {
    var settings = Settings(scope: .organization("acme"), pools: pools)
    settings.containerPoolSize = room
    settings.maximumConcurrentJobs = room
    return settings
  }

  /// A job that was received some time ago.
  static func job(_ number: Int, named name: String = "build (ubuntu, debug)", labels: [String] = labels, at time: Date) -> Job {
    Job(
      id: JobID(forgeID: Int64(20_000_000_000 + number), attempt: 1), forgeID: Int64(20_000_000_000 + number), runID: 4_747_967_848,
      runAttempt: 1, repository: repository, organization: "acme", installationID: 18_995_746, workflow: "CI", name: name, labels: labels,
      headSHA: commit, headBranch: "main",
      htmlURL: "https://github.com/acme/storefront/actions/runs/4747967848/jobs/\(20_000_000_000 + number)", createdAt: time,
      receivedAt: time)
  }

  /// The same, decided and waiting.
  static func queuedJob(_ number: Int, labels: [String] = labels, settings: Settings, at time: Date) -> Job {
    var job = job(number, labels: labels, at: time)
    job.run = run
    job.definition = .found(
      .init(
        path: ".github/workflows/ci.yml", commit: commit, key: "build", isExact: true, images: [], environment: nil, timeoutMinutes: nil))
    job.estimate = Estimate(
      resources: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1), disk: ByteCount(gibibytes: 1)), sources: ["default"])
    job.route = .orchestrator
    job.routeReason = "linux container job"
    job.priorityReason = "standard job"
    job.jobClass = settings.jobClass(repository: repository, labels: labels)
    job.queuedAt = time
    job.orderKey = QueueOrder().key(queuedAt: time, priority: .normal)
    job.placementReason = "pool linux is at its maximum of 1000"
    job.state = .queued
    return job
  }

  /// What the decisions of a job leave beside its row.
  static func record(_ job: Job, in changes: inout Changes) {
    let at = job.receivedAt
    for (kind, output, reason) in [
      ("routing", "orchestrator", "linux container job"), ("priority", "NORMAL", "standard job"),
    ] {
      changes.decisions.append(
        DecisionRecord(
          kind: kind, jobID: job.id, pool: nil, output: output, reason: reason, bundle: "7edde7c0192c", fallbackCause: nil, microseconds: 5,
          at: at))
    }
    for text in [
      "delivery 0f5c4e3a… workflow_job queued, verified, stored", "definition .github/workflows/ci.yml, job build",
      "estimate 1.0 CPU, 1 GiB (default)", "routing → orchestrator: linux container job", "priority → NORMAL: standard job",
    ] { changes.timeline.append(TimelineEntry(jobID: job.id, at: at, text: text)) }
  }

  /// The status that is owed to the forge: at 500 writes an hour, most of many jobs' statuses are.
  static func owe(_ job: Job, in changes: inout Changes) {
    guard
      let update = StatusUpdateBuilder.update(
        for: job, container: nil, decisions: [], detailsURL: "https://hub.example.org/jobs/\(job.id)")
    else { return }
    changes.effects.append(.status(update, dueAt: job.receivedAt))
  }

  static func containerID(_ number: Int) -> ContainerID { ContainerID(rawValue: "rh-linux-\(number)") }

  /// A job that runs, with its container and its assignment.
  static func running(_ number: Int, settings: Settings, at time: Date, in changes: inout Changes) {
    var job = queuedJob(number, settings: settings, at: time)
    let id = containerID(number)
    let pool = settings.pools[0]
    var container = Container(
      id: id, name: "linux-\(number)", pool: pool.name, engine: pool.engine, image: pool.image, resources: pool.resources,
      labels: pool.labels, state: .busy, createdAt: time)
    var assignment = Assignment(
      id: AssignmentID(rawValue: "rh-\(number)"), jobID: job.id, containerID: id,
      jobClass: settings.jobClass(repository: repository, labels: job.labels), priority: .normal, use: 1, assignedAt: time)
    assignment.phase = .running
    assignment.runnerID = Int64(number)
    container.assignment = assignment.id
    container.uses = 1
    container.trustScope = repository.fullName
    container.readyAt = time
    container.lastHeartbeat = time
    job.state = .running
    job.assignment = assignment.id
    job.containerID = id
    job.pool = pool.name
    job.runnerName = assignment.id.rawValue
    job.assignedAt = time
    job.startedAt = time
    job.placementReason = "scored 20: new container"
    job.steps = (1...6).map { JobStep(number: $0, name: "step \($0)", status: $0 < 3 ? "completed" : "queued", conclusion: nil) }
    record(job, in: &changes)
    changes.jobs.append(job)
    changes.containers.append(container)
    changes.assignments.append(assignment)
  }

  /// A job that ended, with its container and its assignment.
  static func finished(_ number: Int, settings: Settings, at time: Date, in changes: inout Changes) {
    running(number, settings: settings, at: time, in: &changes)
    changes.jobs[changes.jobs.count - 1].state = .completed
    changes.jobs[changes.jobs.count - 1].conclusion = .success
    changes.jobs[changes.jobs.count - 1].completedAt = time
    changes.containers[changes.containers.count - 1].state = .gone
    changes.containers[changes.containers.count - 1].assignment = nil
    changes.assignments[changes.assignments.count - 1].phase = .released
    changes.assignments[changes.assignments.count - 1].releasedAt = time
  }
}
