package import Foundation

/// How often two bundles gave the same answer.
package struct ComparisonCount: Hashable, Sendable, Codable {
  /// `routing`, `priority`, `affinity`, `scaling`.
  package var kind: String
  /// Whether the canary decided, and the live bundle was asked too; else the live one decided, and the shadow was asked.
  package var isCanary: Bool
  /// Digest of the bundle that decided.
  package var bundle: String
  /// Digest of the other one.
  package var other: String
  package var same: Int
  package var differs: Int
  /// Routing and priority: the differing answers, as `NORMAL → HIGH`, and how often each came.
  package var changes: [String: Int]

  package init(kind: String, isCanary: Bool, bundle: String, other: String, same: Int, differs: Int, changes: [String: Int] = [:]) {
    self.kind = kind
    self.isCanary = isCanary
    self.bundle = bundle
    self.other = other
    self.same = same
    self.differs = differs
    self.changes = changes
  }
}

/// What shadow and canary would have decided otherwise.
package protocol ComparisonReader: Sendable {
  /// Counts of decisions since a time of which another bundle was asked too.
  func comparisons(since: Date) async throws(StoreError) -> [ComparisonCount]
  /// Decisions since a time of which the other bundle said something else, oldest first, after the row with an identity: a page of them.
  /// - Parameter kind: nil: every one.
  func differences(since: Date, kind: String?, after id: Int64, limit: Int) async throws(StoreError) -> [(
    id: Int64, record: DecisionRecord
  )]
}
