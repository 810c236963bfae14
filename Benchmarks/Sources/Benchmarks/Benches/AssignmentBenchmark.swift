import Domain
import Foundation
import RunnerHub
import Storage

/// From a durable delivery to its container: all loops run, warm containers are ready, the definition is known. The end is the forge being
/// asked for the runner's registration, which the committed binding precedes: a little later than the choice itself.
enum AssignmentBenchmark: Benchmark {
  static let name = "assignment"
  private static let jobs = 150

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    Progress.say("assignment: \(jobs) jobs, one after the other, nothing else waits …")
    let calm = try await delays(Scene(), jobs: jobs, surroundings)
    Progress.say("assignment: \(jobs) jobs while 1,000 wait …")
    let crowded = try await delays(Scene(waiting: 1000), jobs: jobs, surroundings)
    return [
      Figure(
        "delivery to container p50", calm.own.median, .milliseconds, against: ("one durable delivery, p50", calm.baseline.median),
        budget: .below(5)),
      Figure(
        "delivery to container p99", calm.own.quantile(0.99), .milliseconds,
        against: ("one durable delivery, p99", calm.baseline.quantile(0.99)), budget: .below(25)),
      Figure(
        "delivery to container p99, 1,000 waiting", crowded.own.quantile(0.99), .milliseconds,
        against: ("none waiting, p99", calm.own.quantile(0.99)), budget: .below(1000)),
    ]
  }

  /// Milliseconds from durable to assigned; and those until durable, which are one commit of SQLite.
  private static func delays(_ scene: Scene, jobs: Int, _ surroundings: Surroundings) async throws -> (own: Samples, baseline: Samples) {
    let directory = try await surroundings.workshop.directory(scene)
    // The waiting ones are of another class, whose pool has no room.
    var full = Sample.pool(maximum: 0)
    full.name = "full"
    var pool = Sample.pool(maximum: 1000, warm: 50)
    pool.labels = ["self-hosted", "docker"]
    let hub = try Hub(directory: directory, settings: Sample.settings([pool, full]), policies: surroundings.policies)
    let deliveries = SignedDeliveries(count: jobs, labels: ["self-hosted", "docker"])
    return try await hub.running {
      try await Hub.wait("50 warm containers", seconds: 30) {
        try await hub.store.liveContainers().count { $0.state == .ready } >= pool.warm
      }
      var own: [Double] = []
      var baseline: [Double] = []
      for index in 0..<jobs {
        let start = Clock.now
        async let registration = hub.forge.nextRegistration()
        try await hub.deliver(deliveries, index)
        let durable = Clock.now
        baseline.append(Clock.seconds(start, durable) * 1000)
        // It may be asked for before this task goes on.
        own.append(Clock.seconds(durable, max(durable, await registration)) * 1000)
        try await Task.sleep(for: .milliseconds(20))
      }
      return (Samples(own), Samples(baseline))
    }
  }
}
