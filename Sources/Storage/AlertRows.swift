package import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore: AlertReader {
  package func openAlerts() async throws(StoreError) -> [Alert] {
    try await read { db in
      try db.rows("SELECT * FROM alerts WHERE resolved_at IS NULL ORDER BY raised_at, id").map(Alert.init(row:))
    }
  }

  package func recentAlerts(limit: Int) async throws(StoreError) -> [Alert] {
    try await read { db in
      try db.rows("SELECT * FROM alerts ORDER BY raised_at DESC, id LIMIT ?", [max(0, limit)]).map(Alert.init(row:))
    }
  }

  package func notifications(ofAlert id: String) async throws(StoreError) -> [AlertNotification] {
    try await read { db in
      try db.rows("SELECT * FROM notifications WHERE alert_id = ? ORDER BY id", [id]).map(AlertNotification.init(row:))
    }
  }

  package func pendingNotifications(limit: Int) async throws(StoreError) -> [(notification: AlertNotification, alert: Alert)] {
    try await read { db in
      try db.rows(
        """
        SELECT * FROM (
          SELECT n.*, row_number() OVER (PARTITION BY n.notifier ORDER BY n.due_at, n.id) AS place FROM notifications AS n
          WHERE n.status = 'pending' AND NOT EXISTS (
            SELECT 1 FROM notifications AS earlier
            WHERE earlier.alert_id = n.alert_id AND earlier.notifier = n.notifier AND earlier.status = 'pending' AND earlier.id < n.id)
        ) WHERE place <= ? ORDER BY due_at, id
        """, [max(0, limit)]
      ).map { row -> (notification: AlertNotification, alert: Alert) in
        let notification = try AlertNotification(row: row)
        guard let alert = try db.row("SELECT * FROM alerts WHERE id = ?", [notification.alertID]) else {
          throw RowCoding.damage("notification \(notification.id)", "its alert \(notification.alertID) is missing")
        }
        return (notification, try Alert(row: alert))
      }
    }
  }
}

extension SQLiteStore: AlertLog {
  package func forgetAlerts(endedBefore time: Date, limit: Int) async throws(StoreError) -> Int {
    try await write { db in
      // None ends before it begins: the index of beginnings finds them.
      let ids: [String] = try db.rows(
        """
        SELECT id FROM alerts WHERE raised_at < ? AND resolved_at < ? AND NOT EXISTS (
          SELECT 1 FROM notifications WHERE alert_id = alerts.id AND status = 'pending')
        ORDER BY raised_at LIMIT ?
        """, [Timestamp.text(time), Timestamp.text(time), max(0, limit)]
      ).map { try $0.read("id", "a row of alerts") }
      for id in ids {
        try db.run("DELETE FROM notifications WHERE alert_id = ?", [id])
        try db.run("DELETE FROM alerts WHERE id = ?", [id])
      }
      return ids.count
    }
  }
}

extension Alert {
  fileprivate init(row: Row) throws {
    let id: String = try row.read("id", "a row of alerts")
    let place = "alert \(id)"
    let word: String = try row.read("severity", place)
    guard let severity = Severity(rawValue: word) else { throw RowCoding.damage(place, "no severity `\(word)` is known") }
    let resolvedAt: String? = try row.readOptional("resolved_at", place)
    self.init(
      id: id, key: try row.read("key", place), severity: severity, title: try row.read("title", place), text: try row.read("text", place),
      raisedAt: try row.readTime("raised_at", place), resolvedAt: resolvedAt == nil ? nil : try row.readTime("resolved_at", place))
  }

  func store(in db: Database) throws {
    guard let resolvedAt else {
      let isOpen = try db.row("SELECT id FROM alerts WHERE key = ? AND resolved_at IS NULL", [key]) != nil
      if isOpen { throw StoreError.conflict("alert \(key)") }
      return try db.run(
        "INSERT INTO alerts (id, key, severity, title, text, raised_at) VALUES (?, ?, ?, ?, ?, ?)",
        [id, key, severity.rawValue, title, text, Timestamp.text(raisedAt)])
    }
    try db.run("UPDATE alerts SET resolved_at = ? WHERE id = ? AND resolved_at IS NULL", [Timestamp.text(resolvedAt), id])
    if db.changesCount == 0 { throw StoreError.conflict("alert \(key)") }
  }
}

extension AlertNotification {
  fileprivate init(row: Row) throws {
    let id: Int64 = try row.read("id", "a row of notifications")
    let place = "notification \(id)"
    let moment: String = try row.read("moment", place)
    let status: String = try row.read("status", place)
    guard let moment = AlertMoment(rawValue: moment), let status = Status(rawValue: status) else {
      throw RowCoding.damage(place, "no moment `\(moment)` or no status `\(status)` is known")
    }
    self.init(
      id: id, alertID: try row.read("alert_id", place), moment: moment, notifier: try row.read("notifier", place), status: status,
      dueAt: try row.readTime("due_at", place), tries: try row.read("tries", place), failure: try row.readOptional("failure", place))
  }

  /// Adds it where it has no identity yet, or sets what became of it. Returns it with its identity.
  func stored(in db: Database) throws -> AlertNotification {
    var new = self
    if id == 0 {
      try db.run(
        "INSERT INTO notifications (alert_id, moment, notifier, status, due_at, tries, failure) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [alertID, moment.rawValue, notifier, status.rawValue, Timestamp.text(dueAt), tries, failure])
      new.id = db.lastInsertedRowID
    } else {
      try db.run(
        "UPDATE notifications SET status = ?, due_at = ?, tries = ?, failure = ? WHERE id = ? AND status = 'pending'",
        [status.rawValue, Timestamp.text(dueAt), tries, failure, id])
      if db.changesCount == 0 { throw StoreError.conflict("notification \(id)") }
    }
    return new
  }
}
