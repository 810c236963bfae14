/// Something that was found in a file of policies without running it, or by its tests.
package struct PolicyDiagnostic: Hashable, Sendable {
  package enum Severity: String, Sendable {
    /// The bundle cannot act, or a decision that comes here breaks.
    case error
    /// It acts, and probably not as it was meant.
    case warning
  }

  /// Path below the policies folder.
  package var file: String
  package var place: SourcePlace?
  package var severity: Severity
  package var message: String

  package init(file: String, place: SourcePlace? = nil, severity: Severity = .error, message: String) {
    self.file = file
    self.place = place
    self.severity = severity
    self.message = message
  }

  /// The message with its place, and the line with the part that it is about underlined.
  /// - Parameters:
  ///   - folder: stands before the file's path.
  ///   - source: the text of the file, where it is known.
  package func lines(folder: String, source: [UInt8]?) -> [String] {
    let path = folder.isEmpty ? file : folder.hasSuffix("/") ? folder + file : folder + "/" + file
    guard let place else { return ["\(path): \(severity.rawValue): \(message)"] }
    let position = place.column.map { "\(place.line):\($0)" } ?? "\(place.line)"
    var lines = ["\(path):\(position): \(severity.rawValue): \(message)"]
    guard let text = source.flatMap({ SourceLines($0).text(of: place.line) }) else { return lines }
    let number = String(repeating: " ", count: max(0, 5 - "\(place.line)".count)) + "\(place.line)"
    lines.append("\(number) | \(text)")
    if let column = place.column {
      // Tabs stay tabs, so that the carets stand below what they mean.
      let indent = text.prefix(column - 1).map { $0 == "\t" ? "\t" : " " }.joined()
      let length = max(1, min(place.length, text.count - column + 1))
      lines.append("      | " + indent + String(repeating: "^", count: length))
    }
    return lines
  }
}

extension PolicyDiagnostic: Comparable {
  /// By file and place; errors before warnings of one place.
  package static func < (left: PolicyDiagnostic, right: PolicyDiagnostic) -> Bool {
    let (a, b) = (left.place, right.place)
    return (left.file, a?.line ?? 0, a?.column ?? 0, left.severity.rawValue, left.message)
      < (right.file, b?.line ?? 0, b?.column ?? 0, right.severity.rawValue, right.message)
  }
}

/// A part of a line. Lines and columns count from 1; columns are characters.
package struct SourcePlace: Hashable, Sendable {
  package var line: Int
  /// nil: only the line is known.
  package var column: Int?
  /// Characters, on the first line of the part.
  package var length: Int

  package init(line: Int, column: Int? = nil, length: Int = 1) {
    self.line = line
    self.column = column
    self.length = length
  }
}

/// The lines of a source.
struct SourceLines {
  private let source: [UInt8]
  /// Offset of the first byte of each line.
  private let starts: [Int]

  init(_ source: [UInt8]) {
    self.source = source
    starts = [0] + source.indices.filter { source[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
  }

  var count: Int { starts.count }

  /// A line without its end; nil where there is no such line.
  func text(of line: Int) -> String? {
    guard starts.indices.contains(line - 1) else { return nil }
    return String(decoding: source[bytes(of: line)], as: UTF8.self)
  }

  func line(of offset: Int) -> Int {
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    return low + 1
  }

  func place(of range: Range<Int>) -> SourcePlace {
    let start = min(range.lowerBound, source.count)
    let line = line(of: start)
    let whole = bytes(of: line)
    let end = max(min(range.upperBound, whole.upperBound), min(start, whole.upperBound))
    let before = String(decoding: source[whole.lowerBound..<max(whole.lowerBound, min(start, whole.upperBound))], as: UTF8.self)
    let part = String(decoding: source[min(start, end)..<end], as: UTF8.self)
    return SourcePlace(line: line, column: before.count + 1, length: max(1, part.count))
  }

  private func bytes(of line: Int) -> Range<Int> {
    let start = starts[line - 1]
    var end = line < starts.count ? starts[line] - 1 : source.count
    if end > start, source[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return start..<end
  }
}
