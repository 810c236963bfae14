import Domain

/// Rows of text in columns, two blanks apart. Widths count characters as a terminal shows them.
struct TextTable {
  var columns: [String]
  var rows: [[String]]

  /// - Parameter width: columns of the terminal; the last column is cut to fit. nil: nothing is cut.
  func text(width: Int?) -> String { lines(width: width).joined(separator: "\n") }

  func lines(width: Int?) -> [String] {
    let all = [columns] + rows
    let widths = columns.indices.map { column in all.map { Self.width(of: $0[column]) }.max() ?? 0 }
    return all.map { row in
      let line = row.enumerated().map { column, cell in
        column == columns.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - Self.width(of: cell))
      }.joined(separator: "  ")
      return Self.cut(line, to: width)
    }
  }

  /// Cuts a line to a number of columns, with an ellipsis.
  static func cut(_ line: String, to width: Int?) -> String {
    guard let width, width > 0, Self.width(of: line) > width else { return line }
    var kept = ""
    var columns = 0
    for character in line {
      let next = Self.width(of: String(character))
      if columns + next > width - 1 { break }
      columns += next
      kept.append(character)
    }
    return kept + "…"
  }

  /// Columns that a text takes: wide characters two, control characters none.
  static func width(of text: String) -> Int {
    text.unicodeScalars.reduce(0) { sum, scalar in
      switch scalar.value {
      case 0..<0x20, 0x7f..<0xa0, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x2069, 0x300...0x36f, 0x20d0...0x20ff, 0xfe00...0xfe0f: sum
      case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6,
        0x1f300...0x1faff, 0x20000...0x3fffd:
        sum + 2
      default: sum + 1
      }
    }
  }

  /// A text from outside, fit for one line of a terminal.
  static func printable(_ text: String) -> String { PrintableText.line(text) }
}
