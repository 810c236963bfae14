import Yams

/// Where a key stands for the second time in one mapping: Yams refuses such a text as a whole, and names the first place only.
enum RepeatedKey {
  /// Yams says where a key stands first; GitHub's place is the second, which in block style is below it in the same column.
  static func secondPlace(of key: String, after mark: Mark, in text: String) -> (line: Int, column: Int) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated().dropFirst(mark.line) {
      let rest = line.unicodeScalars.dropFirst(mark.column - 1)
      let indent = line.unicodeScalars.prefix(mark.column - 1)
      let unquoted = rest.first.map { $0 == "'" || $0 == "\"" } == true ? rest.dropFirst() : rest
      guard indent.allSatisfy({ $0 == " " || $0 == "-" }), unquoted.starts(with: key.unicodeScalars) else { continue }
      // `runs-on` is no second `run`.
      let behind = unquoted.dropFirst(key.unicodeScalars.count).first { $0 != "'" && $0 != "\"" && $0 != " " }
      if behind == ":" { return (index + 1, mark.column) }
    }
    return (mark.line, mark.column)
  }

  /// The text with the plain key at this place marked, line feeds as they were; nil where nothing plain stands there.
  static func marked(line: Int, column: Int, in text: String, with mark: Unicode.Scalar) -> String? {
    var scalars = Array(text.unicodeScalars)
    var index = 0
    for _ in 0..<max(0, line - 1) {
      guard let end = scalars[index...].firstIndex(of: "\n") else { return nil }
      index = end + 1
    }
    index += column - 1
    guard index < scalars.count, scalars[index].properties.isAlphabetic || scalars[index] == "_", isKey(in: scalars, at: index) else {
      return nil
    }
    scalars[index] = mark
    return String(String.UnicodeScalarView(scalars))
  }

  private static func isKey(in scalars: [Unicode.Scalar], at index: Int) -> Bool {
    let rest = scalars[index...].prefix { $0 != "\n" }
    return rest.contains(":") && scalars[..<index].reversed().prefix { $0 != "\n" }.allSatisfy { $0 == " " || $0 == "-" }
  }
}
