package import Foundation

/// Something that is wrong now, by a key that is the same whenever it is.
package struct AlertCondition: Hashable, Sendable {
  package var key: String
  package var severity: Alert.Severity
  package var title: String
  package var text: String

  package init(key: String, severity: Alert.Severity, title: String, text: String) {
    self.key = key
    self.severity = severity
    self.title = title
    self.text = text
  }
}

/// What one source says now of the keys that begin with its scope.
package struct AlertReading: Hashable, Sendable {
  /// `component/`
  package var scope: String
  /// All that holds; a key of the scope that is not among them does not hold.
  package var conditions: [AlertCondition]
  /// Keys of which nothing is known yet: their alerts stay as they are.
  package var unknown: Set<String>
  /// Seconds for which a condition must hold, or be over, before that counts: so that a flap tells nobody.
  package var holdOff: TimeInterval

  package init(scope: String, conditions: [AlertCondition], unknown: Set<String> = [], holdOff: TimeInterval = 0) {
    self.scope = scope
    self.conditions = conditions
    self.unknown = unknown
    self.holdOff = holdOff
  }
}

/// Which alerts are to be raised and resolved: one a key is open at a time. Pure; what is decided is asked for again until `raised` or
/// `resolved` says that it is stored.
package struct AlertBook: Sendable {
  package enum Step: Hashable, Sendable {
    case raise(AlertCondition)
    case resolve(Alert)
  }

  package private(set) var open: [String: Alert]
  /// When a key that has no alert began to hold, or one that has began to be over.
  private var changedSince: [String: Date] = [:]

  /// - Parameter open: as stored.
  package init(open: [Alert]) {
    self.open = Dictionary(open.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package mutating func look(_ reading: AlertReading, at now: Date) -> [Step] {
    let holding = Dictionary(reading.conditions.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    var steps: [Step] = []
    var seen: Set<String> = []
    for condition in reading.conditions where open[condition.key] == nil && seen.insert(condition.key).inserted {
      if isDue(condition.key, reading.holdOff, now) { steps.append(.raise(condition)) }
    }
    let ended = open.values.filter { $0.key.hasPrefix(reading.scope) && holding[$0.key] == nil && !reading.unknown.contains($0.key) }
    for alert in ended.sorted(by: { $0.raisedAt < $1.raisedAt }) where isDue(alert.key, reading.holdOff, now) {
      steps.append(.resolve(alert))
    }
    // What is as it was before has not begun to change.
    for key in changedSince.keys where key.hasPrefix(reading.scope) && (holding[key] != nil) == (open[key] != nil) {
      changedSince[key] = nil
    }
    return steps
  }

  package mutating func raised(_ alert: Alert) {
    open[alert.key] = alert
    changedSince[alert.key] = nil
  }

  package mutating func resolved(_ alert: Alert) {
    open[alert.key] = nil
    changedSince[alert.key] = nil
  }

  private mutating func isDue(_ key: String, _ holdOff: TimeInterval, _ now: Date) -> Bool {
    // A clock that was set back begins anew.
    let since = changedSince[key].map { min($0, now) } ?? now
    changedSince[key] = since
    return now.timeIntervalSince(since) >= holdOff
  }
}
