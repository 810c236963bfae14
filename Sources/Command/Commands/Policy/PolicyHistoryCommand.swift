import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Web

/// `runnerhub policy history`
struct PolicyHistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "What happened to the policies of a running serve, the newest first.",
    discussion: "Example: runnerhub policy history --limit 20")
  @OptionGroup var host: JobCommand.Host
  @Option(help: "At most so many, 1 to 1000.") var limit = 50
  @Flag(help: "As JSON.") var json = false

  func validate() throws {
    guard (1...1000).contains(limit) else { throw ValidationError("--limit is \(limit): expected a whole number from 1 to 1000") }
  }

  func run() async throws {
    let client = try host.client()
    let events = try await client.policyHistory(limit: limit)
    if json { return print(String(decoding: try WireJSON.encoder.encode(events), as: UTF8.self)) }
    print(PolicyHistory(events: events, active: try await client.policies().active).text(width: Terminal.size?.columns))
  }
}

/// Events of policies as a table, and what acts.
struct PolicyHistory {
  var events: [PolicyEvent]
  var active: PolicyStatus

  func text(width: Int?) -> String {
    var lines = ["bundle \(active.bundle) acts" + (active.refusal.map { "; \(PrintableText.line($0))" } ?? "")]
    if events.isEmpty { return (lines + ["nothing has happened to policies yet"]).joined(separator: "\n") }
    let rows = events.map { event in
      [
        event.at.formatted(.iso8601), event.kind.rawValue,
        event.slot.rawValue + (event.percent.map { " \($0.formatted(.number.locale(Locale(identifier: "en_US_POSIX")))) %" } ?? ""),
        event.bundle ?? "–", event.actor, event.detail.map(PrintableText.line) ?? "–",
      ]
    }
    lines += ["", TextTable(columns: ["WHEN", "WHAT", "SLOT", "BUNDLE", "BY", "WHY"], rows: rows).text(width: width)]
    return lines.joined(separator: "\n")
  }
}
