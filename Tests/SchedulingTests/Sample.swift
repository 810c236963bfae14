import Domain
import Foundation
import Scheduling

/// Values to test with: short to write, whole in every field.
enum Sample {
  static let start = Date(timeIntervalSince1970: 1_780_000_000)
  static let linux = JobClass(scope: "acme", labels: ["self-hosted", "linux"])
  static let gpu = JobClass(scope: "acme", labels: ["self-hosted", "gpu"])
  static let small = Resources(milliCPUs: 2000, memory: ByteCount(gibibytes: 4))
  static let large = Resources(milliCPUs: 8000, memory: ByteCount(gibibytes: 32), disk: ByteCount(gibibytes: 50))

  static func pool(
    _ name: String = "linux", labels: Labels = ["self-hosted", "linux"], resources: Resources = small, minimum: Int = 0, maximum: Int = 4,
    warm: Int = 0, forks: Bool = false, reuse: ReuseRule = .never
  ) -> Pool {
    Pool(
      name: name, engine: "process", image: "runner:1", labels: labels, resources: resources, minimum: minimum, maximum: maximum,
      warm: warm,
      acceptsForks: forks, reuse: reuse)
  }

  static func container(
    _ name: String, in pool: Pool = pool(), state: ContainerState = .ready, assignment: String? = nil, uses: Int = 0, scope: String? = nil,
    idleSince: Date = start
  ) -> Container {
    var container = Container(
      id: ContainerID(rawValue: "rh-\(name)"), name: name, pool: pool.name, engine: pool.engine, image: pool.image,
      resources: pool.resources,
      labels: pool.labels, state: state, createdAt: start.addingTimeInterval(-60))
    container.assignment = assignment.map(AssignmentID.init(rawValue:))
    container.uses = uses
    container.trustScope = scope
    container.idleSince = idleSince
    return container
  }

  static func job(
    _ id: Int64, _ jobClass: JobClass = linux, priority: Priority = .normal, queued seconds: Double = 0,
    repository: String = "acme/storefront",
    fork: Bool = false, needs: Resources? = nil, state: JobState = .queued
  ) -> Job {
    let repositoryID = Int64(repository.utf8.reduce(7) { $0 &* 31 &+ Int($1) } & 0xFFFF)
    var job = Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: id / 10, runAttempt: 1,
      repository: Repository(id: repositoryID, fullName: repository, isPrivate: true, defaultBranch: "main"), name: "job \(id)",
      labels: jobClass.labels.values, headSHA: "f83a356", state: state, createdAt: start, receivedAt: start)
    job.jobClass = jobClass
    job.priority = priority
    let queuedAt = start.addingTimeInterval(seconds)
    job.queuedAt = queuedAt
    job.orderKey = QueueOrder().key(queuedAt: queuedAt, priority: priority)
    job.estimate = needs.map { Estimate(resources: $0, sources: ["test"]) }
    if fork { job.run = RunContext(event: "pull_request", path: nil, headRepositoryID: repositoryID + 1, actor: nil) }
    return job
  }

  static func demand(_ jobs: [Job], count: Int? = nil, holdsForkJob: Bool? = nil, largest: Resources? = nil) -> ClassQueue {
    ClassQueue(
      jobClass: jobs.first?.jobClass ?? linux, count: count ?? jobs.count, heads: jobs.sorted { ($0.orderKey ?? 0) < ($1.orderKey ?? 0) },
      holdsForkJob: holdsForkJob ?? jobs.contains { $0.isFromFork }, largest: largest)
  }

  static func assignment(_ id: String, for job: Job, on container: Container, phase: AssignmentPhase = .started) -> Assignment {
    var assignment = Assignment(
      id: AssignmentID(rawValue: id), jobID: job.id, containerID: container.id, jobClass: job.jobClass ?? linux, priority: job.priority,
      use: 1,
      assignedAt: start)
    assignment.phase = phase
    return assignment
  }

  static let ample = PlanningLimits(
    maxConcurrentJobs: 100, containerPoolSize: 100,
    hosts: ["process": Resources(milliCPUs: 1_000_000, memory: ByteCount(gibibytes: 4000), disk: ByteCount(gibibytes: 40_000), gpus: 8)])

  static func input(
    pools: [Pool] = [pool()], containers: [Container] = [], queues: [ClassQueue], refusals: [Job] = [], assignments: [Assignment] = [],
    bound: [Job] = [], limits: PlanningLimits = ample, strategy: LoadBalancingStrategy = .affinity, cursor: Int = 0,
    affinity: @escaping (Job, [Candidate]) -> Affinity = { _, all in Affinity(scores: all.map { _ in .init(points: 50, reason: "same") }) }
  ) -> PlanningInput {
    PlanningInput(
      now: start.addingTimeInterval(3600), pools: pools, containers: containers, queues: queues, refusals: refusals,
      assignments: assignments,
      bound: bound, limits: limits, strategy: strategy, cursor: cursor, affinity: affinity)
  }
}

/// SplitMix64: a seeded generator, so that a failing walk can be walked again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
