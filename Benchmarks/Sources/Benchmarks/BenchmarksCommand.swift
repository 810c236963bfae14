import ArgumentParser
import CoreMetrics
import Foundation
import Logging
import Metrics
import Web

@main
struct BenchmarksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmarks", abstract: "Measures RunnerHub against something in the same run.",
    subcommands: [RunCommand.self, HubCommand.self, EchoCommand.self], defaultSubcommand: RunCommand.self)
}

/// `benchmarks run`
struct RunCommand: AsyncParsableCommand {
  private static let all: [any Benchmark.Type] = [
    PolicyBenchmark.self, PlannerBenchmark.self, TickBenchmark.self, AssignmentBenchmark.self, BurstBenchmark.self, IntakeBenchmark.self,
    FleetBenchmark.self, SimulationBenchmark.self, ReloadBenchmark.self, PluginBenchmark.self, WorkflowBenchmark.self,
  ]

  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run benchmarks, and print their figures as a table.",
    discussion: "Benchmarks: \(all.map { $0.name }.joined(separator: ", ")).")

  @Argument(help: "Which to run (default: all).")
  var names: [String] = []

  @Option(help: "Folder of the Lua policies.")
  var policies = "policies"

  @Option(help: "A file for the figures as JSON.")
  var json: String?

  func validate() throws {
    for name in names where !Self.all.contains(where: { $0.name == name }) {
      throw ValidationError("no benchmark \(name): there are \(Self.all.map { $0.name }.joined(separator: ", "))")
    }
  }

  func run() async throws {
    MetricsSystem.bootstrap(PrometheusMetrics())
    let workshop = try Workshop()
    defer { workshop.close() }
    let surroundings = Surroundings(workshop: workshop, policies: policies)
    var report = Report()
    for benchmark in Self.all where names.isEmpty || names.contains(benchmark.name) {
      report.figures += try await benchmark.figures(in: surroundings)
    }
    print("\(report.date), \(report.machine.cores) cores, \(report.machine.memoryGiB) GiB, \(report.machine.system)\n\n\(report.table)")
    if let json { try report.write(to: json) }
  }
}
