import Domain
import Foundation
import RunnerHub

/// The baseline: one always-on runner for each repository, which takes that repository's jobs one after another in the order of their creation. It
/// starts in no time and never fails: a baseline that is better than the real thing.
struct DedicatedRunners {
  private var runs: [Ledger.Run] = []
  private var cores: [String: Double] = [:]

  /// - Parameter other: whose jobs are served: those that it neither forwarded nor refused.
  init(_ trace: Trace, like other: Simulator) {
    var freeAt: [String: Double] = [:]
    for (place, job) in trace.jobs.enumerated() {
      let ending = other.ledger.endings[place]
      guard ending != .forwarded, ending != .refused else { continue }
      let created = job.createdAt.timeIntervalSince(trace.start)
      let from = max(created, freeAt[job.repository] ?? 0)
      runs.append(.init(job: place, from: from, to: from + job.duration, isReuse: freeAt[job.repository] != nil))
      freeAt[job.repository] = from + job.duration
      // A repository's runner is as large as the pool that its largest job needs.
      let labels = Labels(job.labels)
      let pool = other.settings.pools.first { labels.isSatisfied(by: $0.labels) }
      cores[job.repository] = max(cores[job.repository] ?? 0, Double(pool?.resources.milliCPUs ?? 1000) / 1000)
    }
  }

  func outcome(_ accounts: Accounts) -> Outcome {
    let existences = cores.sorted { $0.key < $1.key }.map { Ledger.Existence(cores: $0.value, from: 0, to: nil) }
    var endings = Outcome.Endings()
    endings.completed = runs.count
    return accounts.outcome(name: "a runner a repository", existences: existences, runs: runs, endings: endings)
  }
}
