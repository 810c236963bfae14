import Foundation
import RunnerHub
import Testing

@testable import Web

@Suite("Webhooks of other CI platforms")
struct SourceWebhookTests {
  /// A source that takes what has the right token, and stores the body as it is.
  private struct Source: SourceWebhooks {
    func deliveries(of message: SourceMessage, to source: String) async throws(SourceMessageRefusal) -> [Delivery] {
      if source != "gitlab" { throw .unknownSource }
      switch message.headers["x-gitlab-token"] {
      case "s3cret":
        return message.body.isEmpty
          ? []
          : [
            Delivery(guid: "1", hookID: source, event: "source", transition: "gitlab:1", body: message.body, receivedAt: message.receivedAt)
          ]
      case "away": throw .unavailable("its plugin starts")
      case "odd": throw .malformed("the body is no JSON")
      default: throw .notAccepted("wrong token")
      }
    }
  }

  private struct Fixture: Sendable {
    let inbox = MemoryInbox()
    let metrics = PrometheusMetrics()
    let wakes = WebhookFixture.Wakes()
    var limits = SourceWebhookHandler.Limits()

    func run(_ work: @escaping @Sendable (LoopbackClient) async throws -> Void) async throws {
      try await withServer(
        { onServerRunning in
          let github = OrchestratorWebhookHandler(
            secrets: try WebhookSecrets(["x"]), inbox: inbox, metrics: metrics, logger: quiet, wake: {})
          let sources = SourceWebhookHandler(
            webhooks: Source(), inbox: inbox, limits: limits, metrics: metrics, logger: quiet, wake: { wakes.ring() })
          return WebhookServer(
            handler: github, sources: sources, options: ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning),
            logger: quiet)
        }, work)
    }
  }

  private static func headers(_ token: String) -> [String: String] { ["Content-Type": "application/json", "X-Gitlab-Token": token] }

  @Test("what the source accepts is stored before the answer 202, and a repetition once") func stored() async throws {
    let fixture = Fixture()
    try await fixture.run { client async throws in
      for _ in 0..<2 {
        let reply = try await client.post("/webhooks/plugins/gitlab", headers: Self.headers("s3cret"), body: "{}")
        #expect(reply.status == 202)
      }
      #expect(await fixture.inbox.deliveries.map(\.body) == [Data("{}".utf8)])
      #expect(fixture.wakes.count == 1)
      #expect(fixture.metrics.render().contains(#"runnerhub_source_webhooks_total{outcome="accepted"} 2"#))
    }
  }

  @Test("everything else is refused with its reason, and nothing of it is stored") func refused() async throws {
    let fixture = Fixture()
    try await fixture.run { client async throws in
      for (path, token, status) in [
        ("/webhooks/plugins/gitlab", "guess", 401), ("/webhooks/plugins/gitlab", "odd", 400), ("/webhooks/plugins/jenkins", "s3cret", 404),
        ("/webhooks/plugins/", "s3cret", 404), ("/webhooks/plugins/..%2f", "s3cret", 404), ("/webhooks/plugins/GitLab", "s3cret", 404),
      ] {
        let reply = try await client.post(path, headers: Self.headers(token), body: "{}")
        #expect(reply.status == status, "\(path) \(token)")
      }
      let away = try await client.post("/webhooks/plugins/gitlab", headers: Self.headers("away"), body: "{}")
      #expect(away.status == 503)
      #expect(away.headers["retry-after"] == "10")
      #expect(await fixture.inbox.deliveries.isEmpty)
      #expect(fixture.wakes.count == 0)
    }
  }

  @Test("while the store cannot be used the platform is asked to come again") func store() async throws {
    let fixture = Fixture()
    await fixture.inbox.fail(with: .unavailable("disk full"))
    try await fixture.run { client async throws in
      let reply = try await client.post("/webhooks/plugins/gitlab", headers: Self.headers("s3cret"), body: "{}")
      #expect(reply.status == 503)
      #expect(fixture.wakes.count == 0)
    }
  }

  @Test("a body and headers beyond their limits are not handed on") func limits() async throws {
    var fixture = Fixture()
    fixture.limits.bodyBytes = 10
    fixture.limits.headerBytes = 500
    try await fixture.run { [fixture] client async throws in
      let large = try await client.post(
        "/webhooks/plugins/gitlab", headers: Self.headers("s3cret"), body: String(repeating: "x", count: 11))
      #expect(large.status == 413)
      let many = try await client.post(
        "/webhooks/plugins/gitlab", headers: Self.headers("s3cret").merging(["X-Long": String(repeating: "x", count: 500)]) { $1 },
        body: "{}")
      #expect(many.status == 400)
      #expect(await fixture.inbox.deliveries.isEmpty)
    }
  }
}
