import Domain
import Foundation
import Testing

@testable import RunnerHub

/// A generator that a seed repeats.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Random walks over the whole core")
struct WalkTests {
  /// GitHub as it is, or another platform with the same numbers: it hands queued jobs to whatever runner of its own has its files, and loses,
  /// doubles and delays the news.
  private struct Platform {
    var source: String?
    var status: [Int64: String] = [:]
    var runner: [Int64: String] = [:]
    var news: [JobReport] = []

    mutating func say(_ id: Int64, _ action: String, conclusion: String? = nil, on bench: Bench, _ random: inout SplitMix) {
      status[id] = action
      let report = self.report(id, action, conclusion: conclusion)
      forge(bench).with { state in
        var answer = report
        answer.action = nil
        state.jobs[id] = answer
      }
      switch Int.random(in: 0..<10, using: &random) {
      case 0 where action != "queued": break
      case 1: news += [report, report]
      default: news.append(report)
      }
    }

    private func report(_ id: Int64, _ action: String, conclusion: String?) -> JobReport {
      var repository = Bench.repository
      repository.source = source
      return Bench.report(id, action, conclusion: conclusion, runner: runner[id], repository: repository)
    }
    func forge(_ bench: Bench) -> FakeForge { source == nil ? bench.forge : bench.gitlab }
    func jobID(_ id: Int64) -> JobID { JobID(source: source, forgeID: id, attempt: 1) }
  }

  @Test("no job is lost or served twice, and nothing leaks, whatever happens", arguments: 0..<16)
  func walk(seed: UInt64) async throws {
    var random = SplitMix(state: seed)
    let bench = try Bench { settings in
      settings.maximumTries = 3
      settings.pools = [nil, "gitlab"].map { source in
        Bench.pool { pool in
          pool.name = source ?? "p"
          pool.source = source
          pool.maximum = 4
          if seed % 2 == 0 { pool.reuse = ReuseRule(maximumUses: 3, maximumAgeSeconds: 3600) }
        }
      }
    }
    var platforms = [Platform(), Platform(source: "gitlab")]
    for _ in 0..<160 { try await step(bench, &platforms[Int.random(in: 0...1, using: &random)], &random) }
    for forge in [bench.forge, bench.gitlab] { forge.with { $0.faults = [:] } }
    bench.engine.with { $0.faults = [:] }
    try await settle(bench, &platforms, &random)
    for platform in platforms {
      #expect(!platform.status.isEmpty)
      for id in platform.status.keys {
        let job = try await bench.job(id, of: platform.source)
        #expect(job.state.isFinal, "job \(job.id) is \(job.state): \(job.placementReason ?? "without a reason")")
      }
      #expect(platform.forge(bench).runnerNames.isEmpty)
    }
    #expect(try await bench.store.activeAssignments().isEmpty)
    let rows = try await bench.store.liveContainers()
    #expect(rows.allSatisfy { $0.state == .ready && $0.assignment == nil })
    #expect(bench.engine.containers == Set(rows.map(\.id)))
  }

  private func step(_ bench: Bench, _ platform: inout Platform, _ random: inout SplitMix) async throws {
    bench.clock.advance(Double.random(in: 0..<5, using: &random))
    switch Int.random(in: 0..<14, using: &random) {
    case 0, 1:
      if platform.status.count < 12 { platform.say(Int64(platform.status.count + 1), "queued", on: bench, &random) }
    case 2: try await deliverSome(bench, &platform, &random)
    case 3: try await bench.decide()
    case 4, 5: try await bench.plan()
    case 6, 7: try await bench.work()
    case 8: handOut(bench, &platform, &random)
    case 9: finishOne(bench, &platform, &random)
    case 10: cancelOne(bench, &platform, &random)
    case 11: fault(bench, platform.forge(bench), &random)
    case 12: await bench.makeHealth().check(bench.engine)
    default: await bench.makeReconciler().turn()
    }
    try await checkInvariants(bench)
  }

  /// Runs everything, the forge included, until nothing is left to do.
  private func settle(_ bench: Bench, _ platforms: inout [Platform], _ random: inout SplitMix) async throws {
    for _ in 0..<60 {
      if try await isQuiet(bench, platforms) { return }
      for index in platforms.indices { while !platforms[index].news.isEmpty { try await deliverSome(bench, &platforms[index], &random) } }
      try await bench.decide()
      try await bench.plan()
      try await bench.work()
      for index in platforms.indices {
        handOut(bench, &platforms[index], &random)
        while finishOne(bench, &platforms[index], &random) {}
        // A job that we gave up is cancelled at the forge, after a day.
        for id in platforms[index].status.keys.sorted()
        where try await bench.store.job(platforms[index].jobID(id))?.state == .failed && platforms[index].status[id] == "queued" {
          platforms[index].say(id, "completed", conclusion: "cancelled", on: bench, &random)
        }
      }
      bench.clock.advance(130)
      await bench.makeHealth().check(bench.engine)
      await bench.makeReconciler().turn()
      try await checkInvariants(bench)
    }
  }

  /// Every job has ended in both books, and nothing is held or on its way out.
  private func isQuiet(_ bench: Bench, _ platforms: [Platform]) async throws -> Bool {
    for platform in platforms {
      guard platform.news.isEmpty, platform.status.values.allSatisfy({ $0 == "completed" }) else { return false }
      for id in platform.status.keys where try await bench.store.job(platform.jobID(id))?.state.isFinal != true { return false }
    }
    guard try await bench.store.activeAssignments().isEmpty else { return false }
    let containers = try await bench.store.liveContainers()
    // What the engine lost unseen is found by the next check.
    return containers.allSatisfy { $0.state == .ready } && bench.engine.containers == Set(containers.map(\.id))
  }

  private func deliverSome(_ bench: Bench, _ platform: inout Platform, _ random: inout SplitMix) async throws {
    guard !platform.news.isEmpty else { return }
    platform.news.shuffle(using: &random)
    let count = Int.random(in: 1...min(3, platform.news.count), using: &random)
    try await bench.deliver(Array(platform.news.prefix(count)))
    platform.news.removeFirst(count)
  }

  /// Runners that are registered and have had no job.
  private func listening(_ bench: Bench, _ platform: Platform) -> [String] {
    platform.forge(bench).runnerNames.subtracting(platform.runner.values).sorted()
  }

  private func handOut(_ bench: Bench, _ platform: inout Platform, _ random: inout SplitMix) {
    for name in listening(bench, platform) {
      let queued = platform.status.filter { $0.value == "queued" }.keys.sorted()
      guard let id = queued.randomElement(using: &random), isStarted(name, bench) else { continue }
      platform.runner[id] = name
      platform.forge(bench).with { _ = $0.busy.insert(name) }
      platform.say(id, "in_progress", on: bench, &random)
    }
  }

  /// The container that has the registration of the runner waits for a job.
  private func box(of name: String, _ bench: Bench) -> ContainerID? {
    bench.engine.with { state in
      state.boxes.first { _, box in
        box.isRunning && box.use > box.endedUse
          && box.files[".runner"] == Data(name.utf8)
      }?.key
    }
  }
  private func isStarted(_ name: String, _ bench: Bench) -> Bool { box(of: name, bench) != nil }

  @discardableResult
  private func finishOne(_ bench: Bench, _ platform: inout Platform, _ random: inout SplitMix) -> Bool {
    let running = platform.status.filter { $0.value == "in_progress" }.keys.sorted()
    guard let id = running.randomElement(using: &random), let name = platform.runner[id] else { return false }
    if let container = box(of: name, bench) { bench.engine.endUse(container) }
    platform.forge(bench).runnerLeft(name)
    platform.say(id, "completed", conclusion: Bool.random(using: &random) ? "success" : "failure", on: bench, &random)
    return true
  }

  private func cancelOne(_ bench: Bench, _ platform: inout Platform, _ random: inout SplitMix) {
    let queued = platform.status.filter { $0.value == "queued" }.keys.sorted()
    guard Bool.random(using: &random), let id = queued.randomElement(using: &random) else { return }
    platform.say(id, "completed", conclusion: "cancelled", on: bench, &random)
  }

  private func fault(_ bench: Bench, _ forge: FakeForge, _ random: inout SplitMix) {
    let engineFault: EngineError? = [nil, nil, .unavailable("down"), .invalid("bad")].randomElement(using: &random) ?? nil
    let forgeFault: ForgeError? =
      [nil, nil, .unavailable("502"), .throttled(until: bench.clock.now + 3, "slow")].randomElement(using: &random) ?? nil
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      bench.engine.set(engineFault, on: [.create, .start, .put, .recycle, .list, .inspect, .remove].randomElement(using: &random) ?? .put)
    case 1: forge.set(forgeFault, on: [.register, .remove, .job].randomElement(using: &random) ?? .job)
    case 2: if let id = bench.engine.containers.sorted().randomElement(using: &random) { bench.engine.kill(id) }
    default: if let id = bench.engine.containers.sorted().randomElement(using: &random) { bench.engine.lose(id) }
    }
  }

  private func checkInvariants(_ bench: Bench) async throws {
    let active = try await bench.store.activeAssignments()
    let containers = try await bench.store.liveContainers()
    #expect(Dictionary(grouping: containers, by: \.pool).allSatisfy { $0.value.count <= 4 })
    let working = active.filter { $0.phase != .releasing }
    #expect(Set(working.map(\.jobID)).count == working.count, "a job is served twice")
    #expect(Set(active.map(\.containerID)).count == active.count, "a container is held twice")
    for assignment in working {
      let job = try #require(try await bench.store.job(assignment.jobID))
      #expect(
        job.assignment == assignment.id && !job.state.isFinal,
        "\(assignment.id) (\(assignment.phase)) serves job \(job.id), which is \(job.state)")
      #expect(assignment.jobClass.source == job.source, "\(assignment.id) of one source serves job \(job.id)")
      let pool = try await bench.store.container(assignment.containerID)?.pool
      #expect(pool == job.source ?? "p", "job \(job.id) is in pool \(pool ?? "none")")
    }
    for container in containers {
      guard let holder = container.assignment else { continue }
      #expect(active.contains { $0.id == holder && $0.containerID == container.id }, "\(container.id) is held by \(holder)")
    }
    for job in try await bench.store.jobs(in: [.assigned, .starting], limit: 100) {
      #expect(active.contains { $0.id == job.assignment && $0.jobID == job.id }, "job \(job.id) holds nothing")
    }
  }
}
