import Domain
package import Foundation
package import Logging

/// Feeds the monitor with what the store counts, when something changed and at least at each interval.
package struct MonitoringLoop: Sendable {
  private let store: any Store
  private let policies: any PolicySource
  private let monitor: OrchestratorMonitor
  private let wakeUp: WakeUp
  private let interval: TimeInterval
  private let now: @Sendable () -> Date
  private let logger: Logger
  /// Seconds between two looks at least, however much changes.
  private static let spacing = 0.25

  /// - Parameter interval: seconds.
  package init(
    store: any Store, policies: any PolicySource, monitor: OrchestratorMonitor, wakeUp: WakeUp, interval: TimeInterval, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.store = store
    self.policies = policies
    self.monitor = monitor
    self.wakeUp = wakeUp
    self.interval = interval
    self.logger = logger
    self.now = now
  }

  /// Looks until cancelled.
  package func run() async throws {
    while !Task.isCancelled {
      await look()
      try await Task.sleep(for: .seconds(Self.spacing))
      await wakeUp.wait(until: now().addingTimeInterval(interval))
    }
  }

  package func look() async {
    do {
      let jobs = try await store.jobCounts()
      let containers = try await store.liveContainers()
      monitor.observe(jobs: jobs)
      let resizing = containers.count { $0.assignment == nil && ($0.state == .creating || $0.state == .terminating) }
      monitor.observe(containers: Dictionary(grouping: containers, by: \.state).mapValues(\.count), resizing: resizing)
      monitor.report(.store, at: now())
    } catch {
      logger.error("the store does not answer", metadata: ["error": "\(error)"])
      monitor.report(.store, failing: error.description, at: now())
    }
    let status = policies.status
    monitor.report(.policies, detail: status.refusal.map { "bundle \(status.bundle) stays: \($0)" } ?? "bundle \(status.bundle)", at: now())
  }
}
