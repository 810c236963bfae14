import Domain
import Foundation
import Policies
import RunnerHub
import Storage

/// One call of each policy, the default ones in Lua, against the built-in rule in Swift that says the same.
enum PolicyBenchmark: Benchmark {
  static let name = "policy"
  private static let rounds = 7

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let lua = ActivePolicies(bundle: try PolicyBundle(folder: surroundings.policies)).makeEngine()
    let swift = BuiltInPolicy()
    let settings = Sample.settings([Sample.pool(maximum: 1000)])
    let job = PolicyJob(Sample.queuedJob(1, settings: settings, at: Date()))
    let pool = PolicyPool(name: "linux", minimum: 0, maximum: 1000, warm: 10, total: 500, idle: 10, busy: 490, pending: 40, active: 490)
    let fleet = PolicyFleet(now: Date(), pools: [pool], pending: 40, active: 490)
    let now = Date()
    let candidates = (0..<500).map { candidate($0, now: now) }

    Progress.say("policy: calls …")
    try expectLua(lua.route(job, fleet: fleet))
    try expectLua(lua.place(job, candidates: candidates, now: now))
    let reload = try await reloads(surroundings, lua: lua, job, fleet)
    return [
      compare("routing call", 2_000, .below(10), { _ = lua.route(job, fleet: fleet) }, { _ = swift.route(job, fleet: fleet) }),
      compare("priority call", 2_000, .below(10), { _ = lua.prioritise(job, fleet: fleet) }, { _ = swift.prioritise(job, fleet: fleet) }),
      compare(
        "affinity of 500 containers", 40, .below(250), { _ = lua.place(job, candidates: candidates, now: now) },
        { _ = swift.place(job, candidates: candidates, now: now) }),
      compare("scaling call", 2_000, nil, { _ = lua.scale(pool, fleet: fleet) }, { _ = swift.scale(pool, fleet: fleet) }),
    ] + reload
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
