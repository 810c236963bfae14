import Emulator
import Foundation
import GRDB
import Glibc
import NIOHTTP1
import RunnerHub
import Testing

/// A line whose `serve` dies again and again. It remembers what was pushed and how each job must end, and acts as an operator would: it starts
/// `serve` again, and has GitHub send again what nobody took.
actor CrashLine {
  let house: House
  let engine: any EngineWitness
  private(set) var works: [Work] = []

  init(_ house: House, engine: (any EngineWitness)? = nil) {
    self.house = house
    self.engine = engine ?? ProcessEngineWitness(house.hub)
  }

  // MARK: Work

  /// Pushes jobs as one run. What was pushed before is not run again.
  @discardableResult func push(_ new: Work...) async throws -> PushOutcome { try await push(new) }
  @discardableResult func push(_ new: [Work]) async throws -> PushOutcome {
    works += new
    return try await house.push([".github/workflows/work.yml": Work.workflow(new)])
  }

  var openJobs: Int { get async { await house.jobs().count { $0["status"].string != "completed" } } }

  /// Keeps so many small jobs open until `serve` is dead, or for a while.
  func keepBusy(_ wanted: Int) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while await house.hub.isRunning, ContinuousClock.now < deadline {
      let (first, open) = (works.count, await openJobs)
      if open < wanted { try await push((first..<first + wanted - open).map(Self.small)) }
      if open < wanted, first % 5 == 0 {
        let run = try await push(.endless("cancelled-\(first)", conclusion: "cancelled")).runs.first
        try await cancel(run: try #require(run))
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  private static func small(_ number: Int) -> Work {
    switch number % 8 {
    case 3: .failure("failing-\(number)")
    case 6: .traditional("traditional-\(number)")
    default: .success("job-\(number)")
    }
  }

  func cancel(run: Int64) async throws {
    let reply = try await asOperator(.POST, "/repos/acme/shop/actions/runs/\(run)/cancel")
    #expect(reply.status == 202 || reply.status == 409, "\(reply.text)")
  }

  // MARK: Deaths

  /// Starts `serve`, which dies at a failpoint, once what provokes it is done.
  func die(
    at order: FailpointOrder, redelivering: Bool = true, triesLeft: Int = 1, location: SourceLocation = #_sourceLocation,
    _ provoke: (CrashLine) async throws -> Void = { _ in }
  ) async throws {
    let hub = house.hub
    try await hub.launch([Failpoints.variable: "\(order)"])
    try await eventually("serve, to die at \(order), listens") {
      let isListening = await hub.isListening
      let isRunning = await hub.isRunning
      return isListening || !isRunning
    }
    if await hub.isRunning {
      if redelivering { try await redeliver() }
      try await provoke(self)
    }
    do {
      let status = try await hub.exit(within: .seconds(10))
      #expect(status == 128 + SIGKILL, "\(order): ended with \(status)\n\(hub.output.suffix(4000))", sourceLocation: location)
    } catch  where triesLeft > 0 {
      // Which jobs a moment meets is chance: the next ones may reach it. Never silently: a failpoint that often needs them hides something.
      print("⚠ \(order) was not reached at the first try\n\(hub.output.suffix(4000))")
      try await kill()
      try await die(at: order, redelivering: redelivering, triesLeft: triesLeft - 1, location: location, provoke)
    } catch {
      Issue.record("\(order) was not reached\n\(hub.output.suffix(8000))", sourceLocation: location)
      try await kill()
    }
  }

  /// Ends `serve` at whatever it does.
  func kill() async throws {
    await house.hub.signal(SIGKILL)
    _ = try await house.hub.exit()
  }

  // MARK: Repair

  /// Has GitHub send again what no attempt has brought to an answer. GitHub does so only when it is asked.
  /// - Parameter actions: of which actions; nil: of all.
  func redeliver(_ actions: Set<String>? = nil) async throws {
    let attempts = Dictionary(grouping: await house.ledger("deliveries")) { $0["guid"].string ?? "" }
    for tries in attempts.values where !tries.contains(where: { ["OK", "pending"].contains($0["status"].string) }) {
      guard let last = tries.last, let id = last["id"].int, actions?.contains(last["action"].string ?? "") ?? true else { continue }
      let reply = try await asOperator(.POST, "/orgs/acme/hooks/41177210/deliveries/\(id)/attempts")
      #expect(reply.status == 202, "\(reply.text)")
    }
  }

  private func asOperator(_ method: HTTPMethod, _ path: String) async throws -> House.Reply {
    try await House.send(
      method, house.url + path, headers: [("Authorization", "Bearer \(House.token)"), ("User-Agent", "operator")])
  }

  // MARK: End

  /// Starts `serve` for good, lets everything end, stops it, and judges.
  func end(redelivering actions: Set<String>? = nil, within limit: Duration = .seconds(60)) async throws {
    try await house.hub.serve()
    let count = works.count
    try await eventually("the end of \(count) jobs at GitHub", within: limit) {
      try await redeliver(actions)
      let jobs = await house.jobs()
      return jobs.count == count && jobs.allSatisfy { $0["status"].string == "completed" }
    }
    try await eventually("RunnerHub knows of every end") {
      let open = try house.rows("SELECT count(*) AS n FROM container_assignments WHERE phase <> 'released'")
      let live = try house.rows("SELECT count(*) AS n FROM orchestrator_jobs WHERE status NOT IN ('completed', 'cancelled', 'forwarded')")
      return open.first?["n"] == 0 && live.first?["n"] == 0
    }
    try await house.allReported()
    #expect(try await house.hub.stop() == 0)
    try await judge()
  }

  /// By what GitHub and the engine say, and the files of logs. RunnerHub's own store is not asked.
  private func judge() async throws {
    let jobs = await house.jobs()
    #expect(jobs.count == works.count)
    let checks = Dictionary(grouping: await house.ledger("check_runs")) { $0["external_id"].string ?? "" }
    for work in works {
      let found = jobs.filter { $0["name"].string == work.name }
      #expect(found.count == 1, "\(work.name)")
      guard let job = found.first else { continue }
      #expect(job["conclusion"].string == work.conclusion, "\(job)")
      #expect(job["times_ended"].int == 1, "\(job)")
      #expect(job["times_started"].int == (job["runner_name"].isNull ? 0 : 1), "\(job)")
      if work.leavesMark, let runner = job["runner_name"].string { try expectOneMark(of: work, by: runner) }
      let told = checks["\(job["id"].int ?? 0)"] ?? []
      // A job that was cancelled before it was routed, or that was never ours, has none; with a token none has.
      let isTold = !checks.isEmpty && work.leavesMark
      #expect(isTold ? told.count == 1 : told.count <= 1, "\(work.name): \(told)")
      for check in told { #expect(check["conclusion"].string == work.conclusion, "\(check)") }
    }
    let registrations = await house.ledger("registrations").filter { $0["state"].string != "gone" }
    #expect(registrations.isEmpty, "registrations left: \(registrations)")
    let containers = try await engine.containers()
    #expect(containers.isEmpty, "containers left: \(containers)")
    let processes = try await engine.processes() + Processes.describe(Processes.of(house.hub.folder))
    #expect(processes.isEmpty, "processes left: \(processes)")
  }

  private func expectOneMark(of work: Work, by runner: String) throws {
    let file = house.hub.data.appending(path: "blobs/logs/\(runner).log")
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.components(separatedBy: work.mark).count == 2, "\(work.name) in \(file.lastPathComponent):\n\(text)")
  }
}
