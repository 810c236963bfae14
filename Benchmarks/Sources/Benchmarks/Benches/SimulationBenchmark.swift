import Foundation
import Policies
import RunnerHub
import Simulation

/// An hour of 100 jobs a minute under the default policies, from the made-up jobs to the figures, against the same hour under the built-in
/// rule in Swift.
enum SimulationBenchmark: Benchmark {
  static let name = "simulation"
  private static let rounds = 3

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    guard let workload = Workload(named: "steady") else { throw BenchmarkFailure("there is no workload steady") }
    let trace = workload.trace(seed: 1)
    let bundle = try PolicyBundle(folder: surroundings.policies)
    var lua: [Double] = []
    var swift: [Double] = []
    for round in 1...rounds {
      Progress.say("simulation: round \(round) of \(rounds) …")
      lua.append(try seconds(trace, workload, LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())))
      swift.append(try seconds(trace, workload, BuiltInPolicy()))
    }
    return [
      Figure(
        "an hour of 100 jobs a minute, simulated", Samples(lua).median, .seconds, against: ("built-in rule", Samples(swift).median),
        rounds: zip(lua, swift).map { $0 / $1 }, budget: .below(5))
    ]
  }

  private static func seconds(_ trace: Trace, _ workload: Workload, _ policies: any PolicyEngine) throws -> Double {
    let scenario = Scenario(settings: workload.settings, conditions: workload.conditions, pacing: workload.pacing)
    let (comparison, cost) = Cost.measure {
      Comparison(trace, in: scenario, [Contender(name: "default", bundle: "default", policies: policies)])
    }
    guard let side = comparison?.sides.first, side.endings.all == trace.jobs.count, side.fallbacks.isEmpty else {
      throw BenchmarkFailure("the simulation lost jobs, or a policy broke: \(comparison?.sides.first?.fallbacks.keys.sorted() ?? [])")
    }
    return cost.seconds
  }
}
