package import RunnerHub

/// Plugins: how they are, what they said, and an operator's wishes.
package enum PluginRoutes {
  /// Nothing is told beside the wish itself.
  package struct Wish: Codable, Sendable {
    package init() {}
  }

  /// What `/api/v1/plugins/NAME/logs` says.
  package struct LogDocument: Codable, Sendable {
    /// The oldest first.
    package var lines: [PluginLogLine]
    /// `after` of the next question.
    package var next: Int64
  }

  package static func routes(desk: PluginDesk) -> [APIRoute] {
    [
      .get("/api/v1/plugins") { _ in desk.control.statuses },
      .get("/api/v1/plugins/*/logs") { query in
        let (after, limit) = (try query.number("after"), try query.limit())
        return try await asked { () async throws(PluginWishError) in
          let lines = try desk.control.logs(of: query.wildcard, after: after, limit: limit)
          return LogDocument(lines: lines, next: lines.last?.id ?? after ?? 0)
        }
      },
    ]
      + PluginWish.allCases.map { wish in
        .post("/api/v1/plugins/*/\(wish.rawValue)") { (_: Wish, query) in
          try await asked { () async throws(PluginWishError) in try await desk.fulfil(wish, of: query.wildcard, actor: "api") }
        }
      }
  }

  private static func asked<Answer>(_ work: () async throws(PluginWishError) -> Answer) async throws -> Answer {
    do {
      return try await work()
    } catch .unknown(let why) {
      throw APIRefusal(.notFound, why)
    } catch .unfit(let why) {
      throw APIRefusal(.unfit, why)
    } catch .unavailable(let why) {
      throw APIRefusal(.unavailable, why)
    }
  }
}
