import Domain
import Foundation
import GitHub
import Logging
import Metrics
import Policies
import RunnerHub
import Storage
import Web

/// RunnerHub's core with all its loops, as `serve` joins them, over the stand-ins.
struct Hub {
  let store: SQLiteStore
  let transactor: Transactor
  let monitor = OrchestratorMonitor(startedAt: Date())
  let orchestration: Orchestration
  let engine: InstantEngine
  let forge: InstantForge

  /// - Parameter policies: folder of Lua policies.
  init(
    directory: URL, settings: Settings, engine: InstantEngine = InstantEngine(), forge: InstantForge = InstantForge(), policies: String
  ) throws {
    self.engine = engine
    self.forge = forge
    store = try SQLiteStore(path: directory.database)
    transactor = Transactor(store: store, signals: Signals())
    orchestration = Orchestration(
      transactor: transactor, engines: EngineRoster(engines: [engine], pools: settings.pools), forge: ForgeRoster(github: forge),
      decoder: GitHubDeliveryDecoder(), policies: ActivePolicies(bundle: try PolicyBundle(folder: policies)),
      blobs: try DirectoryBlobStore(root: directory.appending(path: "blobs")), settings: settings, monitor: monitor, drain: DrainSwitch(),
      metricsInterval: 15, drainLimit: 1, logger: .quiet)
  }

  /// Runs all loops while `body` works.
  func running<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    let loops = Task {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await orchestration.orchestrator.run() }
        group.addTask { try await orchestration.reporter.run() }
        try await group.waitForAll()
      }
    }
    defer { loops.cancel() }
    let value = try await body()
    loops.cancel()
    try await loops.value
    return value
  }

  /// Stores a delivery as the webhook listener does.
  func deliver(_ deliveries: SignedDeliveries, _ index: Int) async throws {
    let identity = deliveries.identity(index)
    let delivery = Delivery(
      guid: identity.guid, hookID: "451234567", event: "workflow_job", target: "organization/9876543", transition: identity.transition,
      body: deliveries.body(index), receivedAt: Date())
    let receipt = try await store.append(delivery)
    guard receipt == .stored else { throw BenchmarkFailure("a delivery was not stored: \(receipt)") }
    transactor.signals.intake.notify()
  }

  /// Waits until something is so.
  static func wait(_ what: String, seconds: Double, until isSo: () async throws -> Bool) async throws {
    let end = Clock.now + UInt64(seconds * 1e9)
    while try await !isSo() {
      guard Clock.now < end else { throw BenchmarkFailure("not within \(Text.number(seconds)) s: \(what)") }
      try await Task.sleep(for: .milliseconds(2))
    }
  }
}

extension Logger {
  /// Warnings and worse, to standard error.
  static var quiet: Logger {
    var logger = Logger(label: "benchmarks", factory: StreamLogHandler.standardError(label:))
    logger.logLevel = .error
    return logger
  }
}
