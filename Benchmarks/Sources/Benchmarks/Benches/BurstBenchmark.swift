import Domain
import Foundation
import RunnerHub

/// Many jobs at once: from the first delivery to the last container that the engine was asked for.
enum BurstBenchmark: Benchmark {
  static let name = "burst"

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let small = try await burst(500, surroundings)
    let burst = try await burst(1000, surroundings)
    let large = try await Self.burst(2000, surroundings)
    let slow = try await Self.burst(1000, registration: .milliseconds(150), surroundings)
    let least = 1000 * 0.150 / 32
    return [
      Figure("burst of 1,000, all containers asked for", burst.asked, .seconds, against: ("burst of 500", small.asked), budget: .below(2)),
      Figure("burst of 1,000, all runners started", burst.started, .seconds, against: ("burst of 500", small.started)),
      Figure(
        "the same, a registration takes 150 ms", slow.started, .seconds, against: ("32 registrations at once, nothing else", least),
        budget: .below(6)),
      Figure("CPU a job, to its started runner", burst.cpu, .milliseconds, against: ("burst of 500", small.cpu), budget: .below(2)),
      Figure(
        "CPU a job in a burst of 2,000", large.cpu, .milliseconds, against: ("burst of 500", small.cpu), budget: .ratioAtMost(1.25)),
    ]
  }

  private struct Outcome {
    /// Seconds until the last container was asked for.
    var asked: Double
    /// Seconds until the last runner had its files.
    var started: Double
    /// Milliseconds of CPU a job, until the last runner had its files.
    var cpu: Double
  }

  private static func burst(_ jobs: Int, registration: Duration = .zero, _ surroundings: Surroundings) async throws -> Outcome {
    Progress.say("burst: \(jobs) jobs, a registration takes \(registration) …")
    let directory = try await surroundings.workshop.directory()
    let hub = try Hub(
      directory: directory, settings: Sample.settings([Sample.pool(maximum: jobs)]), forge: InstantForge(registrationTime: registration),
      policies: surroundings.policies)
    let deliveries = SignedDeliveries(count: jobs)
    return try await hub.running {
      try await Hub.wait("the loops have begun", seconds: 10) { hub.monitor.health(at: Date()).isReady }
      let (start, cpu) = (Clock.now, Clock.cpu)
      async let asked = Self.asked(jobs, of: hub)
      try await withThrowingDiscardingTaskGroup { group in
        for index in 0..<jobs { group.addTask { try await hub.deliver(deliveries, index) } }
      }
      let end = try await asked
      try await Hub.wait("\(jobs) runners", seconds: 120) { hub.engine.handedOver >= jobs }
      guard hub.forge.mostUnderWay <= 32 else { throw BenchmarkFailure("\(hub.forge.mostUnderWay) registrations at once") }
      return Outcome(
        asked: Clock.seconds(start, end), started: Clock.seconds(start, Clock.now), cpu: Clock.seconds(cpu, Clock.cpu) * 1000 / Double(jobs)
      )
    }
  }

  private static func asked(_ jobs: Int, of hub: Hub) async throws -> UInt64 {
    try await Hub.wait("\(jobs) containers", seconds: 120) { hub.engine.created >= jobs }
    return Clock.now
  }
}
