package import Domain
package import Foundation

/// Rows to write in one transaction. Versions are those that were read; the store raises them and refuses a row that changed meanwhile.
package struct Changes: Hashable, Sendable {
  /// New or changed jobs (version 0: new).
  package var jobs: [Job] = []
  package var assignments: [Assignment] = []
  package var containers: [Container] = []
  /// What became of deliveries.
  package var deliveries: [DeliveryOutcome] = []
  /// Transitions of the forge that are applied herewith. One that is there already makes no second row and is no conflict.
  package var transitions: [AppliedTransition] = []
  /// Effects that are owed from now on. An effect with the key of one that is still owed replaces it.
  package var effects: [OutboxEffect] = []
  /// Effects that are done. Only removed when the stored revision is still that of the effect; a newer one stays owed.
  package var finishedEffects: [OutboxEffect] = []
  /// Effects to try again, with their new due time and number of tries; skipped when a newer revision is stored.
  package var postponedEffects: [OutboxEffect] = []
  package var decisions: [DecisionRecord] = []
  /// What the decisions were made from. One that is stored already makes no second row and is no conflict.
  package var decisionInputs: [DecisionInput] = []
  /// Bundles to keep. One that is stored already makes no second row and is no conflict.
  package var bundles: [StoredBundle] = []
  /// What happened to bundles: the newest that names a slot says what acts in it.
  package var policyEvents: [PolicyEvent] = []
  package var timeline: [TimelineEntry] = []
  package var audit: [AuditEvent] = []
  /// Raised, or with their end. A second open one of a key, and an end that was stored before, are conflicts.
  package var alerts: [Alert] = []
  /// Owed to notifiers (id 0), or with what became of them.
  package var notifications: [AlertNotification] = []
  /// What an operator has said of the fleet, all of it; nil: as it was.
  package var fleetMarks: FleetMarks?
  /// Values for `ForgeMemory`.
  package var memory: [String: String] = [:]
  /// States of rows as they were read, for those who are told what changed. Not stored.
  package var formerJobs: [JobID: JobState] = [:]
  package var formerContainers: [ContainerID: ContainerState] = [:]

  package init() {}
  package var isEmpty: Bool { self == Changes() }
}

/// The fate of one delivery.
package struct DeliveryOutcome: Hashable, Sendable {
  package var id: Int64
  package var status: DeliveryStatus
  package var note: String?
  package var jobID: JobID?

  package init(id: Int64, status: DeliveryStatus, note: String? = nil, jobID: JobID? = nil) {
    self.id = id
    self.status = status
    self.note = note
    self.jobID = jobID
  }
}

/// A transition that the forge reported and that was applied: what protects against replays, since a GUID is not signed.
package struct AppliedTransition: Hashable, Sendable {
  package var jobID: JobID
  /// `queued`, `waiting`, `in_progress`, `completed`.
  package var action: String

  package init(jobID: JobID, action: String) {
    self.jobID = jobID
    self.action = action
  }
}

/// Something owed to the outside: committed with its cause, performed later, at least once.
package struct OutboxEffect: Hashable, Sendable, Codable {
  package enum Kind: Hashable, Sendable, Codable {
    /// Tell the forge where a job stands.
    case status(StatusUpdate)
    /// Cancel the run of a refused job.
    case cancelRun(jobID: JobID, repository: String, runID: Int64, source: String? = nil)
  }
  /// What may be left for later while the forge takes little, and what may not.
  package enum Rank: String, Sendable, CaseIterable {
    /// Ends of jobs, and cancellations.
    case urgent
    /// How a job goes on.
    case ordinary
  }
  /// At most one effect a key is owed at a time; a later one replaces it (`status/29679449526`).
  package var key: String
  package var kind: Kind
  package var dueAt: Date
  /// Failed tries so far.
  package var tries: Int
  /// Set by the store, rises with each replacement under the same key.
  package var revision: Int64

  /// To whom it is owed; nil: GitHub.
  package var source: String? {
    switch kind {
    case .status(let update): update.source
    case .cancelRun(_, _, _, let source): source
    }
  }

  package var rank: Rank {
    switch kind {
    case .status(let update): update.isTerminal ? .urgent : .ordinary
    case .cancelRun: .urgent
    }
  }

  package init(key: String, kind: Kind, dueAt: Date, tries: Int = 0, revision: Int64 = 0) {
    self.key = key
    self.kind = kind
    self.dueAt = dueAt
    self.tries = tries
    self.revision = revision
  }
}

/// What the forge is told of a job.
package struct StatusUpdate: Hashable, Sendable, Codable {
  package enum Status: String, Sendable, Codable { case queued, inProgress = "in_progress", completed }

  package var jobID: JobID
  /// The CI platform to be told, by the name of its plugin; nil: GitHub. Optional, so that rows of earlier versions decode.
  package var source: String?
  package var repository: String
  package var installationID: Int64?
  package var headSHA: String
  /// Name of the check: `RunnerHub / build (ubuntu)`.
  package var name: String
  package var status: Status
  /// With `completed` only.
  package var conclusion: Conclusion?
  package var title: String
  /// Markdown; at most 65,535 characters.
  package var summary: String
  package var detailsURL: String?
  package var startedAt: Date?
  package var completedAt: Date?

  package init(
    jobID: JobID, repository: String, installationID: Int64?, headSHA: String, name: String, status: Status, conclusion: Conclusion?,
    title: String,
    summary: String, detailsURL: String?, startedAt: Date?, completedAt: Date?, source: String? = nil
  ) {
    self.jobID = jobID
    self.source = source
    self.repository = repository
    self.installationID = installationID
    self.headSHA = headSHA
    self.name = name
    self.status = status
    self.conclusion = conclusion
    self.title = title
    self.summary = summary
    self.detailsURL = detailsURL
    self.startedAt = startedAt
    self.completedAt = completedAt
  }
}

/// One line of a job's story.
package struct TimelineEntry: Hashable, Sendable, Codable {
  package var jobID: JobID
  package var at: Date
  package var text: String

  package init(jobID: JobID, at: Date, text: String) {
    self.jobID = jobID
    self.at = at
    self.text = text
  }
}
