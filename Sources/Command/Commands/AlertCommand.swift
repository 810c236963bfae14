import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Web

/// `runnerhub alert`
struct AlertCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alert", abstract: "What is wrong with a running serve, and who was told.", subcommands: [List.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Open alerts; with --all also those that are over.", discussion: "Example: runnerhub alert list --all --limit 20")
    @OptionGroup var host: JobCommand.Host
    @Flag(help: "Also alerts that are over.") var all = false
    @Option(help: "At most so many, 1 to 1000.") var limit = 50
    @Flag(help: "As JSON.") var json = false

    func validate() throws {
      guard (1...1000).contains(limit) else { throw ValidationError("--limit is \(limit): expected a whole number from 1 to 1000") }
    }

    func run() async throws {
      let alerts: [AlertDocument] = try await host.client().get("/api/v1/alerts?limit=\(limit)\(all ? "&all=true" : "")")
      if json { return print(String(decoding: try WireJSON.encoder.encode(alerts), as: UTF8.self)) }
      print(AlertTable(alerts: alerts, isAll: all).text(width: Terminal.size?.columns))
    }
  }
}

/// Alerts as a table.
struct AlertTable {
  var alerts: [AlertDocument]
  var isAll: Bool

  func text(width: Int?) -> String {
    if alerts.isEmpty { return isAll ? "there was no alert yet" : "no alert is open" }
    let rows = alerts.map { document in
      let alert = document.alert
      return [
        alert.raisedAt.formatted(.iso8601), alert.resolvedAt?.formatted(.iso8601) ?? "open", alert.severity.rawValue,
        PrintableText.line(alert.title), Self.told(document.notifications), PrintableText.line(alert.text),
      ]
    }
    return TextTable(columns: ["RAISED", "RESOLVED", "SEVERITY", "ALERT", "TOLD", "WHY"], rows: rows).text(width: width)
  }

  /// `slack, email given-up (no route to host)`
  private static func told(_ notifications: [AlertNotification]) -> String {
    if notifications.isEmpty { return "nobody" }
    return notifications.map { notification in
      let name = notification.notifier + (notification.moment == .resolved ? " (end)" : "")
      switch notification.status {
      case .delivered: return name
      case .pending: return "\(name) pending" + (notification.tries > 0 ? ", \(notification.tries) tries" : "")
      case .givenUp: return "\(name) given up: \(PrintableText.line(notification.failure ?? "no cause is known"))"
      }
    }.joined(separator: "; ")
  }
}
