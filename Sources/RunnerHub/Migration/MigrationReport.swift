package import Domain
package import Foundation

/// What moved to RunnerHub in a period, what did not and why, and how each side did.
package struct MigrationReport: Hashable, Sendable, Codable {
  package var since: Date
  package var at: Date
  package var by: MigrationGrouping
  package var total: MigrationRow
  /// The rows with the most jobs first, `rowLimit` at most.
  package var rows: [MigrationRow]
  /// What an operator must know, such as jobs that nobody will take.
  package var warnings: [String]

  package static let rowLimit = 500

  package init(since: Date, at: Date, by: MigrationGrouping, total: MigrationRow, rows: [MigrationRow], warnings: [String]) {
    self.since = since
    self.at = at
    self.by = by
    self.total = total
    self.rows = rows
    self.warnings = warnings
  }
}

/// Jobs of a workflow that still need the traditional side, and why.
package struct MigrationBlocker: Hashable, Sendable, Codable {
  package enum Kind: String, Sendable, Codable {
    /// No pool could run it.
    case noPool = "no-pool"
    /// A pool could, and the routing policy sends it away.
    case policy
    /// It is routed here now, and jobs of before are still on the other side.
    case open
    /// Not everything of the period was looked at: stands against every scope.
    case unseen
  }
  package var kind: Kind
  package var repository: String
  package var workflow: String
  package var labels: Labels
  /// Jobs of the period.
  package var jobs: Int
  package var reason: String

  package init(kind: Kind, repository: String, workflow: String, labels: Labels, jobs: Int, reason: String) {
    self.kind = kind
    self.repository = repository
    self.workflow = workflow
    self.labels = labels
    self.jobs = jobs
    self.reason = reason
  }
}

/// A runner that is not ours, by what it did in the period.
package struct TraditionalRunner: Hashable, Sendable, Codable {
  package var name: String
  package var jobs: Int
  package var lastJob: JobID
  package var lastAt: Date
  package var repositories: [String]
  package var labelSets: [Labels]
  /// What still needs it; empty: it may be decommissioned.
  package var reasons: [String]
  package var mayGo: Bool { reasons.isEmpty }

  package init(
    name: String, jobs: Int, lastJob: JobID, lastAt: Date, repositories: [String], labelSets: [Labels], reasons: [String]
  ) {
    self.name = name
    self.jobs = jobs
    self.lastJob = lastJob
    self.lastAt = lastAt
    self.repositories = repositories
    self.labelSets = labelSets
    self.reasons = reasons
  }
}

/// Who still needs traditional runners, and which of these are not needed.
package struct MigrationStatus: Hashable, Sendable, Codable {
  package var since: Date
  package var at: Date
  /// The latest first.
  package var runners: [TraditionalRunner]
  package var blockers: [MigrationBlocker]
  /// Workflows that ran on machines of GitHub's own, which are no runners to decommission.
  package var hosted: Int

  package init(since: Date, at: Date, runners: [TraditionalRunner], blockers: [MigrationBlocker], hosted: Int) {
    self.since = since
    self.at = at
    self.runners = runners
    self.blockers = blockers
    self.hosted = hosted
  }
}

/// The answer to the wish to end a migration.
package struct MigrationCompletion: Hashable, Sendable, Codable {
  /// An owner or a repository; nil: everything.
  package var scope: String?
  package var isComplete: Bool
  /// In the scope: why not.
  package var blockers: [MigrationBlocker]
  /// Runners that no job of any scope needs.
  package var decommission: [String]

  package init(scope: String?, isComplete: Bool, blockers: [MigrationBlocker], decommission: [String]) {
    self.scope = scope
    self.isComplete = isComplete
    self.blockers = blockers
    self.decommission = decommission
  }
}
