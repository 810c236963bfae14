import ArgumentParser
import Domain
import Foundation
import GitHub
import Policies
import RunnerHub
import Simulation

/// `runnerhub policy simulate`
struct PolicySimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Rehearse policies on hours of traffic, in seconds.",
    discussion: """
      Examples:
        runnerhub policy simulate --workload morning-burst --policies ./next --against policies
        runnerhub policy simulate --trace trace.jsonl --pools runnerhub.yaml --html simulation.html
        runnerhub policy simulate --list-workloads
      A trace is a file of `runnerhub trace export`, a file or folder of kept webhook bodies, or the data directory of a serve.
      The planner, the scaling and the policies are the product's; engine, GitHub, failures and prices are drawn (docs/simulation.md).
      `built-in` names the rule that answers where no policy does.
      """)

  @Option(help: "A trace: a file, a folder of webhook bodies, or a data directory.") var trace: String?
  @Option(help: "Made-up traffic (see --list-workloads).") var workload: String?
  @Flag(help: "Say which workloads there are.") var listWorkloads = false
  @Option(help: "The folder of policies, or built-in.") var policies = "policies"
  @Option(help: "Policies to compare with.") var against: String?
  @Option(help: "A runnerhub.yaml whose pools and limits are taken (default: pools that suit the workload).") var pools: String?
  @Option(help: "CPU cores of each engine's host, overcommitted as configured (default: enough).") var hostCpus: Int?
  @Option(help: "Memory of each engine's host, such as 256g (default: enough).") var hostMemory: String?
  @Option(help: "Hours of a workload's traffic.") var hours: Double?
  @Option(help: "Repositories of a workload.") var repositories: Int?
  @Option(help: "The seed of all chances.") var seed: UInt64 = 1
  @Option(help: "Where to draw the plots: one page without other files.") var html = "simulation.html"
  @Flag(help: "Draw no plots.") var noHtml = false
  @Flag(help: "As JSON.") var json = false

  func validate() throws {
    if listWorkloads { return }
    guard (trace == nil) != (workload == nil) else { throw ValidationError("one of --trace and --workload is needed") }
    if let workload, Workload(named: workload) == nil {
      let hint = Suggestion.nearest(to: workload, among: Workload.names).map { " – did you mean \($0)?" } ?? ""
      throw ValidationError("unknown workload \"\(workload)\": expected \(Workload.names.joined(separator: ", "))\(hint)")
    }
    if trace != nil, hours != nil || repositories != nil { throw ValidationError("--hours and --repositories belong to a --workload") }
    if let hours, !(hours > 0 && hours <= 168) { throw ValidationError("--hours is \(hours): expected more than 0, at most 168") }
    if let repositories, !(1...100_000).contains(repositories) {
      throw ValidationError("--repositories is \(repositories): expected a whole number from 1 to 100000")
    }
    if let hostCpus, !(1...1_000_000).contains(hostCpus) {
      throw ValidationError("--host-cpus is \(hostCpus): expected a whole number from 1 to 1000000")
    }
    if let hostMemory, ByteCount(text: hostMemory) == nil {
      throw ValidationError("--host-memory is \"\(hostMemory)\": expected a size such as 256g")
    }
  }

  func run() async throws {
    if listWorkloads {
      let width = (Workload.names.map(\.count).max() ?? 0) + 2
      for workload in Workload.all {
        print(workload.name.padding(toLength: width, withPad: " ", startingAt: 0) + workload.summary)
      }
      return
    }
    let (trace, scenario) = try await scene()
    guard !trace.jobs.isEmpty else { throw ValidationError("\(trace.name) holds no job that has ended: there is nothing to simulate") }
    let contenders = try [against, policies].compactMap { $0 }.map(Self.contender)
    let progress = SimulationProgress(span: trace.span)
    let comparison = Comparison(trace, in: scenario, contenders) { moment in
      progress.note(moment)
      return !Task.isCancelled
    }
    progress.end()
    guard let comparison else { throw CancellationError() }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(comparison), as: UTF8.self))
    } else {
      print(comparison.text)
    }
    guard !noHtml else { return }
    do {
      try Data(comparison.page.utf8).write(to: URL(filePath: html), options: .atomic)
    } catch {
      throw ValidationError("--html names \(html), which cannot be written: \(error.localizedDescription)")
    }
    if !json { print("plot: \(html)") }
  }

  /// The traffic, and what it meets.
  private func scene() async throws -> (Trace, Scenario) {
    let trace: Trace
    var settings: Settings
    var conditions = Conditions()
    var pacing = Pacing()
    if let name = workload, var workload = Workload(named: name) {
      if let hours { workload.hours = hours }
      if let repositories { workload.repositories = repositories }
      trace = workload.trace(seed: seed)
      (settings, conditions, pacing) = (workload.settings, workload.conditions, workload.pacing)
    } else {
      trace = try await TraceSource.read(self.trace ?? "")
      settings = Workload.settings(servingEvery: trace)
    }
    if let pools { settings = try Configuration.rehearsed(file: pools).settings }
    var scenario = Scenario(settings: settings, conditions: conditions, pacing: pacing, seed: seed)
    for engine in scenario.hosts.keys {
      if let hostCpus { scenario.hosts[engine]?.milliCPUs = hostCpus * 1000 * settings.cpuOvercommitment }
      if let memory = hostMemory.flatMap(ByteCount.init(text:)) { scenario.hosts[engine]?.memory = memory }
    }
    return (trace, scenario)
  }

  private static func contender(_ folder: String) throws -> Contender {
    if folder == "built-in" { return Contender(name: folder, bundle: folder, policies: BuiltInPolicy()) }
    let bundle: PolicyBundle
    do {
      bundle = try PolicyBundle(folder: folder)
    } catch {
      throw ValidationError("\(error)")
    }
    if let problem = BundleCheck(bundle, runsTests: false).summary { throw ValidationError("\(folder) is not fit: \(problem)") }
    return Contender(name: folder, bundle: bundle.digest, policies: LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy()))
  }
}

/// Tells how far a simulation is, once it has taken two seconds: on standard error, so that what is printed stays the result.
final class SimulationProgress {
  private let span: Double
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant
  private var isShown = false

  init(span: Double) {
    self.span = max(1, span)
    last = start + .seconds(1)
  }

  func note(_ progress: Comparison.Progress) {
    let now = ContinuousClock.now
    guard now - last >= .seconds(1), now - start >= .seconds(2) else { return }
    last = now
    let percent = min(99, Int(progress.moment / span * 100))
    let hours = (progress.moment / 360).rounded() / 10
    write("simulating \(progress.side): \(hours) h of the clock, \(percent) % of the traffic")
    isShown = true
  }

  func end() {
    if isShown, isatty(STDERR_FILENO) == 1 { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }

  private func write(_ text: String) {
    let line = isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[Krunnerhub  \(text)" : "runnerhub  \(text)\n"
    FileHandle.standardError.write(Data(line.utf8))
  }
}
