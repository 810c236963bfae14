import Domain
package import Foundation

/// A part of RunnerHub that knows what is wrong with it. A new kind of alert is a new source.
package protocol AlertSource: Sendable {
  /// - Throws: where it cannot say; its alerts stay as they are.
  func alerts(at now: Date) async throws(StoreError) -> AlertReading
}

/// Parts that do not work, as their monitor heard; not the store, without which no alert can be kept, nor plugins, each of which has its own.
package struct ComponentAlerts: AlertSource {
  private let monitor: OrchestratorMonitor
  /// Two of the shorter rounds of health checks: what fails once and works again pages nobody.
  package static let holdOff: TimeInterval = 30

  package init(monitor: OrchestratorMonitor) { self.monitor = monitor }

  package func alerts(at now: Date) async throws(StoreError) -> AlertReading {
    let components = monitor.health(at: now).components.filter { $0.component != .store && $0.component != .plugins }
    let failing = components.filter { $0.status == .failing }.map { health in
      AlertCondition(
        key: Self.key(health.component), severity: health.component == .policies ? .warning : .critical,
        title: "The \(health.component.noun) does not work", text: health.detail ?? "no detail is known")
    }
    return AlertReading(
      scope: "component/", conditions: failing, unknown: Set(components.filter { $0.status == .unknown }.map { Self.key($0.component) }),
      holdOff: Self.holdOff)
  }

  private static func key(_ component: Component) -> String { "component/\(component.rawValue)" }
}

extension Component {
  fileprivate var noun: String {
    switch self {
    case .store: "store"
    case .engine: "container engine"
    case .forge: "connection to GitHub"
    case .policies: "policies"
    case .plugins: "plugins"
    }
  }
}

/// A bundle that was refused: the one before goes on deciding.
package struct PolicyAlerts: AlertSource {
  private let policies: any PolicySource

  package init(policies: any PolicySource) { self.policies = policies }

  package func alerts(at now: Date) async throws(StoreError) -> AlertReading {
    let status = policies.status
    let condition = status.refusal.map { refusal in
      AlertCondition(
        key: "policies/refused", severity: .warning, title: "Policies were refused", text: "bundle \(status.bundle) goes on: \(refusal)")
    }
    return AlertReading(scope: "policies/", conditions: condition.map { [$0] } ?? [])
  }
}

/// Jobs that RunnerHub gave up on and that are still queued at GitHub: one alert a repository, however many they are.
package struct GivenUpJobAlerts: AlertSource {
  private let store: any JobReader
  /// Jobs that are looked at; more tell nobody more.
  private static let limit = 100

  package init(store: any JobReader) { self.store = store }

  package func alerts(at now: Date) async throws(StoreError) -> AlertReading {
    let jobs = try await store.jobs(in: [.failed], limit: Self.limit)
    let conditions = Dictionary(grouping: jobs, by: \.repository.fullName).sorted { $0.key < $1.key }.map { repository, jobs in
      AlertCondition(
        key: "job/given-up/\(repository)", severity: .warning, title: "RunnerHub gave up on jobs of \(repository)",
        text: jobs.prefix(3).map { "\($0.name): \($0.lastFailure ?? "no cause is known")" }.joined(separator: "; ")
          + (jobs.count > 3 ? "; and \(jobs.count - 3) more" : ""))
    }
    return AlertReading(scope: "job/", conditions: conditions)
  }
}
