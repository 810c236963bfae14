import Domain
import Foundation
import Logging
import Policies
import RunnerHub
import Storage

/// One turn of the planner, from the store and back to it, with long queues against short ones. The pool is full, so that every turn
/// looks at the same queue; 100 jobs run.
enum PlannerBenchmark: Benchmark {
  static let name = "planner"
  private static let rounds = 7
  private static let turns = 20

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let settings = Sample.settings([Sample.pool(maximum: 100)])
    let short = try await Desk(Scene(waiting: 100, running: 100), settings, surroundings)
    let long = try await Desk(Scene(waiting: 100_000, running: 100), settings, surroundings)
    let crowded = try await Desk(Scene(waiting: 100, running: 1000), Sample.settings([Sample.pool(maximum: 1000)]), surroundings)
    var ours: [Double] = []
    var others: [Double] = []
    var busy: [Double] = []
    for round in 1...rounds {
      Progress.say("planner: round \(round) of \(rounds) …")
      others.append(try await short.turn(times: turns))
      ours.append(try await long.turn(times: turns))
      busy.append(try await crowded.turn(times: turns))
    }
    return [
      Figure(
        "planner turn, 100,000 waiting", Samples(ours).median, .milliseconds, against: ("100 waiting", Samples(others).median),
        rounds: zip(ours, others).map { $0 / $1 }, budget: .ratioAtMost(1.25)),
      Figure(
        "planner turn, 1,000 running", Samples(busy).median, .milliseconds, against: ("100 running", Samples(others).median),
        rounds: zip(busy, others).map { $0 / $1 }),
    ]
  }

  /// A planner over a store of its own.
  private final class Desk {
    private let planning: PlanningTurn
    private let engine: any PolicyEngine
    private var memory = PlanningTurn.Memory()

    init(_ scene: Scene, _ settings: Settings, _ surroundings: Surroundings) async throws {
      let directory = try await surroundings.workshop.directory(scene)
      let store = try SQLiteStore(path: directory.database)
      let roster = EngineRoster(engines: [InstantEngine()], pools: settings.pools)
      planning = PlanningTurn(
        transactor: Transactor(store: store, signals: Signals()), engines: roster, settings: settings,
        identities: RandomIdentitySource(), logger: .quiet)
      engine = ActivePolicies(bundle: try PolicyBundle(folder: surroundings.policies)).makeEngine()
      // The first turn writes the reasons for waiting.
      _ = try await turn(times: 2)
    }

    /// Milliseconds of one turn.
    func turn(times: Int) async throws -> Double {
      let (_, cost) = try await Cost.measure {
        for _ in 0..<times { _ = try await planning.turn(&memory, with: engine) }
      }
      return cost.seconds * 1000 / Double(times)
    }
  }
}
