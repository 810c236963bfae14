import Domain
import Foundation
import RunnerHub
import Synchronization

/// Jobs and updates to report.
enum Sample {
  static let start = Date(timeIntervalSince1970: 1_780_000_000)

  static func job(_ id: Int64 = 1, state: JobState = .queued, name: String = "build (ubuntu)") -> Job {
    var job = Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: 77, runAttempt: 1,
      repository: Repository(id: 5, fullName: "acme/storefront", isPrivate: true, defaultBranch: "main"), installationID: 9, name: name,
      labels: ["linux"], headSHA: "f83a356", state: state, createdAt: start, receivedAt: start)
    job.route = .orchestrator
    job.routeReason = "linux container job"
    job.queuedAt = start
    return job
  }

  static func update(_ id: Int64, _ status: StatusUpdate.Status = .queued, title: String = "t") -> StatusUpdate {
    StatusUpdate(
      jobID: JobID(forgeID: id, attempt: 1), repository: "acme/storefront", installationID: nil, headSHA: "f83a356",
      name: "RunnerHub / job \(id)",
      status: status, conclusion: status == .completed ? .success : nil, title: title, summary: "", detailsURL: nil, startedAt: nil,
      completedAt: nil)
  }
}

/// A store in memory with only what the reporter needs: durable for as long as the test lives, and strict about versions and revisions.
final class MemoryStore: OutboxReader, ChangeWriter, ForgeMemory, JobReader, Sendable {
  struct Rows: Sendable {
    var jobs: [JobID: Job] = [:]
    var effects: [String: OutboxEffect] = [:]
    var memory: [String: String] = [:]
    var timeline: [TimelineEntry] = []
    var revision: Int64 = 0
    /// Commits that carry jobs to refuse as conflicts.
    var conflicts = 0
    /// Reads of due effects to refuse.
    var outages = 0
    var commits = 0
  }
  let rows = Mutex(Rows())

  func dueEffects(at now: Date, limit: Int) async throws(StoreError) -> [OutboxEffect] {
    try due(at: now, limit: limit) { _ in true }
  }
  func dueEffects(
    _ rank: OutboxEffect.Rank, to source: String?, at now: Date, limit: Int
  ) async throws(StoreError) -> [OutboxEffect] {
    try due(at: now, limit: limit) { $0.rank == rank && $0.source == source }
  }
  private func due(at now: Date, limit: Int, where isWanted: (OutboxEffect) -> Bool) throws(StoreError) -> [OutboxEffect] {
    let found: [OutboxEffect]? = rows.withLock { rows in
      if rows.outages > 0 {
        rows.outages -= 1
        return nil
      }
      return Array(
        rows.effects.values.filter { $0.dueAt <= now && isWanted($0) }.sorted { ($0.dueAt, $0.key) < ($1.dueAt, $1.key) }.prefix(limit))
    }
    guard let found else { throw .unavailable("disk full") }
    return found
  }
  func nextEffectTime() async throws(StoreError) -> Date? { rows.withLock { $0.effects.values.map(\.dueAt).min() } }
  func nextEffectTime(_ rank: OutboxEffect.Rank, to source: String?) async throws(StoreError) -> Date? {
    rows.withLock { $0.effects.values.filter { $0.rank == rank && $0.source == source }.map(\.dueAt).min() }
  }
  func effectCount() async throws(StoreError) -> Int { rows.withLock { $0.effects.count } }
  func value(forKey key: String) async throws(StoreError) -> String? { rows.withLock { $0.memory[key] } }
  func job(_ id: JobID) async throws(StoreError) -> Job? { rows.withLock { $0.jobs[id] } }

  @discardableResult
  func commit(_ changes: Changes, at point: CommitPoint) async throws(StoreError) -> Changes {
    let isStored = rows.withLock { rows in
      if !changes.jobs.isEmpty, rows.conflicts > 0 {
        rows.conflicts -= 1
        return false
      }
      guard changes.jobs.allSatisfy({ $0.version == (rows.jobs[$0.id]?.version ?? 0) }) else { return false }
      rows.commits += 1
      for var job in changes.jobs {
        job.version += 1
        rows.jobs[job.id] = job
      }
      for var effect in changes.effects {
        rows.revision += 1
        effect.revision = rows.revision
        rows.effects[effect.key] = effect
      }
      for effect in changes.finishedEffects where rows.effects[effect.key]?.revision == effect.revision { rows.effects[effect.key] = nil }
      for effect in changes.postponedEffects where rows.effects[effect.key]?.revision == effect.revision {
        rows.effects[effect.key] = effect
      }
      rows.memory.merge(changes.memory) { $1 }
      rows.timeline += changes.timeline
      return true
    }
    guard isStored else { throw .conflict("a job") }
    return changes
  }

  func jobs(in states: Set<JobState>, limit: Int) async throws(StoreError) -> [Job] {
    rows.withLock { Array($0.jobs.values.filter { states.contains($0.state) }.sorted { $0.createdAt < $1.createdAt }.prefix(limit)) }
  }
  func jobs(in states: Set<JobState>, receivedBefore: Date, after job: Job?, limit: Int) async throws(StoreError) -> [Job] {
    try await jobs(in: states, limit: limit).filter { $0.receivedAt < receivedBefore }
  }
  func jobs(ofRun runID: Int64, attempt: Int, source: String?) async throws(StoreError) -> [Job] {
    rows.withLock { $0.jobs.values.filter { $0.source == source && $0.runID == runID && $0.runAttempt == attempt } }
  }
  func recentJobs(limit: Int) async throws(StoreError) -> [Job] {
    rows.withLock { Array($0.jobs.values.sorted { $0.createdAt > $1.createdAt }.prefix(limit)) }
  }
  func jobCounts() async throws(StoreError) -> [JobState: Int] {
    rows.withLock { Dictionary(grouping: $0.jobs.values, by: \.state).mapValues(\.count) }
  }
  func queue(heads: Int) async throws(StoreError) -> [ClassQueue] { throw .unavailable("the reporter reads no queue") }
  func refusedJobsForHook(limit: Int) async throws(StoreError) -> [Job] {
    rows.withLock { $0.jobs.values.filter { $0.refusalAction == .failByHook } }
  }
  func newestJobs(byRepositorySince: Date, limit: Int) async throws(StoreError) -> [Job] {
    throw .unavailable("the reporter reads no lists")
  }
  func waits(since: Date) async throws(StoreError) -> [Double] { throw .unavailable("the reporter reads no waits") }
}

/// A forge that remembers what it was told, and answers as the test says.
final class RecordingForge: Forge, Sendable {
  struct State: Sendable {
    var published: [(update: StatusUpdate, handle: String?)] = []
    var cancelled: [Int64] = []
    /// Answers to the next calls, in order; afterwards everything works.
    var failures: [ForgeError] = []
    var atOnce = 0
    var mostAtOnce = 0
  }
  let state = Mutex(State())

  private func nextFailure() -> ForgeError? { state.withLock { $0.failures.isEmpty ? nil : $0.failures.removeFirst() } }

  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String {
    state.withLock {
      $0.atOnce += 1
      $0.mostAtOnce = max($0.mostAtOnce, $0.atOnce)
    }
    await Task.yield()
    state.withLock { $0.atOnce -= 1 }
    if let failure = nextFailure() { throw failure }
    state.withLock { $0.published.append((update, handle)) }
    return handle ?? "check-\(update.jobID)"
  }
  func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) {
    if let failure = nextFailure() { throw failure }
    state.withLock { $0.cancelled.append(id) }
  }
  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    throw .invalid("the reporter registers no runner")
  }
  func removeRunner(id: Int64, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError) -> RunnerRemoval {
    throw .invalid("the reporter removes no runner")
  }
  func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval {
    throw .invalid("the reporter removes no runner")
  }
  func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport { throw .notFound("run \(id)") }
  func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String {
    throw .notFound(path)
  }
  func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport { throw .notFound("job \(id)") }
}

/// A clock that stands still until it is moved.
final class ManualTime: Sendable {
  private let value = Mutex(Sample.start)
  var now: Date { value.withLock { $0 } }
  func advance(_ seconds: Double) { value.withLock { $0 += seconds } }
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
