import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  private static func alert(_ id: String, key: String, at seconds: Double = 0) -> Alert {
    Alert(id: id, key: key, severity: .warning, title: "t \(id)", text: "é", raisedAt: Sample.time(seconds))
  }

  private static func owed(
    _ id: String, _ moment: AlertMoment = .raised, to notifier: String = "slack", due seconds: Double = 0
  ) -> AlertNotification {
    AlertNotification(alertID: id, moment: moment, notifier: notifier, dueAt: Sample.time(seconds))
  }

  private static func settled(
    _ notification: AlertNotification, _ status: AlertNotification.Status, tries: Int, due seconds: Double
  ) -> AlertNotification {
    var settled = notification
    settled.status = status
    settled.tries = tries
    settled.failure = "no answer"
    settled.dueAt = Sample.time(seconds)
    return settled
  }

  static var alerts: [StoreContract] {
    [
      StoreContract("alerts come back whole; open ones oldest first, all of them newest first") { store async throws in
        let (old, new) = (alert("1", key: "a"), alert("2", key: "b", at: 5))
        try await store.commit { $0.alerts = [new, old] }
        #expect(try await store.openAlerts() == [old, new])
        var ended = old
        ended.resolvedAt = Sample.time(9)
        let resolved = ended
        try await store.commit { $0.alerts = [resolved] }
        #expect(try await store.openAlerts() == [new])
        #expect(try await store.recentAlerts(limit: 9) == [new, resolved])
        #expect(try await store.recentAlerts(limit: 1) == [new])
      },
      StoreContract("one alert a key is open, and an end is stored once") { store async throws in
        try await store.commit { $0.alerts = [alert("1", key: "a")] }
        #expect(try await conflicts { try await store.commit { $0.alerts = [alert("2", key: "a")] } })
        var ended = alert("1", key: "a")
        ended.resolvedAt = Sample.time(1)
        let resolved = ended
        try await store.commit { $0.alerts = [resolved] }
        #expect(try await conflicts { try await store.commit { $0.alerts = [resolved] } })
        try await store.commit { $0.alerts = [alert("2", key: "a", at: 2)] }
        #expect(try await store.openAlerts().map(\.id) == ["2"])
      },
      StoreContract("an alert that is refused owes nothing") { store async throws in
        try await store.commit { $0.alerts = [alert("1", key: "a")] }
        _ = try await conflicts {
          try await store.commit {
            $0.alerts = [alert("2", key: "a")]
            $0.notifications = [owed("2")]
          }
        }
        #expect(try await store.pendingNotifications(limit: 9).isEmpty)
      },
      StoreContract("notifications come by due time with their alerts, so many of each notifier") { store async throws in
        let all = ["1", "2", "3"].map { alert($0, key: $0) }
        let stored = try await store.commit {
          $0.alerts = all
          $0.notifications = [owed("1", due: 3), owed("2", due: 1), owed("3", due: 2), owed("1", to: "email", due: 9)]
        }.notifications
        #expect(Set(stored.map(\.id)).count == 4 && stored.allSatisfy { $0.id > 0 })
        let found = try await store.pendingNotifications(limit: 2)
        #expect(found.map(\.notification) == [stored[1], stored[2], stored[3]])
        #expect(found.map(\.alert) == [all[1], all[2], all[0]])
      },
      StoreContract("the end of an alert waits until its beginning is settled with the same notifier") { store async throws in
        var ended = alert("1", key: "a")
        ended.resolvedAt = Sample.time(4)
        let resolved = ended
        let first = try await store.commit {
          $0.alerts = [alert("1", key: "a")]
          $0.notifications = [owed("1", due: 8), owed("1", to: "email", due: 8)]
        }.notifications
        let second = try await store.commit {
          $0.alerts = [resolved]
          $0.notifications = [owed("1", .resolved, due: 4), owed("1", .resolved, to: "email", due: 4)]
        }.notifications
        #expect(try await store.pendingNotifications(limit: 9).map(\.notification) == first)
        let delivered = settled(first[0], .delivered, tries: 0, due: 8)
        try await store.commit { $0.notifications = [delivered] }
        #expect(try await store.pendingNotifications(limit: 9).map(\.notification) == [second[0], first[1]])
        #expect(try await store.notifications(ofAlert: "1") == [delivered, first[1], second[0], second[1]])
      },
      StoreContract("what became of a notification is stored once") { store async throws in
        let first = try await store.commit {
          $0.alerts = [alert("1", key: "a")]
          $0.notifications = [owed("1")]
        }.notifications
        let postponed = first.map { settled($0, .pending, tries: 1, due: 7) }
        try await store.commit { $0.notifications = postponed }
        #expect(try await store.pendingNotifications(limit: 9).map(\.notification) == postponed)
        let given = postponed.map { settled($0, .givenUp, tries: 2, due: 8) }
        try await store.commit { $0.notifications = given }
        #expect(try await store.pendingNotifications(limit: 9).isEmpty)
        #expect(try await store.notifications(ofAlert: "1") == given)
        #expect(try await conflicts { try await store.commit { $0.notifications = given } })
      },
      StoreContract("alerts that ended before a time are forgotten with what was told of them, unless somebody is still to be told") {
        store async throws in
        // Each ends a second after it began; of the first a notifier is still to be told, and the last is open.
        for number in 1...4 {
          let (begun, id) = (Double(number), "\(number)")
          let told = try await store.commit {
            $0.alerts = [alert(id, key: id, at: begun)]
            $0.notifications = [owed(id)]
          }.notifications.map { settled($0, .delivered, tries: 0, due: begun) }
          if number > 1 { try await store.commit { $0.notifications = told } }
          guard number < 4 else { continue }
          var ended = alert(id, key: id, at: begun)
          ended.resolvedAt = Sample.time(begun + 1)
          let resolved = ended
          try await store.commit { $0.alerts = [resolved] }
        }
        #expect(try await store.forgetAlerts(endedBefore: Sample.time(3), limit: 9) == 0)
        #expect(try await store.forgetAlerts(endedBefore: Sample.time(3.5), limit: 9) == 1)
        #expect(try await store.recentAlerts(limit: 9).map(\.id) == ["4", "3", "1"])
        #expect(try await store.notifications(ofAlert: "2").isEmpty)
        let pending = try await store.pendingNotifications(limit: 9).map(\.notification)
        #expect(pending.map(\.alertID) == ["1"])
        let given = pending.map { settled($0, .givenUp, tries: 9, due: 9) }
        try await store.commit { $0.notifications = given }
        #expect(try await store.forgetAlerts(endedBefore: Sample.time(99), limit: 1) == 1)
        #expect(try await store.forgetAlerts(endedBefore: Sample.time(99), limit: 9) == 1)
        #expect(try await store.recentAlerts(limit: 9).map(\.id) == ["4"])
        #expect(try await store.notifications(ofAlert: "4").count == 1)
      },
    ]
  }
}
