import Domain
import Web

/// The live table: redrawn in place on a terminal, printed as lines where there is none.
struct LiveScreen {
  private let isInteractive: Bool
  private let size: (columns: Int, rows: Int)?
  private let write: (String) -> Void
  private var drawnLines = 0
  private var printed: [String: String] = [:]

  init(
    isInteractive: Bool = Terminal.isInteractive, size: (columns: Int, rows: Int)? = Terminal.size,
    write: @escaping (String) -> Void = Terminal.write
  ) {
    self.isInteractive = isInteractive
    self.size = size
    self.write = write
  }

  /// Shows the table, with a log line or more above it.
  mutating func show(_ rows: [JobRow], log: [String] = []) {
    isInteractive ? redraw(rows, log) : append(rows, log)
  }

  private mutating func redraw(_ rows: [JobRow], _ log: [String]) {
    var text = drawnLines > 0 ? "\u{1B}[\(drawnLines)A\u{1B}[J" : ""
    for line in log { text += TextTable.cut(line, to: size?.columns) + "\n" }
    var lines = JobTable(rows: rows).lines(width: size?.columns)
    // A table that is taller than the screen cannot be redrawn in place: the newest rows stay.
    if let height = size?.rows, lines.count > height - 2 { lines = [lines[0]] + lines.suffix(max(1, height - 3)) }
    text += lines.joined(separator: "\n") + "\n"
    drawnLines = lines.count
    write(text)
  }

  private mutating func append(_ rows: [JobRow], _ log: [String]) {
    for line in log { write(line + "\n") }
    for row in rows {
      let state = "\(JobTable.state(row)) \(row.container ?? "")"
      if printed[row.id.rawValue] == state { continue }
      printed[row.id.rawValue] = state
      let cells = JobTable.cells(row)
      let padded = zip(cells, [26, 13, 9, 12, 12, 8, 8, 0]).map { cell, width in
        cell + String(repeating: " ", count: max(0, width - TextTable.width(of: cell)))
      }
      write("  " + padded.joined(separator: " ") + "\n")
    }
  }
}
