package import Domain
import Metrics

/// Every metric of the core, by its stable name. None has a series per job, repository or container.
///
/// The backend is whatever the composition root bootstraps; names follow Prometheus' rules for units and totals.
package enum HubMetrics {
  package enum Name: String, CaseIterable, Sendable {
    /// Counter by `status`: what became of deliveries.
    case deliveries = "runnerhub_deliveries_total"
    /// Counter: jobs brought up to date by a search at the forge, since no delivery told of it.
    case jobsFound = "runnerhub_jobs_found_total"
    /// Gauge by `state`.
    case jobs = "runnerhub_jobs"
    /// Gauge by `state`.
    case containers = "runnerhub_containers"
    /// Counter by `conclusion`.
    case jobsEnded = "runnerhub_jobs_ended_total"
    /// Distribution: from queued to started.
    case jobWait = "runnerhub_job_wait_seconds"
    /// Distribution: from started to ended.
    case jobDuration = "runnerhub_job_duration_seconds"
    /// Counter by `outcome`: `bound`, `exchanged`, `started`, `failed`, `released`.
    case assignments = "runnerhub_assignments_total"
    /// Counter by `kind` and `source`: `policy`, `built-in`, `fallback`; `live` where the canary failed and the live bundle answered.
    case policyDecisions = "runnerhub_policy_decisions_total"
    /// Counter by `kind`, `slot` (`shadow`, `canary`) and `outcome`: decisions of which another bundle was asked too (`same`, `differs`), and
    /// those of which the shadow was not asked since it costs too much (`skipped`).
    case policyComparisons = "runnerhub_policy_comparisons_total"
    /// Counter by `route` and `cause`: which side jobs were sent to.
    case jobsRouted = "runnerhub_jobs_routed_total"
    /// Counter by `outcome`: what became of bundles: `activated`, `rolled-back`, `refused`, `cleared`.
    case policyChanges = "runnerhub_policy_changes_total"
    /// Counter by `outcome`: `sent`, `retried`, `given_up`.
    case statusWrites = "runnerhub_status_writes_total"
    /// Distribution: CPU and waiting of one turn of the planner.
    case plannerTurn = "runnerhub_planner_turn_seconds"
    /// Gauge by `severity`: alerts that are open.
    case alertsOpen = "runnerhub_alerts_open"
    /// Counter by `outcome`: tries of notifications: `delivered`, `retried`, `given_up`.
    case notifications = "runnerhub_notifications_total"
    /// Gauge by `component`: 1 works, 0 does not.
    case componentUp = "runnerhub_component_up"
    /// Gauge by `state`: 1 for the present one, 0 for the others.
    case orchestratorState = "runnerhub_orchestrator_state"
  }

  package static func delivery(_ status: DeliveryStatus) { count(.deliveries, [("status", status.rawValue)]) }
  package static func jobEnded(_ conclusion: Conclusion) {
    // Unknown words come from outside: they must not make series.
    let word = if case .other = conclusion { "other" } else { conclusion.word }
    count(.jobsEnded, [("conclusion", word)])
  }
  package static func jobFound() { count(.jobsFound, []) }
  package static func jobWait(seconds: Double) { record(.jobWait, seconds) }
  package static func jobDuration(seconds: Double) { record(.jobDuration, seconds) }
  package static func plannerTurn(seconds: Double) { record(.plannerTurn, seconds) }
  package static func statusWrite(_ outcome: String) { count(.statusWrites, [("outcome", outcome)]) }

  /// What happens to assignments.
  package enum AssignmentOutcome: String, CaseIterable, Sendable { case bound, exchanged, started, failed, released }
  package static func assignment(_ outcome: AssignmentOutcome) { count(.assignments, [("outcome", outcome.rawValue)]) }

  package static func policyDecision(_ decision: DecisionRecord) {
    let isOfLive = decision.isCanary && decision.shadow != nil && decision.shadow?.fallbackCause == nil
    let source = decision.fallbackCause != nil ? (isOfLive ? "live" : "fallback") : decision.bundle == "built-in" ? "built-in" : "policy"
    count(.policyDecisions, [("kind", decision.kind), ("source", source)])
    guard let other = decision.shadow else { return }
    let slot: PolicySlot = decision.isCanary ? .canary : .shadow
    count(
      .policyComparisons, [("kind", decision.kind), ("slot", slot.rawValue), ("outcome", other.differs ? "differs" : "same")])
  }

  package static func comparisonSkipped(_ kind: String) {
    count(.policyComparisons, [("kind", kind), ("slot", PolicySlot.shadow.rawValue), ("outcome", "skipped")])
  }

  package static func jobRouted(_ route: Route, _ cause: RouteCause) {
    count(.jobsRouted, [("route", route.rawValue), ("cause", cause.rawValue)])
  }

  package static func policyChange(_ kind: PolicyEvent.Kind) { count(.policyChanges, [("outcome", kind.rawValue)]) }

  package static func jobs(_ counts: [JobState: Int]) {
    for state in JobState.allCases { set(.jobs, [("state", state.rawValue)], Double(counts[state] ?? 0)) }
  }
  package static func containers(_ counts: [ContainerState: Int]) {
    for state in ContainerState.allCases where state.isLive {
      set(.containers, [("state", state.rawValue)], Double(counts[state] ?? 0))
    }
  }
  package static func openAlerts(_ alerts: some Sequence<Alert>) {
    let counts: [Alert.Severity: Int] = alerts.reduce(into: [:]) { $0[$1.severity, default: 0] += 1 }
    for severity in Alert.Severity.allCases { set(.alertsOpen, [("severity", severity.rawValue)], Double(counts[severity] ?? 0)) }
  }
  package static func notification(_ settled: AlertNotification) {
    let outcome =
      switch settled.status {
      case .pending: "retried"
      case .delivered: "delivered"
      case .givenUp: "given_up"
      }
    count(.notifications, [("outcome", outcome)])
  }
  package static func component(_ component: Component, isWorking: Bool) {
    set(.componentUp, [("component", component.rawValue)], isWorking ? 1 : 0)
  }
  package static func state(_ state: OrchestratorState) {
    for other in OrchestratorState.allCases { set(.orchestratorState, [("state", other.rawValue)], other == state ? 1 : 0) }
  }

  private static func count(_ name: Name, _ dimensions: [(String, String)]) {
    Counter(label: name.rawValue, dimensions: dimensions).increment()
  }
  private static func set(_ name: Name, _ dimensions: [(String, String)], _ value: Double) {
    Gauge(label: name.rawValue, dimensions: dimensions).record(value)
  }
  private static func record(_ name: Name, _ value: Double) {
    Recorder(label: name.rawValue).record(value)
  }
}
