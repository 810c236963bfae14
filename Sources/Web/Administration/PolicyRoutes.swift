package import RunnerHub

/// What `/api/v1/policies` says: what acts in this process, what acts in each slot, and what happened lately.
package struct PoliciesDocument: Codable, Sendable {
  package var active: PolicyStatus
  /// By the words of `PolicySlot`: what put a bundle there, where one is.
  package var slots: [String: PolicyEvent]
  /// The newest first.
  package var events: [PolicyEvent]
}

/// Reading of the policies' state, reload and rollback.
package enum PolicyRoutes {
  /// What a rollback is told.
  package struct RollbackWish: Codable, Sendable {
    /// A digest or its first digits; nil: the bundle that acted before.
    package var bundle: String?
    package var note: String?
    package init(bundle: String?, note: String?) {
      self.bundle = bundle
      self.note = note
    }
  }
  /// What a reload is told: nothing yet.
  package struct ReloadWish: Codable, Sendable {
    package init() {}
  }

  /// Events in a document.
  private static let latest = 10

  package static func routes(
    source: any PolicySource, archive: any PolicyArchive, control: any PolicyControl
  ) -> [APIRoute] {
    [
      .get("/api/v1/policies") { _ in try await document(source, archive) },
      .get("/api/v1/policies/history") { query in try await archive.policyEvents(limit: query.limit()) },
      .post("/api/v1/policies/reload") { (_: ReloadWish, _) in
        try await asked { () async throws(PolicyWishError) in try await control.reload(by: "api") }
      },
      .post("/api/v1/policies/rollback") { (wish: RollbackWish, _) in
        try await asked { () async throws(PolicyWishError) in
          try await control.rollBack(to: wish.bundle, by: "api", note: wish.note.map { String($0.prefix(500)) })
        }
      },
    ]
  }

  private static func document(_ source: any PolicySource, _ archive: any PolicyArchive) async throws(StoreError) -> PoliciesDocument {
    var slots: [String: PolicyEvent] = [:]
    for slot in PolicySlot.allCases {
      guard let event = try await archive.policyEvent(actingIn: slot), event.kind != .cleared else { continue }
      slots[slot.rawValue] = event
    }
    return PoliciesDocument(active: source.status, slots: slots, events: try await archive.policyEvents(limit: latest))
  }

  static func asked(_ work: () async throws(PolicyWishError) -> PolicyChange) async throws -> PolicyChange {
    do {
      return try await work()
    } catch .unknown(let why) {
      throw APIRefusal(.notFound, why)
    } catch .unfit(let why) {
      throw APIRefusal(.unfit, why)
    } catch .unavailable(let why) {
      throw APIRefusal(.unavailable, "nothing is changed, since the store does not answer: \(why)")
    }
  }
}
