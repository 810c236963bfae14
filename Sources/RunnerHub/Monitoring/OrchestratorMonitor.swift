package import Domain
package import Foundation
import Synchronization

/// A part whose health counts.
package enum Component: String, Sendable, Codable, CaseIterable {
  case store, engine, forge, policies, plugins

  /// Nothing works without it.
  package var isCritical: Bool { self == .store }
  /// The orchestrator does not start work before it answered once. Jobs can be taken in, and run, while the forge is slow to answer
  /// or a plugin fails.
  package var isNeededAtStart: Bool { self != .forge && self != .plugins }
}

/// How a part does.
package struct ComponentHealth: Hashable, Sendable, Codable {
  package enum Status: String, Sendable, Codable {
    /// It has not been asked yet.
    case unknown
    case ok, failing
  }
  package var component: Component
  package var status: Status
  /// What is wrong, for an operator; of an engine or forge also which one.
  package var detail: String?
  /// Since when the status is what it is.
  package var since: Date
  /// Failed reports since it last worked.
  package var failures: Int

  package init(component: Component, status: Status, detail: String? = nil, since: Date, failures: Int = 0) {
    self.component = component
    self.status = status
    self.detail = detail
    self.since = since
    self.failures = failures
  }
}

/// The answer of `/health`.
package struct HealthReport: Hashable, Sendable, Codable {
  package var state: OrchestratorState
  /// New work is taken.
  package var isReady: Bool
  package var at: Date
  package var startedAt: Date
  package var components: [ComponentHealth]
  /// Jobs by state, as counted last.
  package var jobs: [String: Int]
  /// Containers by state, as counted last.
  package var containers: [String: Int]
}

/// Derives what the orchestrator as a whole is doing from what its parts report. Nobody sets the state.
package final class OrchestratorMonitor: Sendable {
  private struct Facts {
    var components: [Component: ComponentHealth]
    var answered: Set<Component> = []
    var isDraining = false
    var hasStopped = false
    var jobs: [JobState: Int] = [:]
    var containers: [ContainerState: Int] = [:]
    var resizing = 0

    var signals: OrchestratorState.Signals {
      OrchestratorState.Signals(
        hasStarted: Component.allCases.allSatisfy { !$0.isNeededAtStart || answered.contains($0) }, isDraining: isDraining,
        hasStopped: hasStopped, hasCriticalFailure: components.values.contains { $0.component.isCritical && $0.status == .failing },
        activeJobs: jobs.reduce(0) { $0 + ($1.key.holdsAssignment ? $1.value : 0) }, changingContainers: resizing)
    }

    mutating func set(_ component: Component, _ status: ComponentHealth.Status, _ detail: String?, _ now: Date) {
      var health = components[component] ?? ComponentHealth(component: component, status: .unknown, since: now)
      if health.status != status { health.since = now }
      health.status = status
      health.detail = detail
      health.failures = status == .failing ? health.failures + 1 : 0
      components[component] = health
      if status == .ok { answered.insert(component) }
    }
  }
  private let facts: Mutex<Facts>
  private let startedAt: Date

  package init(startedAt: Date) {
    self.startedAt = startedAt
    let unknown = Component.allCases.map { ($0, ComponentHealth(component: $0, status: .unknown, since: startedAt)) }
    facts = Mutex(Facts(components: Dictionary(unknown, uniquingKeysWith: { first, _ in first })))
  }

  /// A part works.
  /// - Parameter detail: worth knowing although it works, such as a bundle that was refused.
  package func report(_ component: Component, detail: String? = nil, at now: Date) {
    change { $0.set(component, .ok, detail, now) }
    HubMetrics.component(component, isWorking: true)
  }

  /// A part does not work.
  package func report(_ component: Component, failing detail: String, at now: Date) {
    change { $0.set(component, .failing, detail, now) }
    HubMetrics.component(component, isWorking: false)
  }

  /// How plugins are: one that does not do well is told of, and nothing waits for it.
  package func report(plugins: [PluginStatus], at now: Date) {
    let broken = plugins.filter(\.isBroken)
    if broken.isEmpty {
      let count = plugins.count { $0.state == .running }
      return report(.plugins, detail: count == 0 ? "none runs" : "\(count) run", at: now)
    }
    let text = broken.prefix(5).map { "\($0.name) is \($0.state.rawValue)\($0.reason.map { ": \($0.prefix(200))" } ?? "")" }
    report(.plugins, failing: text.joined(separator: "; ") + (broken.count > 5 ? " and \(broken.count - 5) more" : ""), at: now)
  }

  /// No new work is taken from now on.
  package func beganDraining() { change { $0.isDraining = true } }
  /// The last service ended.
  package func stopped() { change { $0.hasStopped = true } }

  /// What the store counts.
  package func observe(jobs: [JobState: Int]) {
    change { $0.jobs = jobs }
    HubMetrics.jobs(jobs)
  }

  /// What the store counts.
  /// - Parameter resizing: containers being made or ended because a pool changes its size.
  package func observe(containers: [ContainerState: Int], resizing: Int) {
    change {
      $0.containers = containers
      $0.resizing = resizing
    }
    HubMetrics.containers(containers)
  }

  package var state: OrchestratorState { facts.withLock { OrchestratorState($0.signals) } }

  package func health(at now: Date) -> HealthReport {
    facts.withLock { facts in
      let state = OrchestratorState(facts.signals)
      return HealthReport(
        state: state, isReady: state == .ready || state == .processing || state == .scaling, at: now, startedAt: startedAt,
        components: Component.allCases.compactMap { facts.components[$0] },
        jobs: Dictionary(facts.jobs.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: +),
        containers: Dictionary(facts.containers.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: +))
    }
  }

  private func change(_ body: (inout Facts) -> Void) {
    let (before, after) = facts.withLock { facts in
      let before = OrchestratorState(facts.signals)
      body(&facts)
      return (before, OrchestratorState(facts.signals))
    }
    if before != after { HubMetrics.state(after) }
  }
}
