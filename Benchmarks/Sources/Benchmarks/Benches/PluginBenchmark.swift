import Foundation
import Plugins
import RunnerHub
import Storage

/// A call of a plugin against a bare echo of as many bytes over pipes; and the webhook listener while three observers, each a process of its own,
/// are told 1,000 events a second, against the same without.
enum PluginBenchmark: Benchmark {
  static let name = "plugins"
  private static let rounds = 5
  private static let trips = 5_000
  /// Bytes of what is asked and answered: a secret, an alert, a small job.
  private static let payload = 1_000
  private static let eventsPerSecond = 1_000
  private static let observers = 3

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    var (calls, bare) = ([Double](), [Double]())
    for round in 1...rounds {
      Progress.say("plugins: round trips, round \(round) of \(rounds) …")
      bare.append(try bareTrip())
      calls.append(try await call(surroundings))
    }
    let deliveries = SignedDeliveries(count: 60_000)
    var (quiet, watched) = ([Double](), [Double]())
    for round in 1...rounds {
      Progress.say("plugins: intake, round \(round) of \(rounds) …")
      quiet.append(try await intake(deliveries, observers: 0, surroundings))
      watched.append(try await intake(deliveries, observers: observers, surroundings))
    }
    return [
      Figure(
        "round trip of a plugin call, \(payload) bytes", Samples(calls).median, .microseconds,
        against: ("bare pipe echo", Samples(bare).median), rounds: zip(calls, bare).map { $0 / $1 }, budget: .ratioAtMost(2)),
      Figure(
        "intake rate, \(Text.number(Double(eventsPerSecond))) events/s to \(observers) observers", Samples(watched).median, .perSecond,
        against: ("without", Samples(quiet).median), rounds: zip(watched, quiet).map { $0 / $1 }, budget: .ratioAtLeast(0.95)),
    ]
  }

  private struct Message: Codable, Sendable { var payload: String }

  /// Microseconds of one call.
  private static func call(_ surroundings: Surroundings) async throws -> Double {
    let plugin = try await EchoPlugin("echo", surroundings)
    let message = Message(payload: String(repeating: "x", count: payload))
    var times: [Double] = []
    for _ in 0..<trips {
      let start = Clock.now
      let answer: Message = try await plugin.connection.call("echo", message)
      times.append(Clock.seconds(start, Clock.now) * 1e6)
      guard answer.payload == message.payload else { throw BenchmarkFailure("the echo answered something else") }
    }
    try await plugin.end()
    return Samples(times).median
  }

  /// Microseconds of one bare round trip.
  private static func bareTrip() throws -> Double {
    let echo = try BareEcho()
    let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: payload + 80)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var times: [Double] = []
    for _ in 0..<trips {
      let start = Clock.now
      try echo.roundTrip(bytes, into: &buffer)
      times.append(Clock.seconds(start, Clock.now) * 1e6)
    }
    try echo.end()
    return Samples(times).median
  }

  /// Deliveries a second.
  private static func intake(_ deliveries: SignedDeliveries, observers: Int, _ surroundings: Surroundings) async throws -> Double {
    let directory = try await surroundings.workshop.directory(Scene())
    let feed = EventFeed()
    let store = try SQLiteStore(path: directory.database) { changes in feed.publish { changes.events(at: Date()) } }
    var plugins: [EchoPlugin] = []
    let adapter = ObserverAdapter(feed: feed, logger: .quiet)
    for number in 0..<observers {
      let plugin = try await EchoPlugin("observer-\(number)", surroundings)
      plugins.append(plugin)
      await adapter.started(
        RunningPlugin(
          manifest: PluginManifest(name: plugin.connection.name, version: "1", kind: .observer, summary: "", command: []),
          abilities: [.events(.job)], connection: plugin.connection))
    }
    let telling = Task.detached { try await adapter.run() }
    // Its own witness: what it is told, all others are.
    let witness = feed.follow([.job], capacity: 1 << 20)
    let happening = observers > 0 ? Task.detached { await happen(in: feed) } : nil
    let rate = try await IntakeBenchmark.listener(into: store) { port in try await IntakeBenchmark.rate(port, deliveries) }
    happening?.cancel()
    let published = await happening?.value ?? 0
    if observers > 0 {
      guard let batch = await witness.next(limit: .max), batch.events.count == published, published > eventsPerSecond else {
        throw BenchmarkFailure("\(published) events were published, and others were told")
      }
      // Until the last batch has been answered.
      try await Task.sleep(for: .milliseconds(500))
    }
    telling.cancel()
    for plugin in plugins { try await plugin.end() }
    try store.close()
    try surroundings.workshop.discard(directory)
    return rate
  }

  /// Publishes so many events a second until cancelled.
  /// - Returns: how many.
  private static func happen(in feed: EventFeed) async -> Int {
    let start = Clock.now
    var count = 0
    while !Task.isCancelled {
      let due = Int(Clock.seconds(start, Clock.now) * Double(eventsPerSecond))
      while count < due {
        feed.publish { [event(count)] }
        count += 1
      }
      do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
    }
    return count
  }

  /// As large as those of jobs are.
  private static func event(_ number: Int) -> HubEvent {
    HubEvent(
      kind: .job, at: Date(), action: "completed", subject: "\(29_679_449_526 + number).1",
      text: "unit-tests of acme/storefront is completed (success)",
      details: [
        "name": "unit-tests", "repository": "acme/storefront", "workflow": "CI", "run": "9876543210", "attempt": "1", "branch": "main",
        "commit": "0123456789abcdef0123456789abcdef01234567", "conclusion": "success", "priority": "normal", "pool": "linux",
        "container": "rh-linux-0123456789ab", "runner": "rh-0123456789ab", "route": "orchestrator", "reason": "labels",
      ])
  }
}
