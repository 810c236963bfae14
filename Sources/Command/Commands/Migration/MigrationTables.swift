import Domain
import Foundation
import RunnerHub

/// The migration's answers as text. Names and reasons come from outside, and are made fit for a terminal.
enum MigrationTables {
  // MARK: Report

  static func text(_ report: MigrationReport, width: Int?) -> String {
    let heads = ["\(report.by)".uppercased(), "SIDE", "JOBS", "OPEN", "FAILED", "WAIT P50/P95", "RAN P50/P95", "WHY"]
    let rows = (report.rows + [report.total]).flatMap { row in
      [("orchestrator", row.orchestrator), ("traditional", row.traditional)].filter { $0.1.jobs > 0 }.map { side, summary in
        [
          TextTable.printable(row.key), side, "\(summary.jobs)", "\(summary.open)", rate(summary), span(summary.waitP50, summary.waitP95),
          span(summary.runP50, summary.runP95), side == "traditional" ? causes(row) : "",
        ]
      }
    }
    let moved = report.total.orchestrator.jobs
    let share =
      report.total.jobs == 0 ? "no job came" : "\(moved) of \(report.total.jobs) jobs ran here (\(moved * 100 / report.total.jobs) %)"
    let table = rows.isEmpty ? [] : [TextTable(columns: heads, rows: rows).text(width: width)]
    return (["since \(report.since.formatted(.iso8601)): \(share)"] + table + report.warnings.map { "WARNING: \(TextTable.printable($0))" })
      .joined(separator: "\n")
  }

  static func csv(_ report: MigrationReport) -> String {
    let heads = [
      "key", "side", "jobs", "open", "succeeded", "failed", "cancelled", "refused", "failure_rate", "wait_p50_seconds", "wait_p95_seconds",
      "run_p50_seconds", "run_p95_seconds", "causes",
    ]
    func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
    let rows = report.rows.isEmpty ? [report.total] : report.rows
    let lines = rows.flatMap { row in
      [("orchestrator", row.orchestrator), ("traditional", row.traditional)].map { side, summary in
        [
          row.key, side, "\(summary.jobs)", "\(summary.open)", "\(summary.succeeded)", "\(summary.failed)", "\(summary.cancelled)",
          "\(summary.refused)", number(summary.failureRate), number(summary.waitP50), number(summary.waitP95), number(summary.runP50),
          number(summary.runP95), side == "traditional" ? causes(row) : "",
        ]
      }
    }
    return ([heads] + lines).map(CSV.line).joined(separator: "\n")
  }

  private static func causes(_ row: MigrationRow) -> String {
    row.causes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  private static func rate(_ summary: SideSummary) -> String {
    summary.failureRate.map { "\(summary.failed) (\(($0 * 1000).rounded() / 10) %)" } ?? "–"
  }

  private static func span(_ p50: Double?, _ p95: Double?) -> String {
    guard let p50, let p95 else { return "–" }
    return "\(seconds(p50))/\(seconds(p95))"
  }

  private static func seconds(_ value: Double) -> String {
    value < 120 ? "\((value * 10).rounded() / 10) s" : "\(Int(value / 60)) min"
  }

  // MARK: Status and completion

  static func text(_ status: MigrationStatus, width: Int?) -> String {
    let runners = status.runners.map { runner in
      [
        TextTable.printable(runner.name), runner.lastAt.formatted(.iso8601), "\(runner.lastJob)", "\(runner.jobs)",
        TextTable.printable(runner.repositories.joined(separator: " ")), runner.labelSets.map(\.description).joined(separator: " "),
        runner.mayGo ? "may be decommissioned" : TextTable.printable("needed: " + runner.reasons.joined(separator: "; ")),
      ]
    }
    var parts = ["since \(status.since.formatted(.iso8601))"]
    parts.append(
      runners.isEmpty
        ? "no traditional runner was seen"
        : TextTable(columns: ["RUNNER", "LAST JOB AT", "JOB", "JOBS", "REPOSITORIES", "LABELS", ""], rows: runners).text(width: width))
    parts.append(blockers(status.blockers, width: width))
    if status.hosted > 0 { parts.append("\(status.hosted) workflows ran on GitHub's own machines: nothing to decommission there") }
    return parts.joined(separator: "\n")
  }

  static func text(_ completion: MigrationCompletion, width: Int?) -> String {
    let place = TextTable.printable(completion.scope ?? "everything")
    guard completion.isComplete else { return "not complete: \(place)\n" + blockers(completion.blockers, width: width) }
    let runners = completion.decommission.map { "  \(TextTable.printable($0))" }
    let list = runners.isEmpty ? ["no traditional runner is without work that others may need"] : ["may be decommissioned:"] + runners
    return (["complete: no job of \(place) needs a traditional runner"] + list).joined(separator: "\n")
  }

  private static func blockers(_ blockers: [MigrationBlocker], width: Int?) -> String {
    if blockers.isEmpty { return "nothing needs traditional runners" }
    let rows = blockers.map { blocker in
      [
        blocker.kind.rawValue, TextTable.printable(blocker.repository), TextTable.printable(blocker.workflow), blocker.labels.description,
        "\(blocker.jobs)", TextTable.printable(blocker.reason),
      ]
    }
    return TextTable(columns: ["STILL NEEDED", "REPOSITORY", "WORKFLOW", "LABELS", "JOBS", "WHY"], rows: rows).text(width: width)
  }
}

/// Comma-separated values (RFC 4180). A field that a spreadsheet would take for a formula gets an apostrophe.
enum CSV {
  static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") }

  private static func field(_ text: String) -> String {
    let isFormula = text.first.map { "=+-@\t\r".contains($0) } ?? false && Double(text) == nil
    let text = isFormula ? "'" + text : text
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
