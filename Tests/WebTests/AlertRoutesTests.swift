import Foundation
import RunnerHub
import Testing

@testable import Web

@Suite("Alerts by the API and on the page")
struct AlertRoutesTests {
  private static let open = Alert(
    id: "1", key: "component/engine", severity: .critical, title: "The <engine>", text: "no host", raisedAt: Sample.now)
  private static let over = Alert(
    id: "2", key: "policies/refused", severity: .warning, title: "Policies", text: "x", raisedAt: Sample.now, resolvedAt: Sample.now)

  @Test("open alerts are shown with who was told; those that are over only where they are asked for")
  func shown() async throws {
    let store = FixedStore(alerts: [Self.open, Self.over])
    try await withServer { onServerRunning in
      AdministrationServer(
        source: Sample.source(store), metrics: PrometheusMetrics(),
        options: ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning),
        routes: AlertRoutes.routes(alerts: store), logger: quiet)
    } _: { client async throws in
      func ask(_ query: String) async throws -> [AlertDocument] {
        try WireJSON.decoder.decode([AlertDocument].self, from: Data(try await client.get("/api/v1/alerts" + query).body.utf8))
      }
      let open = try await ask("")
      #expect(open.map(\.alert) == [Self.open] && open.first?.notifications.map(\.notifier) == ["slack"])
      #expect(try await ask("?all=true").map(\.alert) == [Self.open, Self.over])
      #expect(try await ask("?all=true&limit=1").map(\.alert) == [Self.open])
      let page = try await client.get("/").body
      #expect(page.contains("critical: The &lt;engine&gt;") && page.contains("no host") && !page.contains("warning: Policies"))
    }
  }
}
