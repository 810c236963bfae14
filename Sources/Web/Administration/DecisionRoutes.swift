internal import Foundation
package import RunnerHub

/// A page of the decision log. What `/api/v1/decisions` says.
package struct DecisionPage: Codable, Sendable {
  package struct Entry: Codable, Sendable {
    /// Rises; no two decisions share one.
    package var id: Int64
    package var decision: DecisionRecord
  }
  /// Oldest first.
  package var decisions: [Entry]
  /// For `after` of the next page; nil: there is none yet.
  package var next: Int64?
}

/// Reading of the decision log.
package enum DecisionRoutes {
  /// Rows that one answer looks at, however few of them are of the wanted kind.
  private static let reach = 10_000
  private static let page = 1_000

  package static func routes(log: any DecisionLog) -> [APIRoute] {
    [
      .get("/api/v1/decisions") { query in
        let kind = query.text("kind")
        let kinds = ["routing", "priority", "affinity", "scaling"]
        if let kind, !kinds.contains(kind) { throw APIRefusal(.badRequest, "'kind' must be one of \(kinds.joined(separator: ", "))") }
        return try await read(
          log, since: try query.time("since") ?? .distantPast, kind: kind, after: try query.number("after") ?? 0, limit: try query.limit())
      }
    ]
  }

  private static func read(
    _ log: any DecisionLog, since: Date, kind: String?, after: Int64, limit: Int
  ) async throws(StoreError) -> DecisionPage {
    var (entries, last, seen) = ([DecisionPage.Entry](), after, 0)
    while seen < reach {
      let rows = try await log.decisions(since: since, after: last, limit: kind == nil ? limit - entries.count : page)
      for row in rows where entries.count < limit {
        last = row.id
        if kind == nil || row.record.kind == kind { entries.append(.init(id: row.id, decision: row.record)) }
      }
      seen += rows.count
      if entries.count == limit { return DecisionPage(decisions: entries, next: last) }
      if rows.count < page { return DecisionPage(decisions: entries, next: nil) }
    }
    return DecisionPage(decisions: entries, next: last)
  }
}
