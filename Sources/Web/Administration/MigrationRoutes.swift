package import Foundation
package import RunnerHub

/// How far the move from traditional runners is.
package enum MigrationRoutes {
  package struct CompleteWish: Codable, Sendable {
    /// An owner or a repository; nil: everything.
    package var scope: String?
    package var since: Date?
    package init(scope: String?, since: Date?) {
      self.scope = scope
      self.since = since
    }
  }

  private static let month: TimeInterval = 30 * 86_400

  package static func routes(desk: MigrationDesk, now: @escaping @Sendable () -> Date = { Date() }) -> [APIRoute] {
    [
      .get("/api/v1/migration") { query in
        let word = query.text("by") ?? MigrationGrouping.repository.rawValue
        guard let grouping = MigrationGrouping(rawValue: word) else {
          let words = MigrationGrouping.allCases.map(\.rawValue).joined(separator: ", ")
          throw APIRefusal(.badRequest, "'by' must be one of \(words)")
        }
        return try await desk.report(since: try query.time("since") ?? now().addingTimeInterval(-month), by: grouping)
      },
      .get("/api/v1/migration/status") { query in
        try await desk.status(since: try query.time("since") ?? now().addingTimeInterval(-month))
      },
      // A refusal is an answer: what is missing is what was asked for.
      .post("/api/v1/migration/complete") { (wish: CompleteWish, _) in
        try await desk.complete(
          scope: wish.scope.map { String($0.prefix(200)) }, since: wish.since ?? now().addingTimeInterval(-month), actor: "api")
      },
    ]
  }
}
