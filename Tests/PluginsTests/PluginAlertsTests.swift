import Domain
import Foundation
import Plugins
import RunnerHub
import Testing

@Suite("Alerts of plugins")
struct PluginAlertsTests {
  private func status(_ name: String, _ state: PluginState, _ reason: String? = nil) -> PluginStatus {
    PluginStatus(name: name, state: state, reason: reason, since: Date(timeIntervalSince1970: 0))
  }

  @Test("one that is not started again is an alert; one that starts is not known yet; one that is gone has none")
  func quarantined() async throws {
    let statuses = [
      status("a", .quarantined, "it ended with status 1"), status("b", .starting), status("c", .running), status("d", .backingOff),
    ]
    let reading = try await PluginAlerts { statuses }.alerts(at: Date(timeIntervalSince1970: 0))
    #expect(reading.conditions.map(\.key) == ["plugin/a"] && reading.conditions[0].text.contains("it ended with status 1"))
    #expect(reading.unknown == ["plugin/b", "plugin/d"] && reading.scope == "plugin/")
  }
}
