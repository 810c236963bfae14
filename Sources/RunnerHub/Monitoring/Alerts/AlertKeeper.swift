package import Domain
package import Foundation
package import Logging

/// Raises and resolves alerts by what their sources say, and owes each to every notifier in the same commit.
package struct AlertKeeper: Sendable {
  private let store: any Store
  private let sources: [any AlertSource]
  private let roster: any NotifierRoster
  private let signals: Signals
  private let identities: any IdentitySource
  private let logger: Logger
  private let now: @Sendable () -> Date
  /// Seconds between two looks where nothing calls for one.
  private static let patience: TimeInterval = 5
  /// Characters of a title and a text.
  private static let longestTitle = 200
  private static let longestText = 2_000

  package init(
    store: any Store, sources: [any AlertSource], roster: any NotifierRoster, signals: Signals,
    identities: any IdentitySource = RandomIdentitySource(), logger: Logger, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.store = store
    self.sources = sources
    self.roster = roster
    self.signals = signals
    self.identities = identities
    self.logger = logger
    self.now = now
  }

  /// Looks until cancelled.
  package func run() async throws {
    var book: AlertBook?
    while !Task.isCancelled {
      await turn(&book)
      await signals.alerts.wait(until: now().addingTimeInterval(Self.patience))
    }
  }

  /// One look at all sources.
  /// - Parameter book: nil: it is read from the store; so it is after a conflict too.
  package func turn(_ book: inout AlertBook?) async {
    do {
      var known = try await opened(book)
      // Whatever fails, how long conditions have held stays known.
      defer { book = known }
      for source in sources {
        let reading: AlertReading
        do {
          reading = try await source.alerts(at: now())
        } catch {
          logger.error("what alerts are to be raised cannot be read", metadata: ["error": "\(error)"])
          continue
        }
        for step in known.look(reading, at: now()) { try await take(step, &known) }
      }
      HubMetrics.openAlerts(known.open.values)
    } catch .conflict(let what) {
      book = nil
      logger.error("alerts are read anew: \(what) was changed by somebody else")
    } catch {
      logger.error("alerts cannot be stored; they are looked at again", metadata: ["error": "\(error)"])
    }
  }

  private func opened(_ book: AlertBook?) async throws(StoreError) -> AlertBook {
    if let book { return book }
    return AlertBook(open: try await store.openAlerts())
  }

  private func take(_ step: AlertBook.Step, _ book: inout AlertBook) async throws(StoreError) {
    let at = now()
    switch step {
    case .raise(let condition):
      let alert = Alert(
        id: identities.token(digits: 12), key: condition.key, severity: condition.severity,
        title: PrintableText.line(String(condition.title.prefix(Self.longestTitle))),
        text: PrintableText.line(String(condition.text.prefix(Self.longestText))), raisedAt: at)
      try await commit(alert, .raised, at)
      book.raised(alert)
      logger.warning("alert raised: \(alert.title)", metadata: ["alert": "\(alert.id)", "key": "\(alert.key)", "why": "\(alert.text)"])
    case .resolve(var alert):
      alert.resolvedAt = at
      try await commit(alert, .resolved, at)
      book.resolved(alert)
      logger.notice("alert resolved: \(alert.title)", metadata: ["alert": "\(alert.id)", "key": "\(alert.key)"])
    }
  }

  private func commit(_ alert: Alert, _ moment: AlertMoment, _ at: Date) async throws(StoreError) {
    var changes = Changes()
    changes.alerts = [alert]
    changes.notifications = roster.notifiers.keys.sorted().map {
      AlertNotification(alertID: alert.id, moment: moment, notifier: $0, dueAt: at)
    }
    try await store.commit(changes, at: .alertsChanged)
    signals.changed(by: changes)
  }
}
