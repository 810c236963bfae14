import Domain
import Web

/// Jobs as a table: what, where, how far, and why.
struct JobTable {
  var rows: [JobRow]
  var showsIDs = false

  static let columns = ["JOB", "ROUTE", "PRIORITY", "STATE", "CONTAINER", "WAIT", "RAN", "WHY"]

  /// - Parameter width: of the terminal; nil: lines are not cut.
  func text(width: Int?) -> String { lines(width: width).joined(separator: "\n") }

  func lines(width: Int?) -> [String] {
    let columns = (showsIDs ? ["ID"] : []) + Self.columns
    return TextTable(columns: columns, rows: rows.map { (showsIDs ? [$0.id.rawValue] : []) + Self.cells($0) }).lines(width: width)
  }

  static func cells(_ row: JobRow) -> [String] {
    [
      TextTable.cut(TextTable.printable(row.name), to: 40), row.isRefused ? "–" : row.route?.rawValue ?? "–", row.priority ?? "–",
      state(row),
      row.container ?? "–", duration(row.waitSeconds), duration(row.runSeconds), TextTable.printable(row.why),
    ]
  }

  /// The state in one word, with a sign for its end.
  static func state(_ row: JobRow) -> String {
    if row.isRefused { return "refused" }
    if row.route == .traditional, row.state == .forwarded || row.state == .completed { return "forwarded" }
    guard row.state == .completed else { return row.state.rawValue }
    return "completed \(row.conclusion == .success ? "✓" : "✗")"
  }

  /// `4 ms`, `1.2 s`, `3 min 20 s`.
  static func duration(_ seconds: Double?) -> String {
    // Beyond three thousand years it is no duration, and no whole number here.
    guard let seconds, (0..<1e11).contains(seconds) else { return "–" }
    if seconds < 1 { return "\(Int(seconds * 1000)) ms" }
    if seconds < 60 { return "\(Double(Int(seconds * 10)) / 10) s" }
    return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
  }
}
