import Domain
import Foundation
package import Logging

/// Looks at the forge for jobs that no event told of, since a webhook that is lost is never sent again: unfinished runs of the repositories
/// seen lately, and of those that the organisation pushed to lately, then their jobs.
///
/// Costs two questions a repository and one an unfinished run, within a budget for each search; what did not fit comes first in the next,
/// also the older runs of a repository in which the budget ran out.
package struct Sweeper: Sendable {
  private let transactor: Transactor
  private let search: any JobSearch
  private let finder: JobFinder
  private let runs: DefinitionSource
  private let settings: Settings
  private let logger: Logger
  private let order = Shared(SweepOrder())
  /// Repositories considered in one search.
  private static let width = 1000
  /// Questions that bring a search forward in a repository: its lists of runs, and one run.
  private static let step = OpenRunStatus.allCases.count + 1

  package init(
    transactor: Transactor, search: any JobSearch, reducer: JobReducer, runs: DefinitionSource, settings: Settings, logger: Logger
  ) {
    self.transactor = transactor
    self.search = search
    finder = JobFinder(transactor: transactor, reducer: reducer, logger: logger)
    self.runs = runs
    self.settings = settings
    self.logger = logger
  }

  /// Searches until cancelled, at once and then at each interval, which is above zero: at the start events of the time before are missing.
  package func run() async throws {
    while !Task.isCancelled {
      await turn()
      try await Task.sleep(for: settings.sweepInterval)
    }
  }

  /// One search.
  /// - Returns: how many jobs it brought up to date.
  @discardableResult
  package func turn() async -> Int {
    var found = 0
    do {
      var left = settings.sweepQuestions
      let targets = try await targets(&left)
      for target in order.withLock({ $0.order(targets) }) {
        // Less would end where it began, each time.
        guard left >= Self.step, try await look(at: target, &left, &found) else { break }
        order.withLock { [now = transactor.currentTime] in $0.asked(target, at: now) }
      }
    } catch {
      logger.info("a search for unheard jobs stopped early", metadata: ["reason": "\(error)"])
    }
    return found
  }

  private func targets(_ left: inout Int) async throws -> [SweepTarget] {
    let since = transactor.currentTime.addingTimeInterval(-settings.sweepMemory)
    let seen = try await transactor.store.newestJobs(byRepositorySince: since, limit: Self.width)
    // Other sources tell all their open jobs at once (`SourceSweep`).
    var targets = seen.filter { $0.source == nil }.map { SweepTarget(repository: $0.repository, installationID: $0.installationID) }
    // The smallest budget is kept for the repositories heard of.
    if case .organization(let name) = settings.scope, left > Self.step {
      left -= 1
      do throws(ForgeError) {
        targets += try await search.repositories(of: name).map { SweepTarget(repository: $0, installationID: nil) }
      } catch {
        if error.holdsForAll { throw error }
        logger.info("the organisation's repositories cannot be listed", metadata: ["reason": "\(error)"])
      }
    }
    return targets
  }

  /// - Returns: whether it is done with the repository; otherwise the questions ran out, and the next search goes on behind the last run.
  /// - Throws: what concerns every repository: silence that the forge wants, no answer, the store.
  private func look(at target: SweepTarget, _ left: inout Int, _ found: inout Int) async throws -> Bool {
    var open: [RunReport] = []
    do {
      for status in OpenRunStatus.allCases {
        left -= 1
        open += try await search.runs(status, of: target.repository.fullName, installationID: target.installationID)
      }
      for run in order.withLock({ [open] in $0.remaining(open, of: target) }) {
        guard left > 0 else { return false }
        left -= 1
        let jobs = try await search.jobs(ofRun: run.id, repository: target.repository, installationID: target.installationID)
        found += try await apply(jobs, of: run)
        order.withLock { $0.looked(at: run, of: target) }
      }
    } catch let error as ForgeError where !error.holdsForAll {
      logger.info("a repository cannot be searched", metadata: ["repository": "\(target.repository.fullName)", "reason": "\(error)"])
    }
    return true
  }

  private func apply(_ jobs: [JobReport], of run: RunReport) async throws(StoreError) -> Int {
    var found = 0
    for report in jobs {
      guard try await finder.matters(report) else { continue }
      // Its definition will be asked for: that spares the call.
      await runs.learn(run)
      if try await finder.apply(report) { found += 1 }
    }
    return found
  }
}

extension ForgeError {
  /// Whether the next question would be answered the same.
  fileprivate var holdsForAll: Bool {
    switch self {
    case .throttled, .unavailable: true
    case .notFound, .forbidden, .alreadyExists, .invalid: false
    }
  }
}
