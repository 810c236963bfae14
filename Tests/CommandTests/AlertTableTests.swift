import Foundation
import RunnerHub
import Testing
import Web

@testable import Command

@Suite("Alerts as a table")
struct AlertTableTests {
  private func told(
    _ notifier: String, _ status: AlertNotification.Status, tries: Int = 0, failure: String? = nil, moment: AlertMoment = .raised
  ) -> AlertNotification {
    AlertNotification(
      alertID: "1", moment: moment, notifier: notifier, status: status, dueAt: Date(timeIntervalSince1970: 0), tries: tries,
      failure: failure)
  }

  @Test("an alert is a line with who was told of it, and what an attacker wrote moves no cursor")
  func line() {
    let alert = Alert(
      id: "1", key: "k", severity: .critical, title: "The engine\u{1b}[2J does not work", text: "no host",
      raisedAt: Date(timeIntervalSince1970: 0))
    let document = AlertDocument(
      alert: alert,
      notifications: [
        told("slack", .delivered), told("email", .pending, tries: 2), told("pager", .givenUp, failure: "no such channel"),
        told("slack", .delivered, moment: .resolved),
      ])
    let text = AlertTable(alerts: [document], isAll: false).text(width: nil)
    #expect(text.contains("1970-01-01T00:00:00Z") && text.contains("open") && text.contains("critical"))
    #expect(text.contains("slack; email pending, 2 tries; pager given up: no such channel; slack (end)"))
    #expect(!text.contains("\u{1b}"))
  }

  @Test("where nothing is wrong it says so")
  func none() {
    #expect(AlertTable(alerts: [], isAll: false).text(width: 80) == "no alert is open")
    #expect(AlertTable(alerts: [], isAll: true).text(width: 80) == "there was no alert yet")
  }
}
