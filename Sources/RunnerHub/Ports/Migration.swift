package import Domain
package import Foundation

/// What the rows of a report on the migration stand for.
package enum MigrationGrouping: String, Sendable, Codable, CaseIterable {
  case repository, workflow
  /// The set of labels that a job asks for.
  case label
  /// The cause of the route, and its reason in words.
  case reason
  /// One row for everything.
  case all
}

/// How the jobs of one side did.
package struct SideSummary: Hashable, Sendable, Codable {
  package var jobs = 0
  /// Not ended yet.
  package var open = 0
  package var succeeded = 0
  package var failed = 0
  package var cancelled = 0
  package var refused = 0
  /// Seconds from the decision on the route to the start; nil where none began.
  package var waitP50: Double?
  package var waitP95: Double?
  /// Seconds from start to end; nil where none ended.
  package var runP50: Double?
  package var runP95: Double?

  package init() {}
  /// Failed of all that came to an end by themselves; nil where none did.
  package var failureRate: Double? { succeeded + failed == 0 ? nil : Double(failed) / Double(succeeded + failed) }
}

/// What ran where, of one repository, workflow, label set or reason.
package struct MigrationRow: Hashable, Sendable, Codable {
  package var key: String
  package var orchestrator = SideSummary()
  package var traditional = SideSummary()
  /// Why jobs were left to the traditional side, by cause (`unknown` for those of earlier versions).
  package var causes: [String: Int] = [:]

  package init(key: String) { self.key = key }
  package var jobs: Int { orchestrator.jobs + traditional.jobs }
}

/// What one runner that is not ours did for one repository and label set.
package struct TraditionalWork: Hashable, Sendable, Codable {
  package var runner: String
  package var repository: String
  package var labels: Labels
  package var jobs: Int
  /// Of these, those that are not ended yet.
  package var open: Int
  package var lastJob: JobID
  package var lastAt: Date

  package init(runner: String, repository: String, labels: Labels, jobs: Int, open: Int, lastJob: JobID, lastAt: Date) {
    self.runner = runner
    self.repository = repository
    self.labels = labels
    self.jobs = jobs
    self.open = open
    self.lastJob = lastJob
    self.lastAt = lastAt
  }
}

/// The jobs of one workflow with one set of labels.
package struct WorkflowDemand: Hashable, Sendable, Codable {
  package var repository: String
  package var workflow: String
  package var labels: Labels
  package var jobs: Int
  /// Of these, those that traditional runners ran or are to run.
  package var traditional: Int
  /// Of the traditional ones, those that are not ended yet.
  package var openTraditional: Int
  /// Of the traditional ones, those that a machine of GitHub's own ran.
  package var hosted: Int
  /// Of the traditional ones, those that another runner took: neither those that ended before one did, nor those that wait.
  package var selfHosted: Int
  package var newest: JobID

  package init(
    repository: String, workflow: String, labels: Labels, jobs: Int, traditional: Int, openTraditional: Int, hosted: Int, selfHosted: Int,
    newest: JobID
  ) {
    self.repository = repository
    self.workflow = workflow
    self.labels = labels
    self.jobs = jobs
    self.traditional = traditional
    self.openTraditional = openTraditional
    self.hosted = hosted
    self.selfHosted = selfHosted
    self.newest = newest
  }
}

/// Which side jobs ran on, counted in the store. Costs by the jobs of the period, which are read from narrow rows.
package protocol MigrationReader: Sendable {
  /// Of jobs that were received since a time; the rows with the most jobs first.
  func migrationRows(by grouping: MigrationGrouping, since: Date, limit: Int) async throws(StoreError) -> [MigrationRow]
  /// Of runners that are not ours, the latest first.
  func traditionalWork(since: Date, limit: Int) async throws(StoreError) -> [TraditionalWork]
  /// Of all jobs with a route, the most jobs first.
  func workflowDemands(since: Date, limit: Int) async throws(StoreError) -> [WorkflowDemand]
}

/// Something that a person or a program had RunnerHub do or say, to be looked up later.
package struct AuditEvent: Hashable, Sendable, Codable {
  /// Set by the store, rises.
  package var id: Int64
  package var at: Date
  package var actor: String
  /// `migration-completed`, `migration-refused`
  package var action: String
  package var detail: String

  package init(id: Int64 = 0, at: Date, actor: String, action: String, detail: String) {
    self.id = id
    self.at = at
    self.actor = actor
    self.action = action
    self.detail = detail
  }
}

package protocol AuditReader: Sendable {
  /// The newest first.
  func auditEvents(limit: Int) async throws(StoreError) -> [AuditEvent]
}
