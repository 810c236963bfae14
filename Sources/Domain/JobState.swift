/// Where a job stands.
package enum JobState: String, Sendable, Codable, CaseIterable {
  /// Stored from a delivery; its definition, route and priority are not decided yet.
  case received
  /// Waits for GitHub's environment approval. No demand.
  case waiting
  /// Not to be run here or anywhere: validation or security policy said no. The refusal is carried out at the forge.
  case refused
  /// Belongs to traditional runners; only observed.
  case forwarded
  /// Waits for a container.
  case queued
  /// Bound to a container; the runner is not started yet.
  case assigned
  /// The runner is registered and starts.
  case starting
  /// The forge says that a runner works on it.
  case running
  /// Ended with a conclusion from the forge.
  case completed
  /// Ended before a runner took it, because somebody cancelled it.
  case cancelled
  /// RunnerHub gave up on it: no start succeeded within the bounded number of tries.
  case failed

  /// Nothing but a late or repeated event can come any more. A failed job may still hear its conclusion.
  package var isFinal: Bool { self == .completed || self == .cancelled }

  /// Work of ours is bound to it or may be.
  package var holdsAssignment: Bool { self == .assigned || self == .starting || self == .running }
}

/// How a job ended, in GitHub's words. Unknown words are kept, not lost.
package enum Conclusion: Hashable, Sendable, Codable, CustomStringConvertible {
  case success, failure, cancelled, skipped, timedOut, neutral, actionRequired, stale, startupFailure
  /// A word that this version does not know.
  case other(String)

  private static let words: [(Conclusion, String)] = [
    (.success, "success"), (.failure, "failure"), (.cancelled, "cancelled"), (.skipped, "skipped"), (.timedOut, "timed_out"),
    (.neutral, "neutral"), (.actionRequired, "action_required"), (.stale, "stale"), (.startupFailure, "startup_failure"),
  ]

  package init(word: String) {
    self = Self.words.first { $0.1 == word.lowercased() }?.0 ?? .other(word)
  }
  /// GitHub's spelling.
  package var word: String {
    if case .other(let word) = self { return word }
    return Self.words.first { $0.0 == self }?.1 ?? "unknown"
  }
  package var description: String { word }
  package init(from decoder: any Decoder) throws { self.init(word: try decoder.singleValueContainer().decode(String.self)) }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(word)
  }
}

/// What can happen to a job. The first four come from the forge, in any order and number; the others are RunnerHub's own decisions.
package enum JobEvent: Hashable, Sendable {
  case queuedAtForge
  case waitingAtForge
  /// A runner works on the job. `ours` is whether its name is one of our assignments.
  case inProgress(ours: Bool)
  case completedAtForge(Conclusion)

  case refuse
  case forward
  case enqueue
  case assign
  case start
  /// The container or the registration failed, or the runner vanished before the job began.
  case startFailed(triesLeft: Int)
  /// Another job took this one's runner, or the runner that it had is gone while the forge still has it queued: it waits again.
  case requeue
  /// No container came within the limit, or RunnerHub drains: traditional runners may have it.
  case fallBack
}

/// What an event does to a state.
package enum JobTransition: Hashable, Sendable {
  case to(JobState)
  /// The event is late, repeated, or of no concern: nothing changes.
  case stays
  /// Only a defect of RunnerHub could bring this: its own decision on a state that does not allow it.
  case illegal
}

extension JobState {
  /// The whole table. Pure and exhaustive: events of the forge never move a job backwards and are never illegal.
  package func transition(on event: JobEvent) -> JobTransition {
    switch event {
    case .completedAtForge(let conclusion): completed(conclusion)
    case .inProgress: isFinal ? .stays : (self == .running ? .stays : .to(.running))
    case .waitingAtForge: self == .received ? .to(.waiting) : .stays
    case .queuedAtForge: self == .waiting ? .to(.received) : .stays
    case .refuse: decide([.received, .queued], .refused)
    case .forward: decide([.received], .forwarded)
    case .fallBack: decide([.queued], .forwarded)
    case .enqueue: decide([.received], .queued)
    case .assign: decide([.queued], .assigned)
    case .start: decide([.assigned], .starting)
    case .requeue: decide([.assigned, .starting], .queued)
    case .startFailed(let triesLeft): decide([.assigned, .starting], triesLeft > 0 ? .queued : .failed)
    }
  }

  /// A job that ended without having run is cancelled when the forge says so; everything else is completed.
  private func completed(_ conclusion: Conclusion) -> JobTransition {
    if isFinal { return .stays }
    return .to(conclusion == .cancelled && self != .running ? .cancelled : .completed)
  }

  private func decide(_ from: Set<JobState>, _ target: JobState) -> JobTransition {
    from.contains(self) ? .to(target) : .illegal
  }
}
