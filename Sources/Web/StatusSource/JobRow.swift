package import Domain
package import Foundation

/// One job for people: where it stands, and why.
package struct JobRow: Codable, Hashable, Sendable {
  package var id: JobID
  package var name: String
  package var repository: String
  package var workflow: String?
  package var route: Route?
  package var state: JobState
  /// It was refused, whatever the forge has made of it since.
  package var isRefused: Bool
  /// `CRITICAL`, `HIGH`, `NORMAL`, `LOW`; nil for a job that is not RunnerHub's to run.
  package var priority: String?
  /// The container's short name where it is known.
  package var container: String?
  /// Queued until started, until ended, or until now.
  package var waitSeconds: Double?
  /// Started until ended, or until now.
  package var runSeconds: Double?
  /// One line; empty when there is nothing to say yet.
  package var why: String
  package var conclusion: Conclusion?
  package var labels: [String]

  /// - Parameter containerName: short names of containers by id.
  package init(_ job: Job, now: Date, containerName: (ContainerID) -> String?) {
    id = job.id
    name = job.name
    repository = job.repository.qualifiedName
    workflow = job.workflow
    route = job.route
    state = job.state
    isRefused = job.refusal != nil
    // A refused job stays refused for a reader when the forge has ended it: its priority never counted.
    priority = job.route == .traditional || job.refusal != nil || job.state == .received ? nil : job.priority.word
    container = job.containerID.map { containerName($0) ?? $0.rawValue }
    waitSeconds = Self.span(from: job.queuedAt, to: job.startedAt ?? job.completedAt ?? now)
    runSeconds = Self.span(from: job.startedAt, to: job.completedAt ?? now)
    why = Self.why(job)
    conclusion = job.conclusion
    labels = job.labels
    if job.refusal != nil || job.state == .forwarded { (waitSeconds, runSeconds) = (nil, nil) }
  }

  /// Clocks of two machines may differ: a span is never negative.
  private static func span(from start: Date?, to end: Date) -> Double? {
    start.map { max(0, end.timeIntervalSince($0)) }
  }

  /// The reason that matters most to a reader in the job's state.
  static func why(_ job: Job) -> String {
    if let refusal = job.refusal { return refusal }
    let reasons: [String?] =
      switch job.state {
      case .refused: ["refused without a stated reason"]
      case .forwarded: [job.routeReason]
      case .waiting: ["waits for an approval at the forge"]
      case .received: [job.lastFailure]
      case .queued: [job.lastFailure.map { "start failed: \($0)" }, job.placementReason, urgency(job), job.routeReason]
      case .assigned, .starting, .running: [urgency(job), job.placementReason, job.priorityReason, job.routeReason]
      case .completed where job.conclusion == .success: [urgency(job), job.placementReason, job.priorityReason, job.routeReason]
      case .completed, .cancelled: [failedStep(job), job.lastFailure, job.conclusion.map { "ended: \($0)" }, job.routeReason]
      case .failed: [job.lastFailure, "no start succeeded"]
      }
    return reasons.compactMap(\.self).first { !$0.isEmpty } ?? ""
  }

  /// Why a job has another priority than most: worth more to a reader than why it has its container.
  private static func urgency(_ job: Job) -> String? {
    job.priority == .normal ? nil : job.priorityReason
  }

  private static func failedStep(_ job: Job) -> String? {
    job.steps.first { $0.conclusion == "failure" || $0.conclusion == "timed_out" }
      .map { #"step \#($0.number) "\#($0.name)" \#($0.conclusion == "timed_out" ? "timed out" : "failed")"# }
  }
}
