import Domain
import Foundation
import RunnerHub
import Scheduling
import Storage

/// What every loop does when nothing happens, with many finished jobs in the store against none: no tick may grow with history.
enum TickBenchmark: Benchmark {
  static let name = "ticks"
  private static let rounds = 7
  private static let finished = 50_000

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let settings = Sample.settings([Sample.pool(maximum: 100)])
    let young = try await Loops(Scene(waiting: 100, running: 100), settings, surroundings)
    let old = try await Loops(Scene(waiting: 100, running: 100, finished: finished), settings, surroundings)
    var ours: [Double] = []
    var others: [Double] = []
    for round in 1...rounds {
      Progress.say("ticks: round \(round) of \(rounds) …")
      others.append(try await young.tick())
      ours.append(try await old.tick())
    }
    return [
      Figure(
        "CPU of a tick of all loops, \(Text.number(Double(finished))) finished", Samples(ours).median, .milliseconds,
        against: ("none finished", Samples(others).median), rounds: zip(ours, others).map { $0 / $1 }, budget: .ratioAtMost(1.25))
    ]
  }

  private final class Loops {
    private let hub: [() async throws -> Void]

    init(_ scene: Scene, _ settings: Settings, _ surroundings: Surroundings) async throws {
      let directory = try await surroundings.workshop.directory(scene)
      let store = try SQLiteStore(path: directory.database)
      let transactor = Transactor(store: store, signals: Signals())
      let running = try await store.liveContainers().map(\.id)
      let roster = EngineRoster(engines: [InstantEngine(running: running)], pools: settings.pools)
      let forge = InstantForge()
      let engine = BuiltInPolicy()
      let monitor = OrchestratorMonitor(startedAt: Date())
      let planning = PlanningTurn(
        transactor: transactor, engines: roster, settings: settings, identities: RandomIdentitySource(), logger: .quiet)
      let scaling = ScalingTurn(transactor: transactor, settings: settings, identities: RandomIdentitySource(), logger: .quiet)
      let reconciler = Reconciler(
        transactor: transactor, forge: forge, reducer: JobReducer(settings: settings), engines: roster, settings: settings, logger: .quiet)
      let health = HealthMonitor(
        transactor: transactor, engines: roster, reconciler: reconciler, settings: settings, monitor: monitor, logger: .quiet)
      let reporter = StatusReporter(
        store: store, forge: forge, wakeUp: transactor.signals.reporting, monitor: monitor, logger: .quiet)
      var memory = PlanningTurn.Memory()
      var history: [String: ScaleHistory] = [:]
      hub = [
        { _ = try await planning.turn(&memory, with: engine) }, { try await scaling.turn(&history, with: engine) },
        { await reconciler.turn() }, { for engine in roster.engines.values { await health.check(engine) } },
        { _ = await reporter.turn() }, { _ = try await store.pendingDeliveries(limit: 64) },
        { _ = try await store.jobs(in: [.received], limit: 256) }, { _ = try await store.jobCounts() },
      ]
      _ = try await tick()
    }

    /// Milliseconds of CPU.
    func tick() async throws -> Double {
      let (_, cost) = try await Cost.measure { for turn in hub { try await turn() } }
      return cost.cpuSeconds * 1000
    }
  }
}
