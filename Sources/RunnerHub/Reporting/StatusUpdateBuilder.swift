package import Domain
import Foundation
import Scheduling

/// Turns what is known of a job into what the forge is told of it. Pure.
package enum StatusUpdateBuilder {
  /// GitHub's bound for the summary of a check run's output, in characters
  /// (<https://docs.github.com/rest/checks/runs#create-a-check-run>).
  static let summaryLimit = 65_535
  static let stepLimit = 100

  /// The update for a job as it stands now.
  /// - Parameters:
  ///   - container: the one that it has, had or gets.
  ///   - decisions: what policies and the planner said of it.
  ///   - detailsURL: page of the job.
  /// - Returns: nil for a job that is not ours to report: not decided yet, or left to traditional runners.
  package static func update(for job: Job, container: Container?, decisions: [DecisionRecord], detailsURL: String?) -> StatusUpdate? {
    guard job.route != .traditional || hasFallenBack(job), let status = status(of: job) else { return nil }
    return StatusUpdate(
      jobID: job.id, repository: job.repository.fullName, installationID: job.installationID, headSHA: job.headSHA,
      name: "RunnerHub / \(job.name)", status: status, conclusion: status == .completed ? conclusion(of: job) : nil,
      title: String(title(of: job, container).prefix(200)), summary: summary(of: job, container, decisions), detailsURL: detailsURL,
      startedAt: job.startedAt, completedAt: status == .completed ? job.completedAt : nil, source: job.source)
  }

  /// It was ours and reported as waiting: that must not stand there for ever.
  private static func hasFallenBack(_ job: Job) -> Bool {
    job.route == .traditional && job.state == .forwarded && job.queuedAt != nil
  }

  private static func status(of job: Job) -> StatusUpdate.Status? {
    if job.refusal != nil { return .completed }
    return switch job.state {
    case .received, .waiting: nil
    case .forwarded: hasFallenBack(job) ? .completed : nil
    case .queued, .assigned, .starting: .queued
    case .running: .inProgress
    case .refused, .completed, .cancelled, .failed: .completed
    }
  }

  /// Only the words that the API takes: it refuses `stale`, `startup_failure` and unknown ones.
  private static func conclusion(of job: Job) -> Conclusion {
    if job.refusal != nil || job.state == .refused || job.state == .failed { return .failure }
    if job.state == .cancelled { return .cancelled }
    switch job.conclusion {
    case .startupFailure: return .failure
    case .stale, .other, nil: return .neutral
    case .success, .failure, .cancelled, .skipped, .timedOut, .neutral, .actionRequired: return job.conclusion ?? .neutral
    }
  }

  private static func title(of job: Job, _ container: Container?) -> String {
    if let refusal = job.refusal { return "Refused: \(refusal)" }
    let place = container.map { " on \($0.name)" } ?? ""
    switch job.state {
    case .received, .waiting: return job.state.rawValue
    case .forwarded: return "Left to traditional runners: \(job.routeReason ?? "")"
    case .queued: return job.placementReason.map { "Waiting: \($0)" } ?? "Waiting for a container"
    case .assigned, .starting: return "Starting\(place)"
    case .running:
      guard let step = job.steps.last(where: { $0.status == "in_progress" }) else { return "Running\(place)" }
      return "Running\(place): step \(step.number) of \(job.steps.count), \(step.name)"
    case .refused: return "Refused"
    case .failed: return "No container could be started: \(job.lastFailure ?? "the cause is not known")"
    case .cancelled: return "Cancelled before it began"
    case .completed:
      let ran = ranSeconds(job).map { " in \(duration($0))" } ?? ""
      return "\((job.conclusion?.word ?? "completed").replacing("_", with: " ").capitalized)\(ran)\(place)"
    }
  }

  private static func summary(of job: Job, _ container: Container?, _ decisions: [DecisionRecord]) -> String {
    var rows: [(String, String)] = []
    if let refusal = job.refusal { rows.append(("Refused", refusal)) }
    rows.append(("Priority", job.priority.word + (job.priorityReason.map { ": \($0)" } ?? "")))
    if let queuedAt = job.queuedAt, let startedAt = job.startedAt {
      rows.append(("Wait", duration(max(0, startedAt.timeIntervalSince(queuedAt)))))
    }
    if let seconds = ranSeconds(job) { rows.append(("Ran", duration(seconds))) }
    if let container {
      rows.append(("Container", "\(container.name) of pool \(container.pool), image \(container.image)"))
      rows.append(("Resources", container.resources.summary))
    }
    if let estimate = job.estimate { rows.append(("Estimate", estimate.sentence)) }
    for advice in job.definition?.definition?.advice ?? [] { rows.append(("Advice", advice)) }
    if let reason = job.placementReason { rows.append(("Placement", reason)) }
    if let reason = job.routeReason { rows.append(("Route", "\(job.route?.rawValue ?? "unknown"): \(reason)")) }
    for decision in decisions where decision.kind != "routing" && decision.kind != "priority" {
      rows.append((decision.kind.capitalized, "\(decision.output): \(decision.reason)"))
    }
    if let cause = decisions.compactMap(\.fallbackCause).first { rows.append(("Policy problem", cause)) }
    if let failure = job.lastFailure { rows.append(("Failed start", "\(failure) (\(job.tries) so far)")) }
    if let bundle = decisions.last?.bundle { rows.append(("Policies", bundle)) }

    var text = "| | |\n|---|---|\n" + rows.map { "| \($0.0) | \(escaped($0.1)) |\n" }.joined()
    if !job.steps.isEmpty {
      text += "\n" + job.steps.prefix(stepLimit).map { "\($0.number). \(mark(of: $0)) \(escaped($0.name))\n" }.joined()
      if job.steps.count > stepLimit { text += "\n… and \(job.steps.count - stepLimit) steps more\n" }
    }
    return String(text.prefix(summaryLimit))
  }

  private static func mark(of step: JobStep) -> String {
    switch (step.status, step.conclusion) {
    case (_, "success"): "✓"
    case (_, "failure"), (_, "timed_out"): "✗"
    case (_, "skipped"), (_, "cancelled"): "–"
    case ("in_progress", _): "▶"
    default: "·"
    }
  }

  /// Text from outside as one table cell or list item: no Markdown, HTML or mention in it has an effect.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.prefix(500) {
      if character.isNewline {
        result.append(" ")
      } else if character == "@" {
        // No backslash keeps GitHub from a mention; an invisible character does.
        result.append("@\u{200B}")
      } else if "\\`*_{}[]<>|#!~".contains(character) {
        result.append("\\")
        result.append(character)
      } else {
        result.append(character)
      }
    }
    return result
  }

  private static func ranSeconds(_ job: Job) -> Double? {
    guard let startedAt = job.startedAt, let completedAt = job.completedAt else { return nil }
    return max(0, completedAt.timeIntervalSince(startedAt))
  }

  /// `5 ms`, `1.2 s`, `5 min 40 s`, `2 h 3 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "very long" }
    if seconds < 1 { return "\(Int(seconds * 1000)) ms" }
    if seconds < 60 { return "\((seconds * 10).rounded(.down) / 10) s" }
    let whole = Int(seconds)
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
