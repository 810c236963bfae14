package import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: ComparisonReader {
  package func comparisons(since: Date) async throws(StoreError) -> [ComparisonCount] {
    try await read { db in
      var counts: [ComparisonCount] = []
      for row in try db.rows(Self.compared, [Timestamp.text(since)]) {
        let place = "a row of decisions"
        let isCanary: Int = try row.read("is_canary", place)
        let differs: Int = try row.read("differs", place)
        let total: Int = try row.read("total", place)
        var count = ComparisonCount(
          kind: try row.read("kind", place), isCanary: isCanary == 1, bundle: try row.read("bundle", place),
          other: try row.read("other_bundle", place), same: differs == 0 ? total : 0, differs: differs == 1 ? total : 0)
        if differs == 1, let change: String = try row.readOptional("change", place) { count.changes[change] = total }
        if let last = counts.last, last.isOfSameBundles(as: count) {
          counts[counts.count - 1].add(count)
        } else {
          counts.append(count)
        }
      }
      return counts
    }
  }

  /// Names of containers and sizes of pools are too many to be counted one by one. Where a canary failed both sides say the same: no change.
  static let compared = """
    SELECT kind, is_canary, bundle, other_bundle, differs, count(*) AS total,
      CASE WHEN differs = 1 AND kind IN ('routing', 'priority') AND output <> other_output THEN output || ' → ' || other_output END AS change
    FROM decisions WHERE differs IS NOT NULL AND at >= ?
    GROUP BY kind, is_canary, bundle, other_bundle, differs, change ORDER BY kind, is_canary, bundle, other_bundle
    """

  package func differences(
    since: Date, kind: String?, after id: Int64, limit: Int
  ) async throws(StoreError) -> [(id: Int64, record: DecisionRecord)] {
    try await read { db in
      try db.rows(
        """
        SELECT * FROM decisions WHERE differs = 1 AND id > ? AND at >= ? AND coalesce(?, kind) = kind ORDER BY id LIMIT ?
        """, [id, Timestamp.text(since), kind, max(0, limit)]
      ).map { row in (try row.read("id", "a row of decisions"), try DecisionRecord(row: row)) }
    }
  }
}

extension ComparisonCount {
  fileprivate func isOfSameBundles(as other: ComparisonCount) -> Bool {
    kind == other.kind && isCanary == other.isCanary && bundle == other.bundle && self.other == other.other
  }

  fileprivate mutating func add(_ count: ComparisonCount) {
    same += count.same
    differs += count.differs
    changes.merge(count.changes, uniquingKeysWith: +)
  }
}
