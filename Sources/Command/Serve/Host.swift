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
    let docker = DockerClient.makeHTTPClient()
    do {
      let secrets = HostSecrets(configuration: configuration, keeper: SecretKeeper(logger: logger), logger: logger)
      let notifiers = NotifierAdapter()
      let observers = ObserverAdapter(feed: feed, logger: logger)
      let plugins = try await pluginHost(store, adapters: [notifiers, observers, secrets.keeper], secrets: secrets.keeper, feed: feed)
      // Around everything else: who needs a plugin has it from the first step to the last.
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await plugins.run() }
        await plugins.settled(.secrets)
        let client = try await GitHubClient(
          settings: gitHubSettings, credentials: try await secrets.credentials(), http: http, logger: logger)
        let webhookSecrets = try await secrets.webhookSecrets()
        await secrets.follow(client, webhookSecrets)
        try await serve(
          store: failpoints.guarding(store), forge: failpoints.guarding(GitHubForge(client: client, logger: logger)), docker: docker,
          metrics: metrics, plugins: plugins, notifiers: notifiers, observers: observers, secrets: secrets.keeper,
          webhookSecrets: webhookSecrets, feed: feed, failpoints: failpoints)
        group.cancelAll()
      }
    } catch {
      try await docker.shutdown()
      try await http.shutdown()
      throw error
    }
    try await docker.shutdown()
    try await http.shutdown()
    logger.notice("stopped")
  }

  // MARK: - Parts

  private var gitHubSettings: GitHubSettings { GitHubSettings(baseURL: configuration.apiURL) }

  /// - Parameter store: where wishes of operators are kept.
  private func pluginHost(
    _ store: some ForgeMemory, adapters: [any PluginAdapter], secrets: SecretKeeper, feed: EventFeed
  ) async throws(StoreError) -> PluginHost {
    let plans = PluginPlanFile(configuration, origin: origin)
    return PluginHost(
      folder: configuration.pluginsFolder, held: try await PluginDesk.disabled(in: store), plans: { try plans.changed() },
      surroundings: PluginSurroundings(
        directories: PluginDirectories(root: configuration.dataDirectory.appending(path: "plugins", directoryHint: .isDirectory)),
        environment: origin.environment, adapters: adapters, settle: { try await secrets.settled($0, key: $1) },
        publish: { event in feed.publish { [event] } }, hostVersion: RunnerHubCommand.version, logger: logger))
  }

  private func engines(installation: String, docker http: HTTPClient) -> [any ContainerEngine] {
    var engines: [any ContainerEngine] = [
      ProcessEngine(
        root: configuration.dataDirectory.appending(path: "containers"), images: ["stand-in": StandInRunner.runnerFiles],
        installation: installation, logger: logger)
    ]
    if let settings = configuration.docker {
      engines.append(
        DockerEngine(
          client: DockerClient(socket: settings.socket, http: http), settings: settings, installation: installation, logger: logger))
    }
    return engines
  }

  private func serve(
    store: any Store, forge: any Forge & JobSearch, docker: HTTPClient, metrics: PrometheusMetrics, plugins: PluginHost,
    notifiers: NotifierAdapter, observers: ObserverAdapter, secrets: SecretKeeper, webhookSecrets: WebhookSecrets, feed: EventFeed,
    failpoints: Failpoints
  ) async throws {
    let settings = configuration.settings
    let blobs = failpoints.guarding(try DirectoryBlobStore(root: configuration.dataDirectory.appending(path: "blobs")))
    let policiesPath = configuration.policies.path(percentEncoded: false)
    let keeper = PolicyKeeper(folder: policiesPath, archive: store, logger: logger)
    let rehearsals = SlotKeeper(keeper: keeper, archive: store, logger: logger)
    let policies = rehearsals.slots
    let monitor = OrchestratorMonitor(startedAt: Date())
    let drain = DrainSwitch()
    let transactor = Transactor(store: store, signals: Signals())
    let engines = engines(installation: try await installation(store, feed), docker: docker)
    try await keeper.start()
    try await rehearsals.start()
    let watch = PolicyWatch(folder: policiesPath, mode: configuration.policyWatch, keeper: keeper, logger: logger)
    let orchestration = Orchestration(
      transactor: transactor, engines: EngineRoster(engines: engines.map(failpoints.guarding), pools: settings.pools), forge: forge,
      decoder: GitHubDeliveryDecoder(),
      policies: policies, blobs: blobs, settings: settings, monitor: monitor, drain: drain, metricsInterval: configuration.metricsInterval,
      drainLimit: configuration.drainLimit, notifiers: failpoints.guarding(notifiers),
      alertSources: [PluginAlerts { plugins.statuses }], logger: logger)
    let desk = MigrationDesk(
      // Not those that rehearse: to look at the migration is no decision.
      transactor: transactor, policies: keeper.active,
      fleet: FleetObserver(store: store, pools: settings.pools, drain: drain, memory: orchestration.memory), settings: settings)
    let source = StoreStatusSource(
      store: store, blobs: blobs,
      surroundings: .init(
        startedAt: Date(), pools: settings.pools, policies: policies, plugins: { plugins.statuses }, state: { monitor.state },
        isReady: { monitor.health(at: Date()).isReady },
        health: { HealthDocument(monitor.health(at: Date())) }))
    let announcement = Announcement(directory: configuration.dataDirectory)
    let webhooks = WebhookServer(
      handler: OrchestratorWebhookHandler(
        secrets: webhookSecrets, inbox: store, metrics: metrics, logger: logger,
        wake: { transactor.signals.intake.notify() }),
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
        + PluginRoutes.routes(desk: PluginDesk(control: plugins, transactor: transactor)), logger: logger)

    // Ended in the reverse order: jobs are drained while webhooks and pages still answer.
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: SecondSignal(logger: logger)),
          .init(service: webhooks), .init(service: administration),
          .init(service: Loop("pages") { await orchestration.follow { source.noteChange() } }),
          .init(service: Loop("policies") { try await watch.run() }),
          .init(service: Loop("slots") { try await rehearsals.run() }),
          .init(service: Loop("observers") { try await observers.run() }),
          .init(service: Loop("secrets") { try await secrets.run() }),
          .init(
            service: Loop("plugins") {
              await plugins.follow { statuses in
                monitor.report(plugins: statuses, at: Date())
                transactor.signals.alerts.notify()
                source.noteChange()
              }
            }),
          .init(service: orchestration.reporter),
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
