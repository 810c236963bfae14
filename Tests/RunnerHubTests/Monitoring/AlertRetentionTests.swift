import Foundation
import Logging
import RunnerHub
import Testing

@Suite("Retention of alerts")
struct AlertRetentionTests {
  @Test("what has been over for long is removed step by step, and what is open stays")
  func steps() async throws {
    let bench = try Bench { $0.alertRetention = 100 }
    let begun = bench.clock.now
    var alerts = (0..<150).map {
      Alert(id: "\($0)", key: "component/\($0)", severity: .warning, title: "t", text: "x", raisedAt: begun)
    }
    var changes = Changes()
    changes.alerts = alerts
    try await bench.store.commit(changes, at: .alertsChanged)
    for index in alerts.indices { alerts[index].resolvedAt = begun.addingTimeInterval(1) }
    changes.alerts = Array(alerts.dropFirst())
    try await bench.store.commit(changes, at: .alertsChanged)
    let retention = AlertRetention(transactor: bench.transactor, settings: bench.settings, logger: Logger(label: "test"))
    #expect(try await !retention.turn())
    #expect(try await bench.store.recentAlerts(limit: 999).count == 150)
    bench.clock.advance(102)
    #expect(try await retention.turn())
    #expect(try await bench.store.recentAlerts(limit: 999).count == 50)
    #expect(try await !retention.turn())
    #expect(try await bench.store.recentAlerts(limit: 999).map(\.id) == ["0"])
  }
}
