import AsyncHTTPClient
import Domain
import Emulator
import Engines
import Foundation
import GitHub
import Logging
import Metrics
import Plugins
import Policies
import RunnerHub
import Scheduling
import ServiceLifecycle
import Storage
import UnixSignals
import Web

/// One running RunnerHub: every adapter made, every loop in one service group.
struct Host {
  private let configuration: Configuration
  private let origin: PluginPlanFile.Origin
  private let logger: Logger

  /// - Parameter origin: how the configuration was given, to follow what it says of plugins.
  init(configuration: Configuration, origin: PluginPlanFile.Origin) {
    self.configuration = configuration
    self.origin = origin
    var logger = Logger(label: "runnerhub")
    logger.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .info
    self.logger = logger
  }

  /// Serves until a signal has drained it.
  /// - Throws: what keeps it from starting, or a service that failed.
  func run() async throws {
    let failpoints = try Failpoints(environment: ProcessInfo.processInfo.environment, logger: logger) { kill(getpid(), SIGKILL) }
    let metrics = PrometheusMetrics()
    MetricsSystem.bootstrap(metrics)
    try FileManager.default.createDirectory(
      at: configuration.dataDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let lock = try StoreLock(databasePath: configuration.databasePath)
    defer { withExtendedLifetime(lock) {} }
    let feed = EventFeed()
    let store = try SQLiteStore(path: configuration.databasePath) { changes in feed.publish { changes.events(at: Date()) } }
    let http = GitHubClient.makeHTTPClient(settings: gitHubSettings)
    do {
      let plugins = try await HostPlugins(configuration: configuration, origin: origin, store: store, feed: feed, logger: logger)
      // Around everything else: who needs a plugin has it from the first step to the last.
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await plugins.host.run() }
        await plugins.host.settled(.secrets)
        let secrets = HostSecrets(configuration: configuration, keeper: plugins.secrets, logger: logger)
        let client = try await GitHubClient(
          settings: gitHubSettings, credentials: try await secrets.credentials(), http: http, logger: logger)
        let webhookSecrets = try await secrets.webhookSecrets()
        await secrets.follow(client, webhookSecrets)
        try await serve(
          store: failpoints.guarding(store),
          forge: ForgeRoster(github: failpoints.guarding(GitHubForge(client: client, logger: logger))), webhookSecrets: webhookSecrets,
          metrics: metrics, feed: feed, plugins: plugins, failpoints: failpoints)
        group.cancelAll()
      }
    } catch {
      try await http.shutdown()
      throw error
    }
    try await http.shutdown()
    logger.notice("stopped")
  }

  // MARK: - Parts

  private var gitHubSettings: GitHubSettings { GitHubSettings(baseURL: configuration.apiURL) }

  private func serve(
    store: any Store, forge: ForgeRoster, webhookSecrets: WebhookSecrets, metrics: PrometheusMetrics, feed: EventFeed,
    plugins: HostPlugins, failpoints: Failpoints
  ) async throws {
    let installation = try await installation(store, feed)
    let docker = try await DockerConnections(
      configuration, installation: installation, folder: configuration.dataDirectory.appending(path: "ssh"), logger: logger)
    do {
      try await serve(
        store: store, forge: forge, webhookSecrets: webhookSecrets, installation: installation, docker: docker, metrics: metrics,
        feed: feed,
        plugins: plugins, failpoints: failpoints)
    } catch {
      try await docker.shutDown()
      throw error
    }
    try await docker.shutDown()
  }

  private func serve(
    store: any Store, forge: ForgeRoster, webhookSecrets: WebhookSecrets, installation: String, docker: DockerConnections,
    metrics: PrometheusMetrics, feed: EventFeed, plugins: HostPlugins, failpoints: Failpoints
  ) async throws {
    let enginePlugins = try EnginePlugins(configuration, installation: installation, logger: logger)
    var settings = configuration.settings
    settings.startsByEngine.merge(enginePlugins.starts) { _, new in new }
    let blobs = failpoints.guarding(try DirectoryBlobStore(root: configuration.dataDirectory.appending(path: "blobs")))
    let policiesPath = configuration.policies.path(percentEncoded: false)
    let keeper = PolicyKeeper(folder: policiesPath, archive: store, logger: logger)
    let rehearsals = SlotKeeper(keeper: keeper, archive: store, logger: logger)
    let policies = rehearsals.slots
    let monitor = OrchestratorMonitor(startedAt: Date())
    let drain = DrainSwitch()
    let transactor = Transactor(store: store, signals: Signals())
    let processes = ProcessEngine(
      root: configuration.dataDirectory.appending(path: "containers"), images: ["stand-in": StandInRunner.runnerFiles],
      installation: installation, logger: logger)
    let engines = [processes] + docker.engines + enginePlugins.engines
    let roster = EngineRoster(engines: engines.map(failpoints.guarding), pools: settings.pools)
    try await keeper.start()
    try await rehearsals.start()
    let watch = PolicyWatch(folder: policiesPath, mode: configuration.policyWatch, keeper: keeper, logger: logger)
    let orchestration = Orchestration(
      transactor: transactor, engines: roster, forge: forge,
      decoder: SourceDeliveryDecoder(github: GitHubDeliveryDecoder()),
      policies: policies, blobs: blobs, settings: settings, monitor: monitor, drain: drain, metricsInterval: configuration.metricsInterval,
      drainLimit: configuration.drainLimit, notifiers: failpoints.guarding(plugins.notifiers),
      alertSources: [plugins.alerts], logger: logger)
    let desk = MigrationDesk(
      // Not those that rehearse: to look at the migration is no decision.
      transactor: transactor, policies: keeper.active,
      fleet: FleetObserver(store: store, pools: settings.pools, drain: drain, memory: orchestration.memory), settings: settings)
    let source = StoreStatusSource(
      store: store, blobs: blobs,
      surroundings: .init(
        startedAt: Date(), pools: settings.pools, policies: policies, plugins: { plugins.host.statuses }, state: { monitor.state },
        isReady: { monitor.health(at: Date()).isReady },
        health: { HealthDocument(monitor.health(at: Date())) }))
    let sourcePlugins = SourceAdapter(forge: forge, inbox: store, logger: logger, wake: { transactor.signals.intake.notify() })
    let announcement = Announcement(directory: configuration.dataDirectory)
    let webhooks = WebhookServer(
      handler: OrchestratorWebhookHandler(
        secrets: webhookSecrets, inbox: store, metrics: metrics, logger: logger,
        wake: { transactor.signals.intake.notify() }),
      sources: SourceWebhookHandler(
        webhooks: sourcePlugins, inbox: store, metrics: metrics, logger: logger, wake: { transactor.signals.intake.notify() }),
      machines: enginePlugins.machines,
      options: ListenerOptions(host: configuration.webhooks.host, port: configuration.webhooks.port) { port in
        await announcement.note(webhooks: configuration.webhooks.url(port: port) + "/webhooks/github")
      }, logger: logger)
    let administration = AdministrationServer(
      source: source, metrics: metrics,
      options: ListenerOptions(host: configuration.administration.host, port: configuration.administration.port) { port in
        await announcement.note(administration: configuration.administration.url(port: port))
      },
      routes: PolicyRoutes.routes(source: policies, archive: store, control: keeper) + DecisionRoutes.routes(log: store)
        + RehearsalRoutes.routes(control: rehearsals, log: store) + MigrationRoutes.routes(desk: desk)
        + AuditRoutes.routes(log: store) + AlertRoutes.routes(alerts: store)
        + FleetRoutes.routes(
          desk: FleetDesk(transactor: transactor, engines: roster, settings: settings, images: orchestration.images, logger: logger))
        + PluginRoutes.routes(desk: PluginDesk(control: plugins.host, transactor: transactor)), logger: logger)

    plugins.begin(enginePlugins.adapters + [sourcePlugins])

    // Ended in the reverse order: jobs are drained while webhooks and pages still answer.
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: SecondSignal(logger: logger)),
          .init(service: webhooks), .init(service: administration),
          .init(service: Loop("pages") { await orchestration.follow { source.noteChange() } }),
          .init(service: Loop("policies") { try await watch.run() }),
          .init(service: Loop("slots") { try await rehearsals.run() }),
          .init(
            service: Loop("plugins") {
              await plugins.host.follow { statuses in
                monitor.report(plugins: statuses, at: Date())
                transactor.signals.alerts.notify()
                source.noteChange()
              }
            }),
          .init(service: Loop("docker") { try await docker.run() }),
          .init(service: Loop("observers") { try await plugins.observers.run() }),
          .init(service: Loop("secrets") { try await plugins.secrets.run() }),
          .init(service: orchestration.reporter),
          .init(service: orchestration.sources),
          .init(service: orchestration.orchestrator, successTerminationBehavior: .gracefullyShutdownGroup),
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
    announcement.remove()
  }

  /// A name of this installation's own, kept with its store, by which its containers are known. Counts the start, which numbers the events.
  private func installation(_ store: any Store, _ feed: EventFeed) async throws -> String {
    let name = try await store.value(forKey: "installation") ?? RandomIdentitySource().token(digits: 12)
    let starts = try await store.value(forKey: "starts").flatMap { Int64($0) } ?? 0
    var changes = Changes()
    changes.memory = ["installation": name, "starts": "\(starts + 1)"]
    try await store.commit(changes, at: .installationNamed)
    feed.begin(start: starts + 1)
    return name
  }
}

extension StandInRunner {
  /// The stand-in runner as an image of the process engine.
  static var runnerFiles: [RunnerFile] {
    files.map { RunnerFile(path: $0.path, contents: Data($0.contents), mode: $0.mode) }
  }
}

extension HealthDocument {
  init(_ report: HealthReport) {
    let components = report.components.map { health in
      let status: Status = health.status == .failing ? .failing : .ok
      return (health.component.rawValue, Component(status: status, detail: health.detail ?? health.status.rawValue))
    }
    let isFailing = report.state == .error || report.state == .stopped
    let isDegraded = report.components.contains { $0.status == .failing } || !report.isReady
    self.init(
      status: isFailing ? .failing : (isDegraded ? .degraded : .ok), state: report.state,
      components: Dictionary(components, uniquingKeysWith: { first, _ in first }))
  }
}
