package import Foundation

/// One revision of the policies as it was submitted.
package struct StoredBundle: Hashable, Sendable {
  /// 12 hexadecimal digits.
  package var digest: String
  /// Contents by path below the policies folder.
  package var files: [String: Data]
  package var storedAt: Date

  package init(digest: String, files: [String: Data], storedAt: Date) {
    self.digest = digest
    self.files = files
    self.storedAt = storedAt
  }
}

/// Where a bundle can act.
package enum PolicySlot: String, Hashable, Sendable, Codable, CaseIterable {
  /// Decides.
  case live
  /// Is asked about the same inputs; nothing acts on it.
  case shadow
  /// Decides for a share of the jobs.
  case canary
}

/// Something that happened to the policies: the audit of reloads, and, by the newest of each slot that is not a refusal, what acts.
package struct PolicyEvent: Hashable, Sendable, Codable {
  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// A bundle came into its slot.
    case activated
    /// A bundle that acted before came back into its slot, by a person's wish.
    case rolledBack = "rolled-back"
    /// A bundle was not let into its slot.
    case refused
    /// The slot was emptied.
    case cleared
  }
  /// Set by the store, rises.
  package var id: Int64
  package var kind: Kind
  package var slot: PolicySlot
  /// nil: the slot is empty, or what was refused could not be read.
  package var bundle: String?
  /// Canary: the share of jobs in percent, 0…100.
  package var percent: Double?
  /// Who or what asked: `folder`, `start`, `api`.
  package var actor: String
  /// Why: the refusal, a person's note.
  package var detail: String?
  package var at: Date

  package init(
    id: Int64 = 0, kind: Kind, slot: PolicySlot, bundle: String?, percent: Double? = nil, actor: String, detail: String? = nil, at: Date
  ) {
    self.id = id
    self.kind = kind
    self.slot = slot
    self.bundle = bundle
    self.percent = percent
    self.actor = actor
    self.detail = detail
    self.at = at
  }
}

/// Bundles by digest, and what happened to them.
package protocol PolicyArchive: Sendable {
  func bundle(_ digest: String) async throws(StoreError) -> StoredBundle?
  /// The newest first.
  func policyEvents(limit: Int) async throws(StoreError) -> [PolicyEvent]
  /// What acts in a slot: the newest event of it that is no refusal; nil where none was.
  func policyEvent(actingIn slot: PolicySlot) async throws(StoreError) -> PolicyEvent?
}

/// The decision log, for replay and reports.
package protocol DecisionLog: Sendable {
  /// Names a content by its digest, and encodes it as the store keeps it. Reads and writes nothing; costs some ten microseconds a job or container.
  func input(of content: DecisionInput.Content, at now: Date) throws(StoreError) -> DecisionInput
  /// Decisions since a time, oldest first, after the row with an identity: a page of them.
  func decisions(since: Date, after id: Int64, limit: Int) async throws(StoreError) -> [(id: Int64, record: DecisionRecord)]
  func decisionInput(_ digest: String) async throws(StoreError) -> DecisionInput?
  /// Removes the oldest decisions, and the inputs that no decision needs any more, in one short commit.
  /// - Parameters:
  ///   - time: decisions of before are removed.
  ///   - keeping: the oldest beyond so many are removed too.
  ///   - limit: decisions, and inputs, that one call removes at most.
  /// - Returns: how many decisions and inputs were removed; less than `limit` of both: nothing is left to remove.
  func forgetDecisions(before time: Date, keeping: Int, limit: Int) async throws(StoreError) -> ForgottenDecisions
}

/// What one step of forgetting removed.
package struct ForgottenDecisions: Hashable, Sendable {
  package var decisions: Int
  package var inputs: Int
  package init(decisions: Int, inputs: Int) {
    self.decisions = decisions
    self.inputs = inputs
  }
}
