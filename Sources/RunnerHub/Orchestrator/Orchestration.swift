import Domain
package import Foundation
package import Logging
import Scheduling

/// The core's loops, joined: what a composition root runs over the adapters that it has made.
package struct Orchestration: Sendable {
  package let orchestrator: RunnerOrchestrator
  package let reporter: StatusReporter
  /// What runs for the sources beside GitHub, as they come.
  package let sources: SourceDesk
  /// What is remembered of the fleet, for others that show it to policies.
  package let memory: FleetMemory
  /// What is known of the pools' images.
  package let images: ImageKeeper
  private let signals: Signals

  /// - Parameters:
  ///   - notifiers: who is told of alerts.
  ///   - alertSources: beside those of the core.
  package init(
    transactor: Transactor, engines: EngineRoster, forge: ForgeRoster, decoder: any DeliveryDecoder, policies: any PolicySource,
    blobs: any BlobStore, settings: Settings, monitor: OrchestratorMonitor, drain: DrainSwitch, metricsInterval: TimeInterval,
    drainLimit: TimeInterval, notifiers: any NotifierRoster = NoNotifiers(), alertSources: [any AlertSource] = [], logger: Logger
  ) {
    let store = transactor.store
    let identities = RandomIdentitySource()
    let reducer = JobReducer(settings: settings)
    let source = DefinitionSource(forge: forge, rules: settings.workflow.rules)
    let memory = FleetMemory()
    let logs = LogCollector(
      transactor: transactor, engines: engines, blobs: blobs, largest: settings.largestLog, logger: logger)
    let intake = Intake(transactor: transactor, decoder: decoder, reducer: reducer, runs: source, logger: logger)
    let triage = Triage(
      transactor: transactor,
      parser: JobParser(source: source, hints: HintSource(forge: forge), history: store, settings: settings), policies: policies,
      fleet: FleetObserver(store: store, pools: settings.pools, drain: drain, memory: memory), settings: settings, order: QueueOrder(),
      logger: logger)
    let planner = PlannerService(
      planning: PlanningTurn(transactor: transactor, engines: engines, settings: settings, identities: identities, logger: logger),
      scaling: ScalingTurn(transactor: transactor, settings: settings, identities: identities, memory: memory, logger: logger),
      policies: policies, signals: transactor.signals, drain: drain, interval: Double(settings.scalingInterval.components.seconds),
      logger: logger)
    let manager = ContainerAssignmentManager(
      transactor: transactor, engines: engines, forge: forge, logs: logs, settings: settings, drain: drain, memory: memory, logger: logger)
    let reconciler = Reconciler(
      transactor: transactor, forge: forge, reducer: reducer, engines: engines, settings: settings, memory: memory, logger: logger)
    let health = HealthMonitor(
      transactor: transactor, engines: engines, reconciler: reconciler, settings: settings, monitor: monitor, logger: logger)
    let sweeper = Sweeper(
      transactor: transactor, search: forge, reducer: reducer, runs: source, settings: settings, logger: logger)
    let monitoring = MonitoringLoop(
      store: store, policies: policies, monitor: monitor, wakeUp: transactor.signals.monitoring, interval: metricsInterval, logger: logger)
    let alerts = AlertKeeper(
      store: store,
      sources: [ComponentAlerts(monitor: monitor), PolicyAlerts(policies: policies), GivenUpJobAlerts(store: store)] + alertSources,
      roster: notifiers, signals: transactor.signals, logger: logger)
    let courier = NotificationCourier(
      store: store, roster: notifiers, wakeUp: transactor.signals.notifications, link: { [url = settings.baseURL] _ in url }, logger: logger
    )
    let images = ImageKeeper(transactor: transactor, engines: engines, pools: settings.pools, logger: logger)
    let logRetention = LogRetention(transactor: transactor, blobs: blobs, settings: settings, logger: logger)
    let retention = DecisionRetention(transactor: transactor, settings: settings, logger: logger)
    let alertRetention = AlertRetention(transactor: transactor, settings: settings, logger: logger)
    var loops: [(name: String, run: @Sendable () async throws -> Void)] = [
      ("intake", { try await intake.run() }), ("triage", { try await triage.run() }), ("planner", { try await planner.run() }),
      ("assignments", { try await manager.run() }), ("logs", { try await logs.run() }),
      ("health", { try await health.run() }), ("reconciliation", { try await reconciler.run() }),
      ("monitoring", { try await monitoring.run() }), ("decision log", { try await retention.run() }),
      ("log retention", { try await logRetention.run() }),
      ("images", { try await images.run() }),
      ("alerts", { try await alerts.run() }), ("alert log", { try await alertRetention.run() }),
      ("notifications", { try await courier.run() }),
    ]
    // A loop that ends by itself counts as a failure: one that has nothing to do is left out.
    if settings.sweepInterval > .zero { loops.append(("sweep", { try await sweeper.run() })) }
    let fallback = FallbackTurn(transactor: transactor, drain: drain, settings: settings, logger: logger)
    if !settings.migration.traditionalLabels.isEmpty { loops.append(("fallback", { try await fallback.run() })) }
    orchestrator = RunnerOrchestrator(
      transactor: transactor, loops: loops, drain: drain, fallback: fallback, monitor: monitor, drainLimit: drainLimit, logger: logger)
    self.memory = memory
    self.images = images
    reporter = StatusReporter(store: store, forge: forge, wakeUp: transactor.signals.reporting, monitor: monitor, logger: logger)
    sources = SourceDesk(transactor: transactor, forge: forge, reducer: reducer, settings: settings, logger: logger)
    signals = transactor.signals
  }

  /// Calls back after each change until cancelled.
  package func follow(_ changed: @Sendable () -> Void) async {
    while !Task.isCancelled {
      await signals.pages.wait(until: nil)
      changed()
    }
  }
}
