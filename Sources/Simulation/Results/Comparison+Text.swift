import Foundation

extension Comparison {
  /// The comparison as lines for a terminal: a column a side.
  package var text: String {
    var lines = [head, ""]
    lines += Words.columns(rows)
    lines.append("")
    lines += notes
    return lines.joined(separator: "\n")
  }

  var head: String {
    "\(trace) · seed \(seed) · \(Words.span(span)) · \(Words.count(jobs)) jobs of \(Words.count(repositories)) repositories"
  }

  /// Names and figures, the heads of the columns first.
  var rows: [[String]] {
    var rows: [[String]] = [[""] + sides.map(\.name)]
    func row(_ name: String, _ cell: (Outcome) -> String) { rows.append([name] + sides.map(cell)) }
    func policies(_ cell: @escaping (Outcome) -> String) -> (Outcome) -> String { { $0.bundle == nil ? "–" : cell($0) } }

    row("wait p50 / p95 / p99") { Words.waits($0.wait("all")) }
    for level in levels { row("  \(level)") { Words.waits($0.wait(level)) } }
    row("CRITICAL wait p99") { $0.wait("CRITICAL").map { Words.seconds($0.p99) } ?? "–" }
    row("assigned p50 / p99", policies { $0.assignment.map { "\(Words.seconds($0.p50)) / \(Words.seconds($0.p99))" } ?? "–" })
    row("utilisation") { Words.percent($0.utilisation) }
    row("  until the traffic ends") { Words.percent($0.trafficUtilisation) }
    row("container-hours") { Words.number($0.containerHours) }
    row("cost") { "$\(Words.number($0.dollars))" }
    row("peak containers") { Words.count($0.peakContainers) }
    row("peak jobs running / waiting") { "\(Words.count($0.peakRunning)) / \(Words.count($0.peakWaiting))" }
    row("jobs begun in the busiest minute") { Words.count($0.peakStartsPerMinute) }
    row("containers made", policies { Words.count($0.containersMade) })
    row("jobs in a used container", policies { Words.percent($0.reuse) })
    row("scale events (up / down)", policies { "\(Words.count($0.scaling.growths)) / \(Words.count($0.scaling.shrinks))" })
    row("failures: starts / jobs lost", policies { "\($0.failures.containers + $0.failures.runners) / \($0.failures.jobs)" })
    row("given up / cancelled after a day", policies { "\($0.endings.givenUp) / \($0.endings.abandoned)" })
    row("forwarded / refused", policies { "\(Words.count($0.endings.forwarded)) / \($0.endings.refused)" })
    row("unfinished at the end of the window") { Words.count($0.endings.late) }
    row("JIT configurations (peak a minute)", policies { "\(Words.count($0.registrations.count)) (\($0.registrations.peakPerMinute))" })
    row(
      "  held back by GitHub's limits",
      policies {
        $0.registrations.delayed == 0
          ? "0" : "\(Words.count($0.registrations.delayed)), up to \(Words.seconds($0.registrations.longestDelay))"
      })
    row("better used than the baseline", policies { side in improvement(of: side).map { Words.signed($0) } ?? "–" })
    return rows
  }

  /// Levels of which there are jobs, in the order of urgency.
  private var levels: [String] {
    sides.first?.waits.filter { $0.kind == .level }.map(\.name) ?? []
  }

  /// How the figures were made.
  var notes: [String] {
    var lines = [
      "Utilisation: busy ÷ existing container-seconds of the window, \(Words.span(window)): from the first job to the end of the policies' last one, for every side.",
      "Better used: utilisation until the traffic ends ÷ that of one always-on runner for each repository, less 1; that runner starts in no time and never fails.",
      "Waits count from a job's creation at GitHub to a runner that works on it. Levels are the built-in rule's for every side.",
    ]
    lines.append(
      "pools: "
        + pools.map {
          "\($0.name) \($0.minimum)…\($0.maximum), warm \($0.warm), \($0.maximumUses == 1 ? "no reuse" : "\($0.maximumUses) uses")"
        }
        .joined(separator: "; "))
    lines += conditions.map { "\($0.name): \($0.value)" }
    for side in sides {
      let count = side.fallbacks.values.reduce(0, +)
      if let worst = side.fallbacks.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) {
        lines.append("\(side.name): the built-in rule answered \(Words.count(count)) times, mostly for \(worst.key)")
      }
    }
    return lines
  }
}

/// Numbers for people.
enum Words {
  static func seconds(_ value: Double) -> String {
    if value < 60 { return "\((value * 10).rounded() / 10) s" }
    if value < 5400 { return "\((value / 6).rounded() / 10) min" }
    return "\((value / 360).rounded() / 10) h"
  }

  static func waits(_ quantiles: Quantiles?) -> String {
    guard let quantiles else { return "–" }
    // One unit where one will do.
    guard quantiles.p99 < 60 else { return [quantiles.p50, quantiles.p95, quantiles.p99].map(seconds).joined(separator: " / ") }
    return [quantiles.p50, quantiles.p95, quantiles.p99].map { "\(($0 * 10).rounded() / 10)" }.joined(separator: "/") + " s"
  }

  static func span(_ value: Double) -> String {
    let minutes = Int((value / 60).rounded())
    if minutes == 0 { return "\(Int(value)) s" }
    if minutes < 60 { return "\(minutes) min" }
    return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
  }

  static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
  static func signed(_ share: Double) -> String { (share < 0 ? "−" : "+") + percent(abs(share)) }

  static func number(_ value: Double) -> String {
    value < 100 ? "\((value * 10).rounded() / 10)" : count(Int(value.rounded()))
  }

  static func count(_ value: Int) -> String {
    var digits = String(value)
    var index = digits.count - 3
    while index > 0 {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
      index -= 3
    }
    return digits
  }

  /// The first column to the left, the others too, two blanks apart.
  static func columns(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
      }
      return cells.joined(separator: "   ")
    }
  }
}
