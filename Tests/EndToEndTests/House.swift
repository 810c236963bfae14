import AsyncHTTPClient
import CryptoExtras
import Emulator
import Foundation
import GRDB
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import PrivateDocker
import Testing
import Web

/// The whole line for the time of a test: a local GitHub in this process, and `runnerhub serve` as a process of its own.
struct House: Sendable {
  static let secret = "It's a Secret to Everybody"
  static let token = "ghp_end_to_end"

  /// What differs between tests.
  struct Plan: Sendable {
    var permissions = EmulatorConfiguration.allPermissions
    var usesApp = false
    /// A policy that routes every job here, instead of the house's own.
    var routesEverything = true
    /// The body of `route`, instead of the house's own policy or of the one that takes everything.
    var routing: String?
    /// Makes the pool's image in the house's folder; nil: the stand-in runner as it is.
    var makeImage: (@Sendable (URL) throws -> URL)?
    var labels = "self-hosted, linux, ubuntu-latest"
    var maximum = 3
    var warm = 1
    var reuse = 1
    /// Further keys of the pool, a line each.
    var pool: [String] = []
    var drainLimit = 30
    /// Milliseconds.
    var healthCheckInterval = 300
    /// Where containers run; nil: as processes.
    var docker: PrivateDocker?
    /// Further pools, a line each.
    var pools: [String] = []
    /// Makes what further pools and plugins need, in the house's folder, and gives further lines; told the port for webhooks too.
    var prepare: (@Sendable (_ folder: URL, _ port: Int) throws -> [String])?
    /// Whether `serve` runs before the body does.
    var isServed = true
    /// Further variables of RunnerHub, also in place of its credentials.
    var environment: [String: String] = [:]
    /// What differs at the local GitHub.
    var github: @Sendable (inout EmulatorConfiguration) -> Void = { _ in }
    /// What the local GitHub enforces.
    var rateLimits: RateLimits?
    /// Further keys, a line each, such as `github.sweep-interval: 1`.
    /// By themselves these are short: what is lost while RunnerHub is down is found within seconds.
    var further = [
      "github.sweep-interval: 2", "orchestrator.reconcile-after: 2", "orchestrator.ask-again-after: 5", "orchestrator.start-limit: 15",
    ]

    /// In place of a further key of the same name.
    mutating func set(_ key: String, _ value: String) {
      further.removeAll { $0.hasPrefix(key + ":") }
      further.append("\(key): \(value)")
    }
  }

  let github: EmulatedGitHub
  let url: String
  let hub: HubProcess

  /// Runs the line while the body runs, and leaves nothing behind.
  static func run(_ plan: Plan = Plan(), _ body: @Sendable @escaping (House) async throws -> Void) async throws {
    let port = try Places.freePort()
    let key = plan.usesApp ? try _RSA.Signing.PrivateKey(keySize: .bits2048) : nil
    let app = key.map { EmulatorConfiguration.App(id: 4711, publicKeyPEM: $0.publicKey.pemRepresentation, installationID: 12) }
    var logger = Logger(label: "emulator")
    logger.logLevel = .critical
    var configuration = EmulatorConfiguration(
      host: plan.docker?.address ?? "127.0.0.1", organisation: "acme",
      webhook: .init(url: "http://127.0.0.1:\(port)/webhooks/github", secret: secret), token: token, app: app,
      permissions: plan.permissions, rateLimits: plan.rateLimits)
    plan.github(&configuration)
    let server = EmulatorServer(configuration: configuration, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      group.addTask {
        let url = try await server.url()
        let credentials = key.map { ["GITHUB_APP_ID": "4711", "GITHUB_APP_PRIVATE_KEY": $0.pemRepresentation] } ?? ["GITHUB_TOKEN": token]
        let hub = try makeHub(plan, port: port, github: url, credentials: credentials)
        do {
          if plan.isServed { try await hub.serve() }
          try await body(House(github: server.github, url: url, hub: hub))
        } catch {
          Issue.record("\(error)\n\(hub.output.suffix(20_000))")
        }
        try await hub.remove()
      }
      try await group.next()
      group.cancelAll()
      // The server ends by its cancellation, which is no failure of the test.
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
      }
    }
  }

  private static func makeHub(_ plan: Plan, port: Int, github: String, credentials: [String: String]) throws -> HubProcess {
    let files = FileManager.default
    let folder = files.temporaryDirectory.appending(path: "runnerhub-house-\(UUID().uuidString)", directoryHint: .isDirectory)
    try files.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let policies = folder.appending(path: "policies", directoryHint: .isDirectory)
    try files.copyItem(at: Places.root.appending(path: "policies"), to: policies)
    if let route = plan.routing ?? (plan.routesEverything ? "return \"orchestrator\", \"every job runs here\"" : nil) {
      try files.removeItem(at: policies.appending(path: "routing_test.lua"))
      let routing = """
        local routing = { api = 1 }
        function routing.route(job, fleet)
        \(route)
        end
        return routing

        """
      try Data(routing.utf8).write(to: policies.appending(path: "routing.lua"))
    }
    let prepared = try plan.prepare?(folder, port) ?? []
    let image = try plan.makeImage?(folder).path(percentEncoded: false) ?? "stand-in"
    let text = """
      webhooks: { listen: "127.0.0.1:\(port)" }
      administration: { listen: "127.0.0.1:0" }
      github: { api-url: "\(github)", organization: acme }
      data-directory: "\(folder.appending(path: "data").path(percentEncoded: false))"
      policies: { directory: "\(policies.path(percentEncoded: false))" }
      orchestrator:
        health-check-interval: \(plan.healthCheckInterval)
        metrics-interval: 300
        drain-limit: \(plan.drainLimit)
      \(plan.docker.map { "docker: { host: \"unix://\($0.socket)\", pull: never }" } ?? "")
      pools:
        house:
          engine: \(plan.docker == nil ? "process" : "docker")
          image: "\(plan.docker == nil ? image : DockerHouse.image)"
          labels: [\(plan.labels)]
          maximum: \(plan.maximum)
          warm: \(plan.warm)
          reuse: \(plan.reuse)
      \(plan.pool.map { "    \($0)\n" }.joined())
      \(plan.pools.map { "  \($0)\n" }.joined())
      \((plan.further + prepared).joined(separator: "\n"))
      """
    let configuration = folder.appending(path: "runnerhub.yaml")
    try Data(text.utf8).write(to: configuration)
    return HubProcess(
      folder: folder, arguments: ["serve", "--config", configuration.path(percentEncoded: false)],
      environment: credentials.merging(["GITHUB_WEBHOOK_SECRET": secret]) { own, _ in own }.merging(plan.environment) { _, new in new })
  }
}

// MARK: - What is seen from outside

extension House {
  struct Reply: Sendable {
    let status: Int
    let text: String
    var json: JSON { (try? JSON(parsing: Data(text.utf8))) ?? .null }
  }

  static func send(_ method: HTTPMethod, _ url: String, headers: [(String, String)] = [], body: Data? = nil) async throws -> Reply {
    var request = HTTPClientRequest(url: url)
    request.method = method
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(data: body)) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
    let data = Data(buffer: try await response.body.collect(upTo: 64 << 20))
    return Reply(status: Int(response.status.code), text: String(decoding: data, as: UTF8.self))
  }

  /// A page of the administration listener.
  func get(_ path: String) async throws -> Reply {
    let address = try #require(await hub.announcement?.administration)
    return try await Self.send(.GET, address + path)
  }

  func overview() async throws -> JSON { try await get("/api/v1/status").json }

  /// Rows of the store, which is opened beside the running process and only read.
  func rows(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Row] {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    let queue = try DatabaseQueue(path: hub.database, configuration: configuration)
    defer { try? queue.close() }
    return try queue.read { try Row.fetchAll($0, sql: sql, arguments: arguments) }
  }

  /// The row of a job by GitHub's number.
  func row(of job: Int64) throws -> Row? {
    try rows("SELECT * FROM orchestrator_jobs WHERE json_extract(metadata, '$.forgeID') = ?", [job]).first
  }

  // MARK: The emulator's word

  func ledger(_ part: String) async -> [JSON] { await github.ledger()[part].array ?? [] }

  func jobs() async -> [JSON] { await ledger("jobs") }

  func job(_ name: String) async -> JSON { await jobs().last { $0["name"].string == name } ?? .null }

  @discardableResult func push(
    _ files: [String: String], to repository: String = "acme/shop", event: String = "push", payload: JSON = [:]
  ) async throws -> PushOutcome {
    let outcome = try await github.push(Push(repository: repository, files: files, event: event, payload: payload))
    #expect(outcome.invalid.isEmpty)
    return outcome
  }

  /// Waits until GitHub and RunnerHub both say that all jobs have ended.
  func allEnded(_ count: Int, within limit: Duration = .seconds(40)) async throws {
    try await eventually("the end of \(count) jobs", within: limit) {
      let jobs = await jobs()
      guard jobs.count == count, jobs.allSatisfy({ $0["status"].string == "completed" }) else { return false }
      let open = try rows("SELECT count(*) AS n FROM orchestrator_jobs WHERE status NOT IN ('completed', 'cancelled')")
      let all = try rows("SELECT count(*) AS n FROM orchestrator_jobs")
      return open.first?["n"] == 0 && all.first?["n"] == count
    }
  }

  /// Waits until nothing is owed to GitHub any more.
  func allReported() async throws {
    try await eventually("an empty outbox") { try rows("SELECT count(*) AS n FROM outbox").first?["n"] == 0 }
  }

  /// After a stop: no process, container or registration is left.
  func expectNothingLeft(_ location: SourceLocation = #_sourceLocation) async throws {
    let processes = Processes.of(hub.folder)
    #expect(processes.isEmpty, "\(Processes.describe(processes))", sourceLocation: location)
    let root = hub.data.appending(path: "containers").path(percentEncoded: false)
    let containers = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).filter { !$0.hasPrefix(".") }
    #expect(containers.isEmpty, sourceLocation: location)
    let live = try rows("SELECT id, status FROM container_registry WHERE status <> 'GONE'")
    #expect(live.isEmpty, "\(live)", sourceLocation: location)
    let registrations = await ledger("registrations").filter { $0["state"].string != "gone" }
    #expect(registrations.isEmpty, "\(registrations)", sourceLocation: location)
  }

  /// Each job of the ledger began at most once and ended exactly once.
  func expectEachEndedOnce(_ location: SourceLocation = #_sourceLocation) async {
    for job in await jobs() {
      // Skipped jobs, and those cancelled while they were queued, had no runner.
      let ran = !job["runner_name"].isNull
      #expect(job["times_ended"].int == 1, "\(job)", sourceLocation: location)
      #expect(job["times_started"].int == (ran ? 1 : 0), "\(job)", sourceLocation: location)
    }
  }
}
