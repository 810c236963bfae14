/// Reads the files with which a step speaks to its runner: `GITHUB_OUTPUT`, `GITHUB_ENV`, `GITHUB_PATH`. Pure.
/// Source: docs.github.com, "Workflow commands", environment files.
enum CommandFiles {
  struct Malformed: Error, CustomStringConvertible, Equatable {
    let description: String
  }

  /// `NAME=value` lines and `NAME<<DELIMITER … DELIMITER` blocks, in order.
  static func assignments(_ text: String) throws(Malformed) -> [(name: String, value: String)] {
    var result: [(name: String, value: String)] = []
    // "\r\n" is one Character in Swift.
    var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }[...]
    while let line = lines.popFirst() {
      if line.isEmpty { continue }
      let equals = line.firstIndex(of: "=")
      let heredoc = line.firstRange(of: "<<")
      if let heredoc, equals.map({ heredoc.lowerBound < $0 }) ?? true {
        let name = line[..<heredoc.lowerBound]
        let delimiter = line[heredoc.upperBound...]
        guard !name.isEmpty, !delimiter.isEmpty else {
          throw Malformed(description: "Invalid format '\(line)'. Name and delimiter must not be empty")
        }
        guard let end = lines.firstIndex(of: delimiter) else {
          throw Malformed(description: "Invalid value. Matching delimiter not found '\(delimiter)'")
        }
        result.append((String(name), lines[..<end].joined(separator: "\n")))
        lines = lines[(end + 1)...]
      } else if let equals, equals > line.startIndex {
        result.append((String(line[..<equals]), String(line[line.index(after: equals)...])))
      } else {
        throw Malformed(description: "Invalid format '\(line)'")
      }
    }
    return result
  }

  /// The directories of `GITHUB_PATH`, one a line.
  static func paths(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).map(String.init)
  }
}
