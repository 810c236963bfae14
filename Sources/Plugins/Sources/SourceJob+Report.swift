internal import Domain
package import Foundation
package import RunnerHub

/// What a plugin said of a job that cannot be.
package struct SourceJobFault: Error, Hashable, Sendable, CustomStringConvertible {
  package var description: String
  package init(description: String) { self.description = description }
}

extension SourceJob {
  /// The job as the core knows jobs. What a plugin says is bounded here: it goes into rows, keys, pages and logs.
  /// - Parameter source: the plugin's name.
  package func report(from source: String) throws(SourceJobFault) -> JobReport {
    try check()
    let repository = Domain.Repository(
      id: repository.id, fullName: repository.name, isPrivate: repository.isPrivate, defaultBranch: repository.defaultBranch, source: source
    )
    return JobReport(
      action: status.rawValue, status: status.rawValue, conclusion: status == .completed ? conclusion ?? "unknown" : nil, forgeID: id,
      runID: run, runAttempt: attempt ?? 1, name: name, workflow: workflow, labels: labels, headSHA: commit, headBranch: branch,
      htmlURL: url,
      runnerID: nil, runnerName: runner, runnerGroupName: nil, createdAt: createdAt, startedAt: startedAt, completedAt: completedAt,
      steps: [],
      repository: repository, organization: nil, installationID: nil, scope: scope,
      run: RunContext(
        event: event ?? "unknown", path: nil, headRepositoryID: headRepository ?? (repository.isPrivate ? repository.id : nil), actor: actor
      ),
      definition: definition(from: source))
  }

  /// nil where it tells no image: then nothing is known of what it would run.
  private func definition(from source: String) -> DefinitionFinding? {
    if image == nil && services == nil { return nil }
    return .found(
      DefinitionFinding.Definition(
        path: source, commit: commit, key: name, isExact: true, images: (image.map { [$0] } ?? []) + (services ?? []), environment: nil,
        timeoutMinutes: nil, container: image, services: services))
  }

  private func check() throws(SourceJobFault) {
    for (what, number) in [("id", id), ("run", run), ("attempt", Int64(attempt ?? 1)), ("repository.id", repository.id)] where number < 1 {
      throw SourceJobFault(description: "\(what) is \(number): expected 1 or more")
    }
    let texts: [(String, String?, ClosedRange<Int>)] = [
      ("name", name, 1...500), ("workflow", workflow, 0...500), ("repository.name", repository.name, 1...300), ("scope", scope, 1...300),
      ("repository.defaultBranch", repository.defaultBranch, 0...500), ("conclusion", conclusion, 1...50), ("commit", commit, 0...100),
      ("branch", branch, 0...500), ("url", url, 0...2000), ("runner", runner, 0...200), ("image", image, 1...500),
      ("event", event, 1...100),
      ("actor", actor, 0...200), ("transition", transition, 1...200),
    ]
    for (what, text, range) in texts {
      if let text { try check(text, what, range) }
    }
    // Both stand in keys of classes, where `|` and `,` part what they are made of.
    for (what, text) in [("repository.name", repository.name), ("scope", scope ?? "")] where text.contains("|") {
      throw SourceJobFault(description: "\(what) holds a |, which no name may")
    }
    try check(labels, "labels", of: 1...200)
    if labels.contains(where: { $0.contains(",") }) { throw SourceJobFault(description: "a label holds a comma, which none may") }
    try check(services ?? [], "services", of: 1...500)
  }

  private func check(_ list: [String], _ what: String, of range: ClosedRange<Int>) throws(SourceJobFault) {
    guard list.count <= 100 else { throw SourceJobFault(description: "\(what) has \(list.count) entries: expected at most 100") }
    for (index, text) in list.enumerated() { try check(text, "\(what)[\(index)]", range) }
  }

  private func check(_ text: String, _ what: String, _ range: ClosedRange<Int>) throws(SourceJobFault) {
    guard range.contains(text.utf8.count) else {
      throw SourceJobFault(
        description: "\(what) has \(text.utf8.count) bytes: expected \(range.lowerBound) to \(range.upperBound)")
    }
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
      throw SourceJobFault(description: "\(what) holds a control character")
    }
  }
}

extension SourceJob {
  /// The event of deliveries that tell a job of a source.
  package static let deliveryEvent = "source"

  /// What is stored of it before the plugin is answered. The hook is the plugin: it says of which source the job is.
  package func delivery(from source: String, at now: Date) throws(SourceJobFault) -> Delivery {
    _ = try report(from: source)
    let body: Data
    do { body = try PluginJSON.encoder.encode(self) } catch { throw SourceJobFault(description: "it cannot be stored: \(error)") }
    // Two plugins may use the same words.
    return Delivery(
      guid: transition, hookID: source, event: Self.deliveryEvent, transition: "\(source):\(transition)", body: body, receivedAt: now)
  }
}
