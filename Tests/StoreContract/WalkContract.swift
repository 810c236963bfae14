import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  static let walks = (1...3).map { seed in
    StoreContract("random changes leave the store as they leave a model of it (seed \(seed))") { store async throws in
      var walk = Walk(seed: UInt64(seed))
      for _ in 0..<150 {
        let changes = walk.changes()
        let expected = walk.model.apply(changes)
        do {
          let stored = try await store.commit(changes, at: .deliveriesApplied)
          #expect(expected, "the model has a conflict, the store has none")
          walk.model.adopt(stored)
        } catch StoreError.conflict {
          #expect(!expected, "the store has a conflict, the model has none")
        }
        try await walk.model.compare(with: store)
      }
    }
  }
}

/// SplitMix64, so that a walk can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A walk over few identities, so that its changes meet.
private struct Walk {
  var model = Model()
  var random: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(state: seed)
  }

  mutating func changes() -> Changes {
    var changes = Changes()
    for _ in 0..<Int.random(in: 0...3, using: &random) { changes.jobs.append(job()) }
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      changes.effects.append(Sample.effect("k\(Int.random(in: 0..<4, using: &random))", run: Int64.random(in: 0..<99, using: &random)))
    }
    // Effects as they were read, now or some steps ago.
    if Bool.random(using: &random), let effect = model.seenEffects.randomElement(using: &random) { changes.finishedEffects = [effect] }
    if Bool.random(using: &random), var effect = model.seenEffects.randomElement(using: &random) {
      effect.dueAt = Sample.time(Double(Int.random(in: 0..<100, using: &random)))
      effect.tries += 1
      changes.postponedEffects = [effect]
    }
    return changes
  }

  private mutating func job() -> Job {
    let id = Int64.random(in: 1...12, using: &random)
    let need = Resources(
      milliCPUs: Int.random(in: 1...9, using: &random), memory: ByteCount(bytes: Int64.random(in: 1...9, using: &random)))
    let jobClass = JobClass(scope: "acme", labels: [["linux", "arm"].randomElement(using: &random) ?? ""])
    var job = Sample.queued(
      id, in: jobClass, order: Double(Int.random(in: 0..<9, using: &random)), need: Bool.random(using: &random) ? need : nil,
      isFork: Int.random(in: 0..<5, using: &random) == 0)
    if Bool.random(using: &random) { job.state = JobState.allCases.randomElement(using: &random) ?? .queued }
    job.version = model.jobs[job.id]?.version ?? 0
    if Int.random(in: 0..<12, using: &random) == 0 { job.version += 1 }
    return job
  }
}

/// What the store should hold, in the simplest form.
private struct Model {
  var jobs: [JobID: Job] = [:]
  var effects: [String: OutboxEffect] = [:]
  var seenEffects: [OutboxEffect] = []

  /// Applies the changes, or nothing. Returns whether there was no conflict.
  mutating func apply(_ changes: Changes) -> Bool {
    var new = self
    for job in changes.jobs {
      guard new.jobs[job.id]?.version ?? 0 == job.version else { return false }
      new.jobs[job.id] = job
      new.jobs[job.id]?.version += 1
    }
    for effect in changes.finishedEffects where new.effects[effect.key]?.revision == effect.revision { new.effects[effect.key] = nil }
    for effect in changes.postponedEffects where new.effects[effect.key]?.revision == effect.revision { new.effects[effect.key] = effect }
    self = new
    return true
  }

  /// Takes over the revisions that only the store can give.
  mutating func adopt(_ stored: Changes) {
    for effect in stored.effects {
      #expect(effect.revision > effects[effect.key]?.revision ?? 0)
      effects[effect.key] = effect
      seenEffects.append(effect)
    }
  }

  func compare(with store: any Store) async throws {
    #expect(try await store.jobCounts() == Dictionary(grouping: jobs.values, by: \.state).mapValues(\.count))
    let all = jobs.values.sorted { ($0.receivedAt, $0.id) < ($1.receivedAt, $1.id) }
    #expect(try await store.jobs(in: Set(JobState.allCases), limit: 1000) == all)
    let due = effects.values.sorted { ($0.dueAt, $0.key) < ($1.dueAt, $1.key) }
    #expect(try await store.dueEffects(at: .distantFuture, limit: 1000) == due)
    #expect(try await store.queue(heads: 3) == queue)
  }

  private static func facts(of jobs: [Job]) -> LeftJobs {
    let needs = jobs.compactMap(\.estimate?.resources)
    return LeftJobs(
      holdsForkJob: jobs.contains(where: \.isFromFork), largest: needs.dropFirst().reduce(needs.first) { $0?.union($1) },
      repositories: Set(jobs.map(\.repository.fullName)))
  }

  private var queue: [ClassQueue] {
    let left = Dictionary(grouping: jobs.values.filter { $0.state == .forwarded }, by: \.jobClass)
    return Dictionary(grouping: jobs.values.filter { $0.state == .queued }, by: \.jobClass).compactMap { jobClass, jobs in
      guard let jobClass else { return nil }
      let order = jobs.sorted { ($0.orderKey ?? 0, $0.id) < ($1.orderKey ?? 0, $1.id) }
      let needs = jobs.compactMap(\.estimate?.resources)
      return ClassQueue(
        jobClass: jobClass, count: jobs.count, heads: Array(order.prefix(3)), holdsForkJob: jobs.contains(where: \.isFromFork),
        largest: needs.dropFirst().reduce(needs.first) { $0?.union($1) }, left: Self.facts(of: left[jobClass] ?? []))
    }.sorted { $0.jobClass < $1.jobClass }
  }
}
