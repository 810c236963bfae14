import Domain
package import Foundation

extension Changes {
  /// What happened by these rows, as they were stored. Rows whose state is what it was tell nothing.
  package func events(at now: Date) -> [HubEvent] {
    jobs.filter { formerJobs[$0.id] != $0.state }.map { $0.event(at: now) }
      + containers.filter { formerContainers[$0.id] != $0.state }.map { $0.event(at: now) }
      + policyEvents.map(\.event) + alerts.map(\.event)
  }
}

extension HubEvent {
  /// Texts come from outside, and a batch of events is one message.
  private static let longestText = 500

  fileprivate init(
    _ kind: HubEventKind, at: Date, _ action: String, _ subject: String, _ text: String, _ details: KeyValuePairs<String, String?>
  ) {
    var known: [String: String] = [:]
    for (name, value) in details { if let value, !value.isEmpty { known[name] = Self.line(value) } }
    self.init(kind: kind, at: at, action: action, subject: subject, text: Self.line(text), details: known)
  }

  private static func line(_ text: String) -> String { PrintableText.line(String(text.prefix(longestText))) }
}

extension Job {
  fileprivate func event(at now: Date) -> HubEvent {
    let ending = conclusion.map { " (\($0))" } ?? ""
    let cause = refusal ?? (state == .failed ? lastFailure : nil)
    return HubEvent(
      .job, at: now, state.rawValue, id.rawValue,
      "\(name) of \(repository.fullName) is \(state.rawValue)\(ending)" + (cause.map { ": \($0)" } ?? ""),
      [
        "name": name, "repository": repository.fullName, "workflow": workflow, "run": "\(runID)", "attempt": "\(runAttempt)",
        "branch": headBranch, "commit": headSHA, "conclusion": conclusion?.word, "priority": "\(priority)", "route": route?.rawValue,
        "reason": cause ?? routeReason, "pool": pool, "container": containerID?.rawValue, "runner": runnerName, "url": htmlURL,
      ])
  }
}

extension Container {
  fileprivate func event(at now: Date) -> HubEvent {
    HubEvent(
      .container, at: now, state.rawValue.lowercased(), id.rawValue,
      "container \(name) is \(state.rawValue.lowercased())" + (endReason.map { ": \($0)" } ?? ""),
      [
        "name": name, "pool": pool, "engine": engine, "image": image, "assignment": assignment?.rawValue, "uses": "\(uses)",
        "reason": endReason ?? health.detail,
      ])
  }
}

extension PolicyEvent {
  fileprivate var event: HubEvent {
    HubEvent(
      .policy, at: at, kind.rawValue, bundle ?? "none",
      "bundle \(bundle ?? "none") \(kind.rawValue) (\(slot.rawValue))" + (detail.map { ": \($0)" } ?? ""),
      ["slot": slot.rawValue, "percent": percent.map { "\($0)" }, "actor": actor, "detail": detail])
  }
}

extension Alert {
  fileprivate var event: HubEvent {
    let moment: AlertMoment = resolvedAt == nil ? .raised : .resolved
    return HubEvent(
      .alert, at: resolvedAt ?? raisedAt, moment.rawValue, id, "\(title): \(text)",
      ["key": key, "severity": severity.rawValue, "title": title, "text": text])
  }
}
