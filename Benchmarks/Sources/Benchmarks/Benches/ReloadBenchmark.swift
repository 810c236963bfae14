import Domain
import Foundation
import Logging
import Policies
import RunnerHub
import Storage

/// Planner and intake over one store while another bundle is checked, tested, stored and swapped in every second, against the same without.
///
/// The planner has room: each of its turns asks Lua about 64 waiting jobs and binds them. The intake writes into the same store, and so does
/// the keeper of the policies.
enum ReloadBenchmark: Benchmark {
  static let name = "reloads"
  private static let rounds = 5
  private static let turns = 60
  private static let waiting = 5000

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let folder = try ChangingFolder(surroundings)
    let deliveries = SignedDeliveries(count: 60_000)
    var (calm, busy) = ([Reading](), [Reading]())
    for round in 1...rounds {
      Progress.say("reloads: round \(round) of \(rounds) …")
      calm.append(try await reading(folder, deliveries, reloads: false, surroundings))
      busy.append(try await reading(folder, deliveries, reloads: true, surroundings))
    }
    let reloads = busy.reduce(0) { $0 + $1.reloads }
    // The intake alone is measured for two seconds.
    guard reloads >= 2 * rounds else { throw BenchmarkFailure("only \(reloads) reloads in \(rounds) rounds") }
    return [
      Figure(
        "planner turn of 64 bindings while policies reload each second", Samples(busy.map(\.turn)).median, .milliseconds,
        against: ("without", Samples(calm.map(\.turn)).median), rounds: zip(busy, calm).map { $0.turn / $1.turn },
        budget: .ratioAtMost(1.1)),
      Figure(
        "intake rate while policies reload each second", Samples(busy.map(\.rate)).median, .perSecond,
        against: ("without", Samples(calm.map(\.rate)).median), rounds: zip(busy, calm).map { $0.rate / $1.rate },
        budget: .ratioAtLeast(0.9)),
    ]
  }

  private struct Reading {
    /// Milliseconds of one turn.
    var turn: Double
    /// Deliveries a second.
    var rate: Double
    /// Bundles that were put into place meanwhile.
    var reloads: Int
  }

  /// Both, over a store of their own: every round finds the same jobs waiting.
  private static func reading(
    _ folder: ChangingFolder, _ deliveries: SignedDeliveries, reloads: Bool, _ surroundings: Surroundings
  ) async throws -> Reading {
    let directory = try await surroundings.workshop.directory(Scene(waiting: waiting))
    let store = try SQLiteStore(path: directory.database)
    let keeper = PolicyKeeper(folder: folder.path, archive: store, logger: .quiet)
    try await keeper.start()
    let changing = reloads ? folder.change(under: keeper) : nil
    defer { changing?.cancel() }
    let turn = try await planning(over: store, with: keeper.active)
    let rate = try await IntakeBenchmark.listener(into: store) { port in try await IntakeBenchmark.rate(port, deliveries) }
    changing?.cancel()
    let count = try await changing?.value ?? 0
    try store.close()
    try surroundings.workshop.discard(directory)
    return Reading(turn: turn, rate: rate, reloads: count)
  }

  /// Turns of a planner that takes over each new bundle.
  /// - Returns: milliseconds of one.
  private static func planning(over store: SQLiteStore, with policies: ActivePolicies) async throws -> Double {
    let settings = Sample.settings([Sample.pool(maximum: 10_000)])
    let planning = PlanningTurn(
      transactor: Transactor(store: store, signals: Signals()), engines: EngineRoster(engines: [InstantEngine()], pools: settings.pools),
      settings: settings, identities: RandomIdentitySource(), logger: .quiet)
    var consumer = PolicyConsumer(source: policies)
    var memory = PlanningTurn.Memory()
    let start = Clock.now
    for _ in 0..<turns { _ = try await planning.turn(&memory, with: consumer.engine()) }
    let seconds = Clock.seconds(start, Clock.now)
    let bound = try await store.liveContainers().count
    guard bound == turns * PlanningTurn.heads else { throw BenchmarkFailure("\(bound) jobs were bound in \(turns) turns") }
    guard policies.status.event != nil else { throw BenchmarkFailure("no bundle acted: \(policies.status.refusal ?? "no reason")") }
    return seconds * 1000 / Double(turns)
  }

  /// A copy of the policies that can be given a new revision every second.
  private struct ChangingFolder {
    let path: String
    private let file: URL
    private let text: String

    init(_ surroundings: Surroundings) throws {
      let copy = surroundings.workshop.folder.appending(path: "reloaded-policies")
      try FileManager.default.copyItem(at: URL(filePath: surroundings.policies), to: copy)
      path = copy.path
      file = copy.appending(path: "routing.lua")
      text = try String(contentsOf: file, encoding: .utf8)
    }

    /// Until cancelled.
    /// - Returns: how many bundles were put into place.
    func change(under keeper: PolicyKeeper) -> Task<Int, any Error> {
      Task.detached { [file, text] in
        var count = 0
        while !Task.isCancelled {
          try (text + "\n-- revision \(UInt64.random(in: 0 ... .max))\n").write(to: file, atomically: true, encoding: .utf8)
          let change = try await keeper.lookAgain()
          guard change.outcome == .activated else {
            throw BenchmarkFailure("a changed bundle was not taken: \(change.problem ?? "no reason")")
          }
          count += 1
          do { try await Task.sleep(for: .seconds(1)) } catch { break }
        }
        return count
      }
    }
  }
}
