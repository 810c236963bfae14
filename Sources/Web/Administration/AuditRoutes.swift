package import RunnerHub

/// What RunnerHub was asked for and said, beside the changes of the policies, which have their own history.
package enum AuditRoutes {
  package static func routes(log: any AuditReader) -> [APIRoute] {
    // The newest first.
    [.get("/api/v1/audit") { query in try await log.auditEvents(limit: query.limit()) }]
  }
}
