import Foundation
import RunnerHub
import Storage
import Web

/// Signed deliveries by HTTP, each durable before its answer: against a bare route that only reads the body and answers, and against SQLite
/// alone, which writes the same rows in groups of 64.
enum IntakeBenchmark: Benchmark {
  static let name = "intake"
  private static let rounds = 5
  private static let seconds = 2.0
  private static let connections = 128
  private static let group = 64
  private static let waiting = 100_000

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let deliveries = SignedDeliveries(count: 60_000)
    let crowded = Scene(waiting: waiting)
    var bare: [Double] = []
    var sqlite: [Double] = []
    var empty: [Double] = []
    var full: [Double] = []
    for round in 1...rounds {
      Progress.say("intake: rates, round \(round) of \(rounds) …")
      bare.append(try await BareServer.serving { try await rate($0, deliveries) })
      sqlite.append(try GroupedWriter.rate(in: try await surroundings.workshop.directory(), deliveries, group: group, seconds: seconds))
      empty.append(try await listener(over: Scene(), surroundings) { try await rate($0, deliveries) })
      full.append(try await listener(over: crowded, surroundings) { try await rate($0, deliveries) })
    }
    let half = Samples(empty).median / 2
    var bareDelays: [LoadGenerator.Outcome] = []
    var emptyDelays: [LoadGenerator.Outcome] = []
    var fullDelays: [LoadGenerator.Outcome] = []
    for round in 1...3 {
      Progress.say("intake: latencies at \(Text.number(half)) a second, round \(round) of 3 …")
      bareDelays.append(try await BareServer.serving { try await paced($0, deliveries, half) })
      emptyDelays.append(try await listener(over: Scene(), surroundings) { try await paced($0, deliveries, half) })
      fullDelays.append(try await listener(over: crowded, surroundings) { try await paced($0, deliveries, half) })
    }
    return [
      ratio("intake rate", empty, "SQLite, groups of \(group)", sqlite, .ratioAtLeast(0.9)),
      ratio("intake rate", empty, "bare Hummingbird route", bare, nil),
      ratio("intake rate, \(Text.number(Double(waiting))) waiting", full, "the same with none", empty, .ratioAtLeast(0.9)),
      latency("intake p50 at half load", emptyDelays, 0.5, "bare Hummingbird route", bareDelays, nil),
      latency("intake p99 at half load", emptyDelays, 0.99, "bare Hummingbird route", bareDelays, .below(10)),
      latency(
        "intake p99 at half load, \(Text.number(Double(waiting))) waiting", fullDelays, 0.99, "the same with none", emptyDelays, .below(10)),
    ]
  }

  private static func ratio(
    _ name: String, _ values: [Double], _ baseline: String, _ others: [Double], _ budget: Figure.Budget?
  ) -> Figure {
    Figure(
      name, Samples(values).median, .perSecond, against: (baseline, Samples(others).median), rounds: zip(values, others).map { $0 / $1 },
      budget: budget)
  }

  private static func latency(
    _ name: String, _ outcomes: [LoadGenerator.Outcome], _ share: Double, _ baseline: String, _ others: [LoadGenerator.Outcome],
    _ budget: Figure.Budget?
  ) -> Figure {
    let own = outcomes.map { Samples($0.latencies).quantile(share) }
    let other = others.map { Samples($0.latencies).quantile(share) }
    return Figure(
      name, Samples(own).median, .milliseconds, against: (baseline, Samples(other).median), rounds: zip(own, other).map { $0 / $1 },
      budget: budget)
  }

  static func rate(_ port: Int, _ deliveries: SignedDeliveries) async throws -> Double {
    try check(
      await LoadGenerator.run(port: port, connections: connections, deliveries: deliveries, seconds: seconds)
    ).rate
  }

  private static func paced(_ port: Int, _ deliveries: SignedDeliveries, _ rate: Double) async throws -> LoadGenerator.Outcome {
    try check(
      await LoadGenerator.run(port: port, connections: connections, deliveries: deliveries, seconds: seconds * 1.5, rate: rate))
  }

  private static func check(_ outcome: LoadGenerator.Outcome) throws -> LoadGenerator.Outcome {
    guard outcome.otherAnswers.isEmpty, outcome.accepted > 0 else {
      throw BenchmarkFailure("\(outcome.accepted) deliveries were accepted, others answered with \(outcome.otherAnswers)")
    }
    return outcome
  }

  /// The webhook listener as `serve` runs it, over a store.
  static func listener<Value: Sendable>(
    over scene: Scene, _ surroundings: Surroundings, _ body: @Sendable @escaping (Int) async throws -> Value
  ) async throws -> Value {
    let directory = try await surroundings.workshop.directory(scene)
    let store = try SQLiteStore(path: directory.database)
    let value = try await listener(into: store, body)
    try store.close()
    try surroundings.workshop.discard(directory)
    return value
  }

  /// The same into a store that others work on too.
  static func listener<Value: Sendable>(
    into store: SQLiteStore, _ body: @Sendable @escaping (Int) async throws -> Value
  ) async throws -> Value {
    let handler = OrchestratorWebhookHandler(
      secrets: try WebhookSecrets([SignedDeliveries.secret]), inbox: store, metrics: PrometheusMetrics(), logger: .quiet,
      wake: {})
    return try await Listening.serving { onServerRunning in
      WebhookServer(
        handler: handler, options: ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning), logger: .quiet)
    } body: {
      try await body($0)
    }
  }
}
