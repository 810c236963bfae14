package import Foundation
package import RunnerHub

/// What `/api/v1/policies/differences` says.
package struct DifferencesDocument: Codable, Sendable {
  package struct Difference: Codable, Sendable {
    package var id: Int64
    package var decision: DecisionRecord
  }
  /// Of all decisions since the time.
  package var counts: [ComparisonCount]
  /// A page of those that differ, oldest first.
  package var differences: [Difference]
  /// `after` of the next question; nil: this was the last page.
  package var next: Int64?
}

/// Shadow, canary, and where they differ from what was decided.
package enum RehearsalRoutes {
  /// What is to be in a slot: one of `files`, `bundle` and `off`.
  package struct SlotWish: Codable, Sendable {
    package var files: [String: Data]?
    package var bundle: String?
    package var off: Bool?
    package var percent: Double?
    package var note: String?

    package init(files: [String: Data]? = nil, bundle: String? = nil, off: Bool? = nil, percent: Double? = nil, note: String? = nil) {
      self.files = files
      self.bundle = bundle
      self.off = off
      self.percent = percent
      self.note = note
    }
  }

  package struct PromoteWish: Codable, Sendable {
    /// nil: the one that is filled.
    package var slot: PolicySlot?
    package var note: String?
    package init(slot: PolicySlot?, note: String?) {
      self.slot = slot
      self.note = note
    }
  }

  private static let day: TimeInterval = 86_400

  package static func routes(control: any SlotControl, log: any ComparisonReader) -> [APIRoute] {
    [
      .post("/api/v1/policies/shadow", bodyLimit: bodyLimit) { (wish: SlotWish, _) in try await change(.shadow, wish, control) },
      .post("/api/v1/policies/canary", bodyLimit: bodyLimit) { (wish: SlotWish, _) in try await change(.canary, wish, control) },
      .post("/api/v1/policies/promote") { (wish: PromoteWish, _) in
        try await PolicyRoutes.asked { () async throws(PolicyWishError) in
          try await control.promote(wish.slot, by: "api", note: wish.note.map { String($0.prefix(500)) })
        }
      },
      .get("/api/v1/policies/differences") { query in
        let since = try query.time("since") ?? Date(timeIntervalSinceNow: -day)
        let limit = try query.limit()
        let page = try await log.differences(
          since: since, kind: query.text("kind"), after: try query.number("after") ?? 0, limit: limit)
        return DifferencesDocument(
          counts: try await log.comparisons(since: since), differences: page.map { .init(id: $0.id, decision: $0.record) },
          next: page.count < limit ? nil : page.last?.id)
      },
    ]
  }

  /// A bundle of the greatest size, in Base64.
  private static let bodyLimit = 2 << 20

  private static func change(_ slot: PolicySlot, _ wish: SlotWish, _ control: any SlotControl) async throws -> PolicyChange {
    let note = wish.note.map { String($0.prefix(500)) }
    return try await PolicyRoutes.asked { () async throws(PolicyWishError) in
      switch (wish.files, wish.bundle, wish.off ?? false) {
      case (let files?, nil, false): try await control.fill(slot, with: .files(files), percent: wish.percent, by: "api", note: note)
      case (nil, let digest?, false): try await control.fill(slot, with: .digest(digest), percent: wish.percent, by: "api", note: note)
      case (nil, nil, true): try await control.clear(slot, by: "api", note: note)
      default: throw .unfit("exactly one of 'files', 'bundle' and 'off' is expected")
      }
    }
  }
}
