package import Foundation

/// What sort of thing happened.
package enum HubEventKind: String, Hashable, Sendable, Codable, CaseIterable {
  case job, container, alert, policy, plugin
}

/// Something that happened, as it is told to those who look on: at least once and in order to each of them while both run. To tell of it is no part
/// of doing it.
package struct HubEvent: Hashable, Sendable, Codable {
  /// Rises with each event of this store, over restarts too (`EventFeed`).
  package var id: Int64
  package var kind: HubEventKind
  package var at: Date
  /// What happened, in the field's words: `queued`, `assigned`, `completed`; `ready`, `gone`; `raised`, `resolved`; `activated`; `quarantined`.
  package var action: String
  /// The job, container, alert, bundle or plugin.
  package var subject: String
  /// One line for people.
  package var text: String
  /// What is known of the subject, by name: `repository`, `name`, `pool`, `conclusion`, `severity`, …
  package var details: [String: String]

  package init(
    id: Int64 = 0, kind: HubEventKind, at: Date, action: String, subject: String, text: String, details: [String: String] = [:]
  ) {
    self.id = id
    self.kind = kind
    self.at = at
    self.action = action
    self.subject = subject
    self.text = text
    self.details = details
  }
}

/// A state that a person should know of, until it is over.
package struct Alert: Hashable, Sendable, Codable, Identifiable {
  package enum Severity: String, Hashable, Sendable, Codable, CaseIterable { case info, warning, critical }
  /// Unique: one raising. The same trouble later is another.
  package var id: String
  /// What is wrong, the same whenever it is (`component/engine`): one alert of a key is open at a time.
  package var key: String
  package var severity: Severity
  package var title: String
  package var text: String
  package var raisedAt: Date
  package var resolvedAt: Date?

  package init(id: String, key: String, severity: Severity, title: String, text: String, raisedAt: Date, resolvedAt: Date? = nil) {
    self.id = id
    self.key = key
    self.severity = severity
    self.title = title
    self.text = text
    self.raisedAt = raisedAt
    self.resolvedAt = resolvedAt
  }
}
