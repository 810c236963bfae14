import Domain
import Engines
import Foundation
import JSON
import Logging
import Plugins
import RunnerHub
import ServiceLifecycle
import Storage
import Web

/// RunnerHub with one source, its real plugin and the process engine, without GitHub.
struct SourceHub: Sendable {
  let store: SQLiteStore
  let forge: ForgeRoster
  let plugins: PluginHost
  /// Of the webhook listener.
  let webhooks: String

  /// Runs all of it while the body runs.
  static func run(
    _ name: String, configuration: JSONValue, pool: Pool, _ body: @Sendable @escaping (SourceHub) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "runnerhub-source-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let logger = Logger(label: "source", factory: { _ in SwiftLogNoOpLogHandler() })
    let store = try SQLiteStore(path: folder.appending(path: "runnerhub.sqlite").path(percentEncoded: false))
    let transactor = Transactor(store: store, signals: Signals())
    let forge = ForgeRoster(github: NoGitHub())
    let wake: @Sendable () -> Void = { transactor.signals.intake.notify() }
    let adapter = SourceAdapter(forge: forge, inbox: store, logger: logger, wake: wake)

    let plan = PluginPlan(name: name, grants: [.network, .jobs], configuration: configuration)
    let plugins = PluginHost(
      folder: PlatformEmulator.root.appending(path: "plugins", directoryHint: .isDirectory), plans: { return [plan] },
      surroundings: PluginSurroundings(
        directories: PluginDirectories(root: folder.appending(path: "plugins", directoryHint: .isDirectory)), environment: [:],
        adapters: [adapter], hostVersion: "test", logger: logger))

    var settings = Settings(scope: .repository, pools: [pool])
    settings.healthCheckInterval = .milliseconds(300)
    settings.reconcileAfter = 2
    settings.askAgainAfter = 2
    settings.sweepInterval = .seconds(1)
    let engine = ProcessEngine(
      root: folder.appending(path: "containers", directoryHint: .isDirectory), images: [:], installation: "test", logger: logger)
    let orchestration = Orchestration(
      transactor: transactor, engines: EngineRoster(engines: [engine], pools: [pool]), forge: forge,
      decoder: SourceDeliveryDecoder(github: NoGitHub()), policies: BuiltIn(),
      blobs: try DirectoryBlobStore(root: folder.appending(path: "blobs", directoryHint: .isDirectory)), settings: settings,
      monitor: OrchestratorMonitor(startedAt: Date()), drain: DrainSwitch(), metricsInterval: 1, drainLimit: 10, logger: logger)

    let (ports, bound) = AsyncStream.makeStream(of: Int.self)
    let metrics = PrometheusMetrics()
    let webhooks = WebhookServer(
      handler: OrchestratorWebhookHandler(
        secrets: try WebhookSecrets(["none comes"]), inbox: store, metrics: metrics, logger: logger, wake: wake),
      sources: SourceWebhookHandler(webhooks: adapter, inbox: store, metrics: metrics, logger: logger, wake: wake),
      options: ListenerOptions(host: "127.0.0.1", port: 0) { bound.yield($0) }, logger: logger)
    let group = ServiceGroup(
      services: [Following { await plugins.run() }, webhooks, orchestration.sources, orchestration.orchestrator], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var port = ports.makeAsyncIterator()
      let number = await port.next() ?? 0
      let failure: (any Error)?
      do {
        try await body(
          SourceHub(store: store, forge: forge, plugins: plugins, webhooks: "http://127.0.0.1:\(number)/webhooks/plugins/\(name)"))
        failure = nil
      } catch {
        failure = error
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      if let failure { throw failure }
    }
    try FileManager.default.removeItem(at: folder)
  }

  func job(_ id: Int64, of source: String) async throws -> Job? { try await store.job(JobID(source: source, forgeID: id, attempt: 1)) }

  /// Waits until something holds.
  func eventually(_ what: String, within limit: Duration = .seconds(30), _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(30))
    }
    throw NeverCame(what: "\(what); the plugins: \(plugins.statuses)")
  }
}

struct NeverCame: Error, CustomStringConvertible {
  var what: String
  var description: String { "this never came: \(what)" }
}

/// Runs until shutdown.
private struct Following: Service {
  let body: @Sendable () async -> Void
  func run() async throws { await cancelWhenGracefulShutdown { await body() } }
}

private struct BuiltIn: PolicySource {
  var activeBundle: String { "built-in" }
  func makeEngine() -> any PolicyEngine { BuiltInPolicy() }
  var status: PolicyStatus { PolicyStatus(bundle: "built-in") }
}

/// A GitHub of which nothing comes, and that nobody may ask.
private struct NoGitHub: Forge, JobSearch, DeliveryDecoder {
  private static let refusal = ForgeError.invalid("GitHub was asked")
  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration { throw Self.refusal }
  func removeRunner(id: Int64, scope: JobClass, repository: String, installationID: Int64?) async throws(ForgeError) -> RunnerRemoval {
    throw Self.refusal
  }
  func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval { throw Self.refusal }
  func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport { throw Self.refusal }
  func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String { throw Self.refusal }
  func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport { throw Self.refusal }
  func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) { throw Self.refusal }
  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String { throw Self.refusal }
  func runs(_ status: OpenRunStatus, of repository: String, installationID: Int64?) async throws(ForgeError) -> [RunReport] {
    throw Self.refusal
  }
  func jobs(ofRun id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> [JobReport] { throw Self.refusal }
  func repositories(of organization: String) async throws(ForgeError) -> [Repository] { throw Self.refusal }
  func decode(_ delivery: Delivery) throws(MalformedDelivery) -> ForgeEvent { throw MalformedDelivery("of GitHub") }
}
