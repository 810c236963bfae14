import Domain
import Foundation
import RunnerHub
import Simulation
import Testing

/// Tiny traffic in a world without chance.
enum Sample {
  static let start = Date(timeIntervalSince1970: 1_788_768_000)

  static func job(
    _ id: Int64, at seconds: Double, takes duration: Double, repository: String = "acme/store",
    labels: [String] = ["self-hosted", "linux"],
    environment: String? = nil
  ) -> TraceJob {
    TraceJob(
      id: id, runID: id, createdAt: start.addingTimeInterval(seconds), repository: repository, workflow: "CI", name: "test",
      labels: labels, event: "push", branch: "main", environment: environment, duration: duration)
  }

  static func pool(minimum: Int = 0, maximum: Int, warm: Int = 0, reuse: ReuseRule = .never) -> Pool {
    Pool(
      name: "linux", engine: "process", image: "", labels: ["self-hosted", "linux"],
      resources: Resources(milliCPUs: 2000, memory: ByteCount(gibibytes: 4), disk: ByteCount(gibibytes: 20)), minimum: minimum,
      maximum: maximum, warm: warm, reuse: reuse)
  }

  /// Every step takes a known time, and nothing fails.
  static var certain: Conditions {
    var conditions = Conditions()
    conditions.delivery = .constant(1)
    conditions.containerStart = .constant(2)
    conditions.registration = .constant(1)
    conditions.connection = .constant(3)
    conditions.runnerEnd = .constant(1)
    conditions.recycling = .constant(0.5)
    conditions.removal = .constant(1)
    conditions.handOutDisorder = 0
    conditions.containerFailure = 0
    conditions.runnerLoss = 0
    conditions.jobLoss = 0
    return conditions
  }

  static func scenario(_ pool: Pool, _ conditions: Conditions = certain, seed: UInt64 = 1) -> Scenario {
    scenario([pool], conditions, seed: seed)
  }

  static func scenario(_ pools: [Pool], _ conditions: Conditions = certain, seed: UInt64 = 1) -> Scenario {
    var settings = Settings(scope: .organization("acme"), pools: pools)
    settings.containerPoolSize = 1000
    settings.maximumConcurrentJobs = 1000
    return Scenario(settings: settings, conditions: conditions, seed: seed)
  }

  static func comparison(
    _ trace: Trace, _ scenario: Scenario, _ policies: any PolicyEngine = BuiltInPolicy()
  ) throws -> Comparison {
    try #require(Comparison(trace, in: scenario, [Contender(name: "built-in", bundle: "built-in", policies: policies)]))
  }

  static func outcome(_ trace: Trace, _ scenario: Scenario, _ policies: any PolicyEngine = BuiltInPolicy()) throws -> Outcome {
    try #require(try comparison(trace, scenario, policies).sides.first)
  }
}
