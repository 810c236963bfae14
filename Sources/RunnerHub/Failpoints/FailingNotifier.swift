/// Notifiers with a failpoint before and after each call.
struct FailingRoster: NotifierRoster {
  private let roster: any NotifierRoster
  private let trap: FailpointTrap

  init(_ roster: any NotifierRoster, _ trap: FailpointTrap) {
    self.roster = roster
    self.trap = trap
  }

  var notifiers: [String: any Notifier] { roster.notifiers.mapValues { FailingNotifier(notifier: $0, trap: trap) } }
}

private struct FailingNotifier: Notifier {
  let notifier: any Notifier
  let trap: FailpointTrap

  func notify(_ moment: AlertMoment, of alert: Alert, url: String?) async throws(NotifierFailure) {
    try await trap.around(.call(.notify)) { () async throws(NotifierFailure) in try await notifier.notify(moment, of: alert, url: url) }
  }
}
