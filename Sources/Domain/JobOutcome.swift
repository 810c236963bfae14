import Foundation

/// How a job ended, as reports count it.
package enum JobOutcome: String, Sendable, Codable, CaseIterable {
  case open, succeeded, failed, cancelled, refused
}

extension Job {
  /// Who ran it; as long as nobody has, who is to. The route alone does not say so: the forge gives a job to any runner with its labels.
  package var side: Route? {
    guard let runnerName, !runnerName.isEmpty else { return route }
    return ranOn ?? (runnerName == assignment?.rawValue ? .orchestrator : .traditional)
  }

  package var outcome: JobOutcome {
    if refusal != nil { return .refused }
    if state == .failed { return .failed }
    guard state.isFinal else { return .open }
    switch conclusion {
    case .failure, .timedOut, .startupFailure: return .failed
    case .success, .neutral: return .succeeded
    case .cancelled, .skipped, .actionRequired, .stale, .other, nil: return .cancelled
    }
  }

  /// Seconds from the decision on its route to the start of its work.
  package var waitSeconds: Double? {
    guard let decidedAt = queuedAt ?? forwardedAt, let startedAt else { return nil }
    return max(0, startedAt.timeIntervalSince(decidedAt))
  }

  /// Seconds from the start of its work to its end.
  package var runSeconds: Double? {
    guard let startedAt, let completedAt else { return nil }
    return max(0, completedAt.timeIntervalSince(startedAt))
  }
}
