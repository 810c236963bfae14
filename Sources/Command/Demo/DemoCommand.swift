import ArgumentParser
import Domain
import Foundation
import RunnerHub
import UnixSignals
import Web

/// `runnerhub demo`
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run the main job on embedded defaults: a local GitHub, RunnerHub, and a repository of workflows.",
    discussion: """
      Needs no Docker, database, GitHub account or network. Ends with 0 when every job ended as it should; on a terminal it stays up until Ctrl-C.
      With --engine docker it needs a daemon, an image with the stand-in runner, and an address of this machine that containers reach:
      `make run ENGINE=docker` finds or makes all three.
      Example: runnerhub demo --policies policies
      """)

  @Option(help: "Where containers run: process (no isolation), or docker.")
  var engine = DemoEngine.Kind.process

  @Option(help: "The daemon's socket, for --engine docker.")
  var dockerHost = "unix:///var/run/docker.sock"

  @Option(help: "The image with the stand-in runner, for --engine docker.")
  var image: String?

  @Option(help: "An address of this machine that containers reach, for --engine docker.")
  var address: String?

  @Option(help: "The folder of policies.")
  var policies = "policies"

  func run() async throws {
    let engine = try demoEngine()
    let folder = URL(filePath: policies).standardizedFileURL.path(percentEncoded: false)
    let verdict = Verdict()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await DemoHost.with(policies: folder, engine: engine) { host in
          await verdict.give(try await DemoRun(host: host).run())
          if Terminal.isInteractive { try await Task.sleep(for: .seconds(86_400 * 365)) }
        }
      }
      // Ctrl-C at any moment ends everything in its order; so does a terminal that is closed.
      group.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup) { throw CancellationError() }
      }
      do {
        try await group.next()
      } catch is CancellationError {
        Terminal.say("stopping")
      }
      group.cancelAll()
      do {
        while try await group.next() != nil {}
      } catch is CancellationError {
        return
      }
    }
    guard let complaints = await verdict.complaints else { throw ExitCode(130) }
    for complaint in complaints { FileHandle.standardError.write(Data("runnerhub: \(complaint)\n".utf8)) }
    if !complaints.isEmpty { throw ExitCode.failure }
  }

  private func demoEngine() throws -> DemoEngine {
    guard engine == .docker else { return .process }
    guard let image, let address else {
      throw ValidationError("--engine docker needs --image and --address; `make run ENGINE=docker` gives them")
    }
    return .docker(host: dockerHost, image: image, address: address)
  }

  /// How the demonstration ended; nothing until it has.
  private actor Verdict {
    private(set) var complaints: [String]?
    func give(_ complaints: [String]) { self.complaints = complaints }
  }
}

/// Pushes the repository, shows what happens, and judges how it ended.
struct DemoRun {
  let host: DemoHost
  private static let followed = "unit-tests"
  private static let timeLimit: Duration = .seconds(120)

  /// - Returns: what did not end as it should.
  func run() async throws -> [String] {
    let overview = try await host.client.overview(jobs: 1)
    Terminal.say(
      "local GitHub on \(host.emulator), RunnerHub on \(host.client.address), store sqlite (embedded), \(host.engine), pool demo (reuse on)"
    )
    Terminal.say("policies bundle \(overview.policies.bundle)\(overview.policies.refusal.map { ", newest refused: \($0)" } ?? "")")
    Terminal.say("pushing \(DemoRepository.name): 5 workflows, \(DemoRepository.endings.count) jobs\n")
    let start = ContinuousClock.now
    try await host.push(DemoRepository.pushed, event: "push")
    try await host.push(DemoRepository.released, event: "release")
    let rows = try await follow(since: start)
    return try await summarise(rows, took: ContinuousClock.now - start)
  }

  private func follow(since start: ContinuousClock.Instant) async throws -> [JobRow] {
    var screen = LiveScreen()
    var log = FollowedLog()
    while true {
      let rows = try await host.client.jobs(limit: 200).sorted { ($0.workflow ?? "", $0.id) < ($1.workflow ?? "", $1.id) }
      let lines = try await log.next(of: rows.first { $0.name == Self.followed }, from: host.client)
      screen.show(rows, log: lines)
      let isDone = rows.count >= DemoRepository.endings.count && rows.allSatisfy(\.hasEnded)
      // The log is whole a moment after the job: it is copied when its runner is released.
      if isDone, log.hasEnded || ContinuousClock.now - start > Self.timeLimit { return rows }
      if ContinuousClock.now - start > Self.timeLimit { return rows }
      try await Task.sleep(for: .milliseconds(Terminal.isInteractive ? 100 : 50))
    }
  }

  private func summarise(_ rows: [JobRow], took: Duration) async throws -> [String] {
    var jobs: [Job] = []
    for row in rows { jobs.append(try await host.client.story(of: row.id).job) }
    let overview = try await host.client.overview(jobs: 1)
    let ran = jobs.filter { $0.route == .orchestrator && $0.startedAt != nil && $0.refusal == nil }
    let containers = Set(ran.compactMap(\.containerID)).count
    let overtaken = Self.overtaken(by: jobs.first { $0.name == "deploy" }, among: ran)
    let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    let counts = Dictionary(grouping: rows.compactMap { DemoRepository.endings[$0.name] }, by: { $0 }).mapValues(\.count)
    Terminal.write("\n")
    Terminal.write(
      "\(rows.count) jobs in \(Double(Int(seconds * 10)) / 10) s · wait p50 \(JobTable.duration(overview.waits.p50Seconds)) p95 \(JobTable.duration(overview.waits.p95Seconds))"
        + " · \(containers) containers, \(ran.count - containers) reuses · \(overview.decisions) decisions · deploy overtook \(overtaken)"
        + " · \(counts[.failure] ?? 0) failed as written, \(counts[.forwarded] ?? 0) forwarded, \(counts[.refused] ?? 0) refused\n")
    let address = host.client.address
    Terminal.write(
      "Status page \(address)/ · logs: runnerhub job logs unit-tests --address \(address) · why: runnerhub job explain deploy --address \(address)"
        + (Terminal.isInteractive ? " · Ctrl-C to stop" : "") + "\n")
    var complaints = rows.compactMap { row in
      DemoRepository.endings[row.name]?.complaint(about: row)
        ?? (DemoRepository.endings[row.name] == nil ? "\(row.name) is no job of the demonstration" : nil)
    }
    for name in DemoRepository.endings.keys.sorted() where !rows.contains(where: { $0.name == name }) {
      complaints.append("\(name) never came")
    }
    if overtaken == 0 { complaints.append("deploy overtook no job") }
    return complaints
  }

  /// Jobs that were queued before another one and began after it.
  static func overtaken(by job: Job?, among jobs: [Job]) -> Int {
    guard let job, let queued = job.queuedAt, let started = job.startedAt else { return 0 }
    return jobs.count { other in
      guard let otherQueued = other.queuedAt, let otherStarted = other.startedAt else { return false }
      return otherQueued < queued && otherStarted > started
    }
  }
}

/// One job's log, line by line as it grows.
private struct FollowedLog {
  private var offset = 0
  private var rest = ""
  /// The job has ended and its log came to its last line.
  private(set) var hasEnded = false

  mutating func next(of row: JobRow?, from client: AdministrationClient) async throws -> [String] {
    guard let row, !hasEnded else { return [] }
    let data = try await client.log(of: row.id, from: offset)
    offset += data.count
    rest += String(decoding: data, as: UTF8.self)
    var lines = rest.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    rest = lines.popLast() ?? ""
    if row.hasEnded, lines.contains(where: { $0.contains("completed with result") }) { hasEnded = true }
    return lines.map { "  \(row.name) | \(TextTable.printable($0))" }
  }
}
