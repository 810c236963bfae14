import Domain
import Foundation
import Logging
import Policies
import RunnerHub
import Storage

/// Planner and intake while another bundle is checked, tested and swapped in every second, against the same without.
enum ReloadBenchmark: Benchmark {
  static let name = "reloads"
  private static let rounds = 5
  /// Planner turns of a round: some three seconds of them, so that each round has its reloads.
  private static let turns = 1500

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let folder = try ReloadedFolder(surroundings)
    let desk = try await Desk(folder.policies, surroundings)
    let deliveries = SignedDeliveries(count: 60_000)
    var calm = (turn: [Double](), rate: [Double]())
    var busy = (turn: [Double](), rate: [Double]())
    for round in 1...rounds {
      Progress.say("reloads: round \(round) of \(rounds) …")
      calm.turn.append(try await desk.turn(times: turns))
      busy.turn.append(try await folder.whileReloading { try await desk.turn(times: turns) })
      calm.rate.append(try await IntakeBenchmark.listener(over: Scene(), surroundings) { try await IntakeBenchmark.rate($0, deliveries) })
      busy.rate.append(
        try await folder.whileReloading {
          try await IntakeBenchmark.listener(over: Scene(), surroundings) { try await IntakeBenchmark.rate($0, deliveries) }
        })
    }
    guard folder.reloads >= rounds else { throw BenchmarkFailure("only \(folder.reloads) reloads in \(rounds) rounds") }
    return [
      Figure(
        "planner turn while policies reload each second", Samples(busy.turn).median, .milliseconds,
        against: ("without", Samples(calm.turn).median), rounds: zip(busy.turn, calm.turn).map { $0 / $1 }, budget: .ratioAtMost(1.1)),
      Figure(
        "intake rate while policies reload each second", Samples(busy.rate).median, .perSecond,
        against: ("without", Samples(calm.rate).median), rounds: zip(busy.rate, calm.rate).map { $0 / $1 }, budget: .ratioAtLeast(0.9)),
    ]
  }

  /// A planner whose pool is full, and which takes over each new bundle.
  private final class Desk {
    private let planning: PlanningTurn
    private var consumer: PolicyConsumer
    private var memory = PlanningTurn.Memory()

    init(_ policies: PolicyFolder, _ surroundings: Surroundings) async throws {
      let settings = Sample.settings([Sample.pool(maximum: 100)])
      let directory = try await surroundings.workshop.directory(Scene(waiting: 100, running: 100))
      planning = PlanningTurn(
        transactor: Transactor(store: try SQLiteStore(path: directory.database), signals: Signals()),
        engines: EngineRoster(engines: [InstantEngine()], pools: settings.pools), settings: settings,
        identities: RandomIdentitySource(), logger: .quiet)
      consumer = PolicyConsumer(source: policies)
      // The first turn writes the reasons for waiting.
      _ = try await turn(times: 2)
    }

    /// Milliseconds of one turn.
    func turn(times: Int) async throws -> Double {
      let (_, cost) = try await Cost.measure {
        for _ in 0..<times { _ = try await planning.turn(&memory, with: consumer.engine()) }
      }
      return cost.seconds * 1000 / Double(times)
    }
  }

  /// A copy of the policies that is given a new revision every second.
  private final class ReloadedFolder {
    let policies: PolicyFolder
    private let file: URL
    private let text: String

    init(_ surroundings: Surroundings) throws {
      let copy = surroundings.workshop.folder.appending(path: "reloaded-policies")
      try FileManager.default.copyItem(at: URL(filePath: surroundings.policies), to: copy)
      policies = PolicyFolder(path: copy.path, logger: .quiet)
      file = copy.appending(path: "routing.lua")
      text = try String(contentsOf: file, encoding: .utf8)
    }

    var reloads: Int { policies.status.reloads }

    func whileReloading<Value>(_ work: () async throws -> Value) async throws -> Value {
      let reloading = Task.detached { [policies, file, text] in
        while !Task.isCancelled {
          try (text + "\n-- revision \(UInt64.random(in: 0 ... .max))\n").write(to: file, atomically: true, encoding: .utf8)
          policies.reload()
          do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
      }
      let value = try await work()
      reloading.cancel()
      try await reloading.value
      return value
    }
  }
}
