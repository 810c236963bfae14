import Foundation
import RunnerHub
import Testing

@testable import Web

@Suite("Policies and decisions by the API")
struct PolicyRoutesTests {
  private static let meant = [WriteRule.header: "test", "Content-Type": "application/json"]
  private static let events = [
    PolicyEvent(id: 3, kind: .refused, slot: .live, bundle: "c", actor: "folder", detail: "routing.lua:1: <b>", at: Sample.now),
    PolicyEvent(id: 2, kind: .activated, slot: .live, bundle: "b", actor: "folder", at: Sample.now),
    PolicyEvent(id: 1, kind: .cleared, slot: .shadow, bundle: nil, actor: "api", at: Sample.now),
  ]

  private func run(_ work: @escaping @Sendable (LoopbackClient) async throws -> Void) async throws {
    let store = FixedStore(events: Self.events)
    try await withServer { onServerRunning in
      AdministrationServer(
        source: Sample.source(store), metrics: PrometheusMetrics(),
        options: ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning),
        routes: PolicyRoutes.routes(source: FixedPolicies(), archive: store, control: FixedControl())
          + DecisionRoutes.routes(log: FixedLog()) + AuditRoutes.routes(log: FixedAudit()),
        logger: quiet)
    } _: { client async throws in
      try await work(client)
    }
  }

  @Test("what acts, in this process and in each slot, and what happened")
  func reading() async throws {
    try await run { client async throws in
      let document = try WireJSON.decoder.decode(
        PoliciesDocument.self, from: Data(try await client.get("/api/v1/policies").body.utf8))
      #expect(document.active.bundle == FixedPolicies().activeBundle && document.active.refusal != nil)
      #expect(document.slots == ["live": Self.events[1]])
      #expect(document.events == Self.events)
      let history = try WireJSON.decoder.decode(
        [PolicyEvent].self, from: Data(try await client.get("/api/v1/policies/history?limit=2").body.utf8))
      #expect(history == Array(Self.events.prefix(2)))
      let page = try await client.get("/").body
      #expect(page.contains("refused (live)") && page.contains("routing.lua:1: &lt;b&gt;"))
      let metrics = try ExpositionParser.parse(try await client.get("/metrics").body)
      let info = #"runnerhub_policy_bundle_info{bundle="7c1f9e000000"}"#
      #expect(metrics["runnerhub_policy_bundle_info"]?.samples[info] == 1)
      #expect(metrics["runnerhub_policy_refused"]?.samples["runnerhub_policy_refused"] == 1)
    }
  }

  @Test("a wish is answered with what came of it, or why it cannot be fulfilled")
  func changing() async throws {
    try await run { client async throws in
      let reload = try await client.post("/api/v1/policies/reload", headers: Self.meant, body: "{}")
      #expect(reload.status == 200 && reload.body.contains(#""outcome":"refused""#) && reload.body.contains("routing.lua:1"))
      let back = try await client.post("/api/v1/policies/rollback", headers: Self.meant, body: #"{"bundle":"b","note":"why"}"#)
      #expect(back.status == 200 && back.body.contains(#""bundle":"b why""#))
      #expect(try await client.post("/api/v1/policies/rollback", headers: Self.meant, body: "").status == 404)
      #expect(try await client.post("/api/v1/policies/rollback", headers: Self.meant, body: #"{"bundle":"unfit"}"#).status == 422)
      let down = try await client.post("/api/v1/policies/rollback", headers: Self.meant, body: #"{"bundle":"down"}"#)
      #expect(down.status == 503 && down.body.contains("the store is down"))
      #expect(try await client.post("/api/v1/policies/reload", headers: [:], body: "{}").status == 403)
    }
  }

  @Test("what was asked of RunnerHub is told, as much of it as is asked for")
  func audit() async throws {
    try await run { client async throws in
      let body = try await client.get("/api/v1/audit?limit=2").body
      #expect(try WireJSON.decoder.decode([AuditEvent].self, from: Data(body.utf8)) == FixedAudit.events(2))
    }
  }

  @Test("decisions come page by page, of one kind if that is asked for")
  func decisions() async throws {
    try await run { client async throws in
      func page(_ query: String) async throws -> DecisionPage {
        try WireJSON.decoder.decode(DecisionPage.self, from: Data(try await client.get("/api/v1/decisions?\(query)").body.utf8))
      }
      let first = try await page("limit=2")
      #expect(first.decisions.map(\.id) == [1, 2] && first.next == 2)
      let last = try await page("limit=900&after=2498")
      #expect(last.decisions.map(\.id) == [2499, 2500] && last.next == nil)
      let some = try await page("kind=affinity&limit=2")
      #expect(some.decisions.map(\.id) == [1000, 2000] && some.next == 2000)
      let rest = try await page("kind=affinity&limit=2&after=2000")
      #expect(rest.decisions.isEmpty && rest.next == nil)
      #expect(try await client.get("/api/v1/decisions?kind=other").status == 400)
      #expect(try await client.get("/api/v1/decisions?since=yesterday").status == 400)
    }
  }
}

/// Fulfils wishes by their words.
private struct FixedControl: PolicyControl {
  func reload(by actor: String) async throws(PolicyWishError) -> PolicyChange {
    PolicyChange(outcome: .refused, bundle: "b", previous: "b", problem: "routing.lua:1: no", tests: 0)
  }
  func rollBack(to bundle: String?, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange {
    switch bundle {
    case nil: throw .unknown("no other bundle has acted")
    case "unfit": throw .unfit("it cannot act")
    case "down": throw .unavailable("the store is down")
    case let bundle?: return PolicyChange(outcome: .rolledBack, bundle: "\(bundle) \(note ?? "")", previous: "c")
    }
  }
}

private struct FixedAudit: AuditReader {
  static func events(_ limit: Int) -> [AuditEvent] {
    (0..<limit).map { AuditEvent(id: Int64(9 - $0), at: Sample.now, actor: "api", action: "migration-refused", detail: "2 open") }
  }
  func auditEvents(limit: Int) async throws(StoreError) -> [AuditEvent] { Self.events(limit) }
}

/// A log of 2,500 decisions, every thousandth of them affinity's.
private struct FixedLog: DecisionLog {
  func input(of content: DecisionInput.Content, at now: Date) throws(StoreError) -> DecisionInput { throw .unavailable("read only") }
  func decisions(since: Date, after id: Int64, limit: Int) async throws(StoreError) -> [(id: Int64, record: DecisionRecord)] {
    (id + 1..<2501).prefix(limit).map { id in
      let record = DecisionRecord(
        kind: id % 1000 == 0 ? "affinity" : "routing", jobID: nil, pool: nil, output: "", reason: "", bundle: "b", fallbackCause: nil,
        microseconds: 1, at: Sample.now)
      return (id, record)
    }
  }
  func decisionInput(_ digest: String) async throws(StoreError) -> DecisionInput? { nil }
  func forgetDecisions(before time: Date, keeping: Int, limit: Int) async throws(StoreError) -> ForgottenDecisions {
    ForgottenDecisions(decisions: 0, inputs: 0)
  }
}
