/// Shows a finding the way compilers do: a line of what and where, the line of the source, and a caret under the place.
public struct SourceExcerpt {
  private static let maximumWidth = 160

  private let lines: [Substring]

  /// - Parameter source: the text that was read.
  public init(_ source: String) { lines = source.split(separator: "\n", omittingEmptySubsequences: false) }

  /// One to three lines without a line feed at the end; control characters of the source are left out.
  public func text(of diagnostic: Diagnostic) -> String {
    let hint = diagnostic.hint.map { " – \($0)" } ?? ""
    let title = "\(diagnostic)\(hint) [\(diagnostic.rule.rawValue)]"
    guard let line = diagnostic.line, lines.indices.contains(line - 1) else { return Self.printable(title) }
    let source = Self.printable(String(lines[line - 1].prefix(Self.maximumWidth)))
    let number = String(line)
    let margin = String(repeating: " ", count: max(0, 4 - number.count) + number.count)
    var shown = [Self.printable(title), "\(margin.dropLast(number.count))\(number) | \(source)"]
    if let column = diagnostic.column, column >= 1, column <= source.unicodeScalars.count + 1 {
      let marks = String(repeating: "^", count: Self.length(in: source, from: column))
      shown.append("\(margin) | \(String(repeating: " ", count: column - 1))\(marks)")
    }
    return shown.joined(separator: "\n")
  }

  /// How much of the line belongs to the place: a quoted text, or up to what ends a plain one.
  private static func length(in source: String, from column: Int) -> Int {
    let rest = Array(source.unicodeScalars.dropFirst(column - 1))
    guard let first = rest.first else { return 1 }
    if first == "'" || first == "\"" { return (rest.dropFirst().firstIndex(of: first) ?? rest.count - 1) + 1 }
    var length = 0
    var braces = 0
    for (index, scalar) in rest.enumerated() {
      let next = index + 1 < rest.count ? rest[index + 1] : nil
      if scalar == "{" { braces += 1 }
      if scalar == "}" { braces -= 1 }
      let endsFlow = braces < 0 || (braces == 0 && (scalar == "," || scalar == "]"))
      let endsKey = scalar == ":" && (next == nil || next == " ")
      let startsComment = scalar == " " && next == "#"
      if endsFlow || (endsKey && braces == 0) || startsComment { break }
      length = index + 1
    }
    while length > 1, rest[length - 1] == " " { length -= 1 }
    return max(1, length)
  }

  private static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
  }
}
