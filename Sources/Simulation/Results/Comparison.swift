package import Domain
import Foundation
package import RunnerHub
import Scheduling

/// Everything but traffic and policies: pools and limits, what the world does, and the seed.
package struct Scenario: Sendable {
  package var settings: Settings
  /// What each engine's host gives to containers in all.
  package var hosts: [String: Resources]
  package var conditions: Conditions
  package var pacing: Pacing
  package var seed: UInt64

  /// - Parameter hosts: nil: more than pools can ask for.
  package init(
    settings: Settings, hosts: [String: Resources]? = nil, conditions: Conditions = Conditions(), pacing: Pacing = Pacing(),
    seed: UInt64 = 1
  ) {
    self.settings = settings
    let unlimited = Resources(
      milliCPUs: 1_000_000_000, memory: ByteCount(gibibytes: 1 << 20), disk: ByteCount(gibibytes: 1 << 20), gpus: 1 << 20)
    self.hosts =
      hosts
      ?? Dictionary(
        settings.pools.flatMap(\.hosts).map { ($0, unlimited) }, uniquingKeysWith: { first, _ in first })
    self.conditions = conditions
    self.pacing = pacing
    self.seed = seed
  }
}

/// Policies that are put to the test.
package struct Contender {
  package var name: String
  package var bundle: String
  package var policies: any PolicyEngine
  package init(name: String, bundle: String, policies: any PolicyEngine) {
    self.name = name
    self.bundle = bundle
    self.policies = policies
  }
}

/// The same traffic carried by several sides, the last of them one always-on runner for each repository.
package struct Comparison: Sendable, Encodable {
  package var trace: String
  package var seed: UInt64
  package var jobs: Int
  package var repositories: Int
  /// Seconds of traffic.
  package var span: Double
  /// Seconds over which utilisation, container-hours and cost are counted, for every side: to the end of the last job of the policies.
  package var window: Double
  package var pools: [PoolRow]
  package var conditions: [Condition]
  package var sides: [Outcome]

  package struct PoolRow: Sendable, Encodable {
    package var name: String
    package var minimum: Int
    package var maximum: Int
    package var warm: Int
    package var maximumUses: Int
  }

  package struct Condition: Sendable, Encodable {
    package var name: String
    package var value: String
  }

  /// Where a simulation is.
  package struct Progress: Sendable {
    package var side: String
    /// Seconds of its clock.
    package var moment: Double
  }

  /// Runs the traffic under each of the contenders.
  /// - Parameters:
  ///   - contenders: one or more; the first is the yardstick of what the baseline has to serve.
  ///   - watch: told where it is now and then; false ends it.
  /// - Returns: nil when `watch` ended it.
  package init?(_ trace: Trace, in scenario: Scenario, _ contenders: [Contender], watch: (Progress) -> Bool = { _ in true }) {
    var simulators: [Simulator] = []
    for contender in contenders {
      var simulator = Simulator(trace, scenario, contender.policies)
      var count = 0
      let isDone = simulator.run { moment in
        count &+= 1
        return count % 256 != 0 || watch(Progress(side: contender.name, moment: moment))
      }
      guard isDone else { return nil }
      simulators.append(simulator)
    }
    let ends = simulators.flatMap { $0.ledger.runs.compactMap(\.to) }
    let window = max(trace.span, ends.max() ?? 0, 1)
    let yardstick = Self.levels(trace, scenario.settings)
    let price = PriceCurve(draws: Draws(seed: scenario.seed), distribution: scenario.conditions.corePrice)
    let accounts = Accounts(trace: trace, yardstick: yardstick, window: window, price: price)
    sides = zip(contenders, simulators).map { accounts.outcome($0, $1) }
    if let first = simulators.first { sides.append(DedicatedRunners(trace, like: first).outcome(accounts)) }
    self.trace = trace.name
    seed = scenario.seed
    jobs = trace.jobs.count
    repositories = trace.repositories
    span = trace.span
    self.window = window
    pools = scenario.settings.pools.map {
      PoolRow(name: $0.name, minimum: $0.minimum, maximum: $0.maximum, warm: $0.warm, maximumUses: $0.reuse.maximumUses)
    }
    conditions = scenario.conditions.stated.map { Condition(name: $0.name, value: $0.value) }
  }

  /// The level that the built-in rule gives each job: one yardstick for all sides, whatever their own policies call a job.
  private static func levels(_ trace: Trace, _ settings: Settings) -> [Priority] {
    let rule = BuiltInPolicy()
    let fleet = PolicyFleet(now: trace.start, pools: [], pending: 0, active: 0)
    return trace.jobs.map { rule.prioritise(PolicyJob(Job($0, settings: settings)), fleet: fleet).value }
  }

  package var baseline: Outcome? { sides.last }

  /// By how much a side uses its containers better than the baseline while the traffic lasts: 0.8 is 80 % better.
  package func improvement(of side: Outcome) -> Double? {
    guard let baseline, baseline.trafficUtilisation > 0 else { return nil }
    return side.trafficUtilisation / baseline.trafficUtilisation - 1
  }
}
