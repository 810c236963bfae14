import Domain
import Foundation
import Policies
import RunnerHub
import Storage

/// One call of each policy, the default ones in Lua, against the built-in rule in Swift that says the same, and against the same files in the
/// plain interpreter, which has no sandbox, no budgets and nothing to marshal.
///
/// Jobs take turns, the time goes on and one container is used by or freed from this repository from call to call: a call sends what it would in
/// the planner, and what changes is what the policy reads.
enum PolicyBenchmark: Benchmark {
  static let name = "policy"
  private static let rounds = 7

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let lua = ActivePolicies(bundle: try PolicyBundle(folder: surroundings.policies)).makeEngine()
    let example = surroundings.policies + "/examples/cache-affinity"
    let calling = ActivePolicies(bundle: try PolicyBundle(folder: example)).makeEngine()
    let swift = BuiltInPolicy()
    let settings = Sample.settings([Sample.pool(maximum: 1000)])
    let jobs = (1...64).map { PolicyJob(Sample.queuedJob($0, settings: settings, at: Date())) }
    let job = jobs[0]
    let pool = PolicyPool(name: "linux", minimum: 0, maximum: 1000, warm: 10, total: 500, idle: 10, busy: 490, pending: 40, active: 490)
    let fleet = PolicyFleet(now: Date(), pools: [pool], pending: 40, active: 490)
    let now = Date()
    let candidates = (0..<500).map { candidate($0, now: now) }

    Progress.say("policy: calls …")
    try expectLua(lua.route(job, fleet: fleet))
    try expectLua(lua.prioritise(job, fleet: fleet))
    try expectLua(lua.place(job, candidates: candidates, now: now))
    try expectLua(calling.place(job, candidates: candidates, now: now))
    let reload = try await reloads(surroundings, lua: lua, job, fleet)
    let placing = Placing(jobs: jobs, candidates: candidates, now: now)
    var (one, other, third) = (placing, placing, placing)
    var (turn, otherTurn) = (0, 0)
    func next() -> PolicyJob {
      turn += 1
      return jobs[turn % jobs.count]
    }
    func otherNext() -> PolicyJob {
      otherTurn += 1
      return jobs[otherTurn % jobs.count]
    }
    let route = { _ = lua.route(next(), fleet: fleet) }
    let prioritise = { _ = lua.prioritise(next(), fleet: fleet) }
    let place = { _ = one.next { lua.place($0, candidates: $1, now: $2) } }
    let placeCalling = { _ = third.next { calling.place($0, candidates: $1, now: $2) } }
    return try [
      compare("routing call", 2_000, .ratioAtMost(10), route, { _ = swift.route(otherNext(), fleet: fleet) }),
      plain("routing call", "route", 2_000, .below(10), route, surroundings.policies),
      compare("priority call", 2_000, .ratioAtMost(10), prioritise, { _ = swift.prioritise(otherNext(), fleet: fleet) }),
      plain("priority call", "prioritise", 2_000, .below(10), prioritise, surroundings.policies),
      compare(
        "affinity of 500 containers", 40, .below(250), place, { _ = other.next { swift.place($0, candidates: $1, now: $2) } }),
      plain("affinity of 500 containers", "place", 200, .ratioAtMost(2), place, surroundings.policies),
      plain("affinity of 500 containers, example `cache-affinity`", "place", 200, nil, placeCalling, example),
      compare("scaling call", 2_000, nil, { _ = lua.scale(pool, fleet: fleet) }, { _ = swift.scale(pool, fleet: fleet) }),
    ] + reload
  }

  /// Placements one after the other, as a planner makes them.
  private struct Placing {
    let jobs: [PolicyJob]
    var candidates: [PolicyContainer]
    var now: Date
    var turn = 0

    init(jobs: [PolicyJob], candidates: [PolicyContainer], now: Date) {
      self.jobs = jobs
      self.candidates = candidates
      self.now = now
    }

    mutating func next<Answer>(_ ask: (PolicyJob, [PolicyContainer], Date) -> Answer) -> Answer {
      turn += 1
      now += 0.01
      let place = turn % candidates.count
      candidates[place].uses += 1
      candidates[place].repository = candidates[place].repository == nil ? Sample.repository.fullName : nil
      return ask(jobs[turn % jobs.count], candidates, now)
    }
  }

  /// The same file in the plain interpreter, in a process of its own: what Lua alone costs.
  private static func plain(
    _ name: String, _ call: String, _ calls: Int, _ budget: Figure.Budget?, _ subject: () -> Void, _ policies: String
  ) throws -> Figure {
    var own: [Double] = []
    var other: [Double] = []
    for _ in 0..<rounds {
      own.append(microseconds(calls, subject))
      other.append(try PlainLua.microseconds(of: call, calls: calls, policies: policies))
    }
    return Figure(
      name, Samples(own).median, .microseconds, against: ("the same file in plain lua5.4", Samples(other).median),
      rounds: zip(own, other).map { $0 / $1 }, budget: budget)
  }

  private static func candidate(_ number: Int, now: Date) -> PolicyContainer {
    PolicyContainer(
      id: "rh-linux-\(number)", name: "linux-\(number)", pool: "linux", isNew: false, labels: ["self-hosted", "linux", "x64"],
      resources: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1)), uses: number % 4,
      repository: number.isMultiple(of: 3) ? Sample.repository.fullName : nil, createdAt: now - Double(number),
      idleSince: now - Double(number) / 2)
  }

  private static func expectLua<Value>(_ verdict: Verdict<Value>) throws {
    if let cause = verdict.fallbackCause { throw BenchmarkFailure("the built-in rule answered: \(cause)") }
  }

  private static func compare(
    _ name: String, _ calls: Int, _ budget: Figure.Budget?, _ subject: () -> Void, _ baseline: () -> Void
  ) -> Figure {
    var own: [Double] = []
    var other: [Double] = []
    for _ in 0..<rounds {
      own.append(microseconds(calls, subject))
      other.append(microseconds(calls, baseline))
    }
    return Figure(
      name, Samples(own).median, .microseconds, against: ("built-in rule", Samples(other).median), rounds: zip(own, other).map { $0 / $1 },
      budget: budget)
  }

  private static func microseconds(_ calls: Int, _ call: () -> Void) -> Double {
    let (_, cost) = Cost.measure { for _ in 0..<calls { call() } }
    return cost.seconds * 1e6 / Double(calls)
  }

  /// A changed folder until its bundle is active, and what calls of the bundle before take meanwhile.
  private static func reloads(
    _ surroundings: Surroundings, lua: any PolicyEngine, _ job: PolicyJob, _ fleet: PolicyFleet
  ) async throws -> [Figure] {
    let copy = surroundings.workshop.folder.appending(path: "policies")
    try FileManager.default.copyItem(at: URL(filePath: surroundings.policies), to: copy)
    let keeper = PolicyKeeper(folder: copy.path, archive: try SQLiteStore(), logger: .quiet)
    try await keeper.start()
    let file = copy.appending(path: "routing.lua")
    let text = try String(contentsOf: file, encoding: .utf8)
    var times: [Double] = []
    var reads: [Double] = []
    for round in 0..<10 {
      try (text + "\n-- revision \(round)\n").write(to: file, atomically: true, encoding: .utf8)
      let (change, cost) = try await Cost.measure { try await keeper.lookAgain() }
      guard change.outcome == .activated else { throw BenchmarkFailure("a changed bundle was not taken: \(change.problem ?? "no reason")") }
      times.append(cost.seconds * 1000)
      reads.append(try Cost.measure { _ = try PolicyBundle(folder: copy.path) }.1.seconds * 1000)
    }
    let calm = delays { _ = lua.route(job, fleet: fleet) }
    let reloading = Task.detached {
      var revision = 1000
      while !Task.isCancelled {
        revision += 1
        try (text + "\n-- revision \(revision)\n").write(to: file, atomically: true, encoding: .utf8)
        _ = try await keeper.lookAgain()
      }
    }
    let busy = delays { _ = lua.route(job, fleet: fleet) }
    reloading.cancel()
    try await reloading.value
    return [
      Figure(
        "hot reload", Samples(times).median, .milliseconds, against: ("reading the files", Samples(reads).median),
        rounds: zip(times, reads).map { $0 / $1 }, budget: .below(100)),
      Figure(
        "routing call p99 during reloads", busy.quantile(0.99), .microseconds, against: ("without", calm.quantile(0.99)),
        budget: .below(1000)),
    ]
  }

  private static func delays(_ call: () -> Void) -> Samples {
    Samples((0..<50_000).map { _ in microseconds(1, call) })
  }
}
