package import Foundation

/// Who gets which job, as GitHub does it: all labels of the job among the runner's, the group where one is named, the oldest job first,
/// runners of the repository before those of the organisation. Pure.
package struct JobQueue: Sendable {
  /// Where a runner is registered.
  package enum Scope: Sendable, Hashable {
    case repository(String)
    case organisation(String)
  }

  package struct QueuedJob: Sendable, Equatable {
    package let id: Int64
    /// `owner/name`.
    package let repository: String
    package let labels: Set<String>
    package let group: String?
    package let queuedAt: Date

    package init(id: Int64, repository: String, labels: [String], group: String? = nil, queuedAt: Date) {
      self.id = id
      self.repository = repository
      self.labels = Set(labels.map { $0.lowercased() })
      self.group = group
      self.queuedAt = queuedAt
    }
  }

  package struct IdleRunner: Sendable, Equatable {
    package let id: Int64
    package let scope: Scope
    package let labels: Set<String>
    package let group: String
    /// Full names of the repositories that the group serves; nil means all.
    package let repositories: Set<String>?

    package init(id: Int64, scope: Scope, labels: [String], group: String = "Default", repositories: Set<String>? = nil) {
      self.id = id
      self.scope = scope
      self.labels = Set(labels.map { $0.lowercased() })
      self.group = group
      self.repositories = repositories
    }

    /// Whether GitHub may give this runner that job.
    package func serves(_ job: QueuedJob) -> Bool {
      switch scope {
      case .repository(let name): if name.lowercased() != job.repository.lowercased() { return false }
      case .organisation(let name):
        if !job.repository.lowercased().hasPrefix(name.lowercased() + "/") { return false }
        if let repositories, !repositories.contains(job.repository) { return false }
      }
      if let wanted = job.group, wanted.lowercased() != group.lowercased() { return false }
      return job.labels.isSubset(of: labels)
    }
  }

  package struct Match: Sendable, Equatable {
    package let job: Int64
    package let runner: Int64
  }

  private(set) package var jobs: [QueuedJob] = []
  private(set) package var runners: [IdleRunner] = []

  package init() {}

  /// Takes a job in, behind those that have waited longer. A job that is there already stays where it is.
  package mutating func enqueue(_ job: QueuedJob) {
    guard !jobs.contains(where: { $0.id == job.id }) else { return }
    let position = jobs.lastIndex { $0.queuedAt <= job.queuedAt }.map { $0 + 1 } ?? 0
    jobs.insert(job, at: position)
  }

  package mutating func removeJob(_ id: Int64) { jobs.removeAll { $0.id == id } }

  /// A runner is online and idle.
  package mutating func offer(_ runner: IdleRunner) {
    guard !runners.contains(where: { $0.id == runner.id }) else { return }
    runners.append(runner)
  }

  package mutating func removeRunner(_ id: Int64) { runners.removeAll { $0.id == id } }

  /// Takes out every job that a runner can have now, together with its runner.
  package mutating func match() -> [Match] {
    guard !runners.isEmpty else { return [] }
    var matches: [Match] = []
    var waiting: [QueuedJob] = []
    for job in jobs {
      let candidates = runners.filter { $0.serves(job) }
      let chosen = candidates.first { if case .repository = $0.scope { true } else { false } } ?? candidates.first
      guard let chosen else {
        waiting.append(job)
        continue
      }
      matches.append(Match(job: job.id, runner: chosen.id))
      removeRunner(chosen.id)
    }
    jobs = waiting
    return matches
  }
}
