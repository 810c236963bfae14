import Foundation
import JSON
import RunnerHub
import Testing

@testable import Plugins

extension PluginManifest {
  static func sample(_ name: String, _ kind: PluginKind) -> PluginManifest {
    PluginManifest(name: name, version: "1.0.0", kind: kind, summary: "", command: ["/bin/true"])
  }
}

@Suite("Plugins that tell people of alerts")
struct NotifierAdapterTests {
  private let alert = Alert(
    id: "4f1d", key: "component/engine", severity: .critical, title: "T", text: "x", raisedAt: Date(timeIntervalSince1970: 1_777_000_000.5))

  private func started(_ adapter: NotifierAdapter, _ connection: ScriptedConnection) async {
    await adapter.started(RunningPlugin(manifest: .sample(connection.name, .notifier), abilities: [], connection: connection))
  }

  @Test("an alert is told as the protocol says")
  func told() async throws {
    let adapter = NotifierAdapter()
    let connection = ScriptedConnection(name: "slack") { _ in Data("{}".utf8) }
    await started(adapter, connection)
    try await #require(adapter.notifiers["slack"]).notify(.raised, of: alert, url: "https://hub.example/")
    let call = try #require(connection.calls.first)
    #expect(call.method == "notifier/notify")
    let value = try JSONDecoder().decode(JSONValue.self, from: call.parameters)
    #expect(
      value
        == .object([
          "event": .string("raised"), "url": .string("https://hub.example/"),
          "alert": .object([
            "id": .string("4f1d"), "key": .string("component/engine"), "severity": .string("critical"), "title": .string("T"),
            "text": .string("x"), "raisedAt": .string("2026-04-24T03:06:40.500Z"),
          ]),
        ]))
  }

  private static let answers: [(PluginError, Bool)] = [
    (.notRunning("x"), true), (.timedOut("x"), true), (.malformed("x"), true), (.refused(.unavailable, "x"), true),
    (.throttled("x", after: .seconds(7)), true), (.refused(.forbidden, "x"), true), (.refused(.invalid, "x"), false),
    (.refused(.failed, "x"), false), (.refused(.methodNotFound, "x"), false),
  ]

  @Test("what may pass is tried again, and what will not is given up", arguments: answers)
  func failures(error: PluginError, isTriedAgain: Bool) async throws {
    let notifier = PluginNotifier(connection: ScriptedConnection { _ throws(PluginError) in throw error })
    let failure = await #expect(throws: NotifierFailure.self) { try await notifier.notify(.raised, of: alert, url: nil) }
    switch failure {
    case .unavailable(_, let after):
      #expect(isTriedAgain)
      if case .throttled = error { #expect(after == 7) }
    default: #expect(!isTriedAgain)
    }
  }

  @Test("a notifier that is configured or about to start is owed alerts, and one that is removed is not")
  func roster() async throws {
    let adapter = NotifierAdapter(configured: ["slack"])
    _ = adapter.service(for: .sample("email", .notifier))
    #expect(Set(adapter.notifiers.keys) == ["slack", "email"])
    let waiting = try #require(adapter.notifiers["slack"])
    await #expect(throws: NotifierFailure.unavailable("the plugin has not been started yet", after: nil)) {
      try await waiting.notify(.raised, of: alert, url: nil)
    }
    let connection = ScriptedConnection(name: "slack") { _ in Data("{}".utf8) }
    await started(adapter, connection)
    _ = adapter.service(for: .sample("slack", .notifier))
    await adapter.interrupted("slack", reason: "it ended")
    try await #require(adapter.notifiers["slack"]).notify(.resolved, of: alert, url: nil)
    #expect(connection.calls.count == 1)
    await adapter.removed("slack")
    #expect(Set(adapter.notifiers.keys) == ["email"])
  }
}
