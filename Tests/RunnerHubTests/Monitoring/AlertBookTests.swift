import Foundation
import RunnerHub
import Testing

@Suite("Which alerts are raised and resolved")
struct AlertBookTests {
  private let start = Date(timeIntervalSince1970: 1_777_000_000)

  private func condition(_ key: String) -> AlertCondition { AlertCondition(key: key, severity: .critical, title: key, text: "") }
  private func reading(_ keys: String..., unknown: Set<String> = [], holdOff: TimeInterval = 30) -> AlertReading {
    AlertReading(scope: "component/", conditions: keys.map(condition), unknown: unknown, holdOff: holdOff)
  }
  private func alert(_ key: String) -> Alert {
    Alert(id: "1", key: key, severity: .critical, title: key, text: "", raisedAt: start)
  }
  private func after(_ seconds: Double) -> Date { start.addingTimeInterval(seconds) }

  @Test("a condition must hold for the hold-off, and raises one alert")
  func raise() {
    var book = AlertBook(open: [])
    #expect(book.look(reading("component/engine"), at: start).isEmpty)
    #expect(book.look(reading("component/engine"), at: after(29)).isEmpty)
    #expect(book.look(reading("component/engine"), at: after(30)) == [.raise(condition("component/engine"))])
    // Asked for again until it is stored.
    #expect(book.look(reading("component/engine"), at: after(31)).count == 1)
    book.raised(alert("component/engine"))
    #expect(book.look(reading("component/engine"), at: after(99)).isEmpty)
  }

  @Test("a flap raises nothing, and resolves nothing")
  func flap() {
    var book = AlertBook(open: [])
    for second in stride(from: 0.0, to: 300, by: 20) {
      #expect(book.look(reading("component/engine"), at: after(second)).isEmpty)
      #expect(book.look(reading(), at: after(second + 10)).isEmpty)
    }
    book = AlertBook(open: [alert("component/engine")])
    for second in stride(from: 0.0, to: 300, by: 20) {
      #expect(book.look(reading(), at: after(second)).isEmpty)
      #expect(book.look(reading("component/engine"), at: after(second + 10)).isEmpty)
    }
  }

  @Test("an alert is resolved once its condition is over for the hold-off")
  func resolve() {
    var book = AlertBook(open: [alert("component/engine"), alert("other/thing")])
    #expect(book.look(reading(), at: start).isEmpty)
    #expect(book.look(reading(), at: after(30)) == [.resolve(alert("component/engine"))])
    book.resolved(alert("component/engine"))
    #expect(book.look(reading(), at: after(90)).isEmpty)
    #expect(book.open.keys.sorted() == ["other/thing"])
  }

  @Test("what is not known yet leaves an alert as it is, however long")
  func unknown() {
    var book = AlertBook(open: [alert("component/engine")])
    #expect(book.look(reading(unknown: ["component/engine"]), at: start).isEmpty)
    #expect(book.look(reading(unknown: ["component/engine"]), at: after(999)).isEmpty)
  }

  @Test("a clock that is set back neither raises at once nor waits for the lost time")
  func clock() {
    var book = AlertBook(open: [])
    _ = book.look(reading("component/engine"), at: after(1000))
    #expect(book.look(reading("component/engine"), at: start).isEmpty)
    #expect(book.look(reading("component/engine"), at: after(30)).count == 1)
  }

  @Test("the same key twice is one alert, and none at all without hold-off waits")
  func twice() {
    var book = AlertBook(open: [])
    #expect(book.look(reading("component/a", "component/a", holdOff: 0), at: start).count == 1)
  }
}

@Suite("What becomes of a notification")
struct NotificationRulesTests {
  private let now = Date(timeIntervalSince1970: 1_777_000_000)
  private func owed(_ id: Int64, to notifier: String, due: Double = 0, tries: Int = 0) -> AlertNotification {
    AlertNotification(id: id, alertID: "a", moment: .raised, notifier: notifier, dueAt: now.addingTimeInterval(due), tries: tries)
  }
  private let alert = Alert(id: "a", key: "k", severity: .info, title: "t", text: "", raisedAt: Date(timeIntervalSince1970: 0))

  @Test("it is tried again with growing pauses, and given up after a bounded number of tries")
  func retries() {
    var notification = owed(1, to: "slack")
    var pauses: [TimeInterval] = []
    while notification.status == .pending, pauses.count < 1000 {
      notification = NotificationRules.settled(notification, .unavailable("502", after: nil), at: now, random: 0.999)
      pauses.append(notification.dueAt.timeIntervalSince(now))
    }
    #expect(notification.status == .givenUp && notification.failure == "502" && notification.tries == pauses.count)
    #expect(pauses[0] <= 5 && pauses[5] > pauses[1] && (pauses.max() ?? 0) <= 900)
    #expect((3600...86_400).contains(pauses.reduce(0, +)))
  }

  @Test("a notifier's own wish to be left alone is heeded, within bounds", arguments: [(60.0, 60.0), (1e9, 3600.0), (-5.0, 0.0)])
  func silence(wish: Double, expected: Double) {
    let settled = NotificationRules.settled(owed(1, to: "slack"), .unavailable("429", after: wish), at: now, random: 0)
    #expect(settled.dueAt == now.addingTimeInterval(expected) && settled.status == .pending)
  }

  @Test("what can never succeed is given up at once; what arrived is delivered and forgets its failures")
  func ends() {
    #expect(NotificationRules.settled(owed(1, to: "slack"), .refused("404"), at: now, random: 0).status == .givenUp)
    var failed = owed(1, to: "slack", tries: 3)
    failed.failure = "502"
    let delivered = NotificationRules.settled(failed, nil, at: now, random: 0)
    #expect(delivered.status == .delivered && delivered.failure == nil && delivered.tries == 3)
  }

  @Test("one at a time to each notifier, and the earliest that is not due says when to look again")
  func next() {
    let pending = [
      owed(1, to: "slack"), owed(2, to: "slack"), owed(3, to: "email"), owed(4, to: "pager", due: 9), owed(5, to: "sms", due: 5),
    ].map { (notification: $0, alert: alert) }
    let found = NotificationRules.next(of: pending, busy: ["email"], at: now)
    #expect(found.due.map(\.notification.id) == [1])
    #expect(found.wake == now.addingTimeInterval(5))
  }
}
