/// A request in a comment, for workflows that must not change otherwise:
///
/// ```yaml
/// jobs:
///   # runnerhub: cpus=4 memory=8g minutes=20
///   build:
/// ```
///
/// It stands directly above the job's key, no deeper than it, or behind it on the same line. Words: `cpus`, `memory`, `disk`, `gpus`, `minutes`.
public struct RequestComment: Sendable, Equatable {
  private static let mark = "runnerhub:"

  public let request: ResourceRequest
  /// Words that cannot be understood.
  public let complaints: [String]

  fileprivate init(_ words: [Substring]) {
    var request = ResourceRequest()
    var complaints: [String] = []
    for word in words {
      let halves = word.split(separator: "=", maxSplits: 1)
      let known = ResourceRequest.Dimension.allCases.map(\.rawValue)
      guard halves.count == 2, let dimension = ResourceRequest.Dimension(rawValue: halves[0].lowercased()) else {
        complaints.append("comment: '\(word)' is none of \(known.map { "\($0)=…" }.joined(separator: ", "))")
        continue
      }
      if let complaint = request.set(dimension, String(halves[1])) { complaints.append("comment: \(complaint)") }
    }
    self.request = request
    self.complaints = complaints
  }

  fileprivate static func words(in line: Substring) -> [Substring]? {
    guard let hash = line.firstIndex(of: "#"), let range = line[hash...].lowercased().firstRange(of: mark) else { return nil }
    let comment = line[hash...].lowercased()
    guard comment[..<range.lowerBound].dropFirst().allSatisfy(\.isWhitespace) else { return nil }
    return String(comment[range.upperBound...]).split { $0.isWhitespace || $0 == "," }
  }
}

/// The requests in the comments of a file, cut into lines once.
public struct RequestComments: Sendable {
  private let lines: [Substring]

  /// Whether a text has the word with which requests begin. Most have not, and need not be cut into lines.
  static func mayBe(in text: String) -> Bool {
    let word = Array("runnerhub:".utf8)
    return text.utf8.withContiguousStorageIfAvailable { bytes in
      bytes.indices.dropLast(word.count - 1).contains { index in
        // In any case, as the word itself is read.
        bytes[index] | 0x20 == word[0] && word.indices.allSatisfy { bytes[index + $0] | 0x20 == word[$0] | 0x20 }
      }
    } ?? true
  }

  public init(_ text: String) {
    // To Swift the two characters of a Windows line end are one of its own.
    lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
  }

  /// The next line that belongs to no job: what stands at its very beginning is a key beside `jobs`. nil where there is none.
  ///
  /// - Parameter line: of the last job.
  public func lineBelowJobs(after line: Int) -> Int? {
    guard line >= 0, line < lines.count else { return nil }
    return lines[line...].firstIndex { text in text.first.map { !" \t\r#}".contains($0) && !$0.isNewline } ?? false }.map { $0 + 1 }
  }

  /// The comment of one job; nil where there is none. Takes time linear in the comments above it.
  public func comment(of job: JobDefinition) -> RequestComment? {
    guard job.line >= 1, job.line <= lines.count else { return nil }
    let own = lines[job.line - 1]
    let depth = own.prefix { $0 == " " }.count
    // Behind a quoted text, a `#` may be a part of it.
    var words = own.contains { $0 == "\"" || $0 == "'" } ? nil : RequestComment.words(in: own)
    var above = job.line - 2
    while words == nil, above >= 0 {
      let line = lines[above]
      guard line.drop(while: { $0 == " " }).first == "#", line.prefix(while: { $0 == " " }).count <= depth else { break }
      words = RequestComment.words(in: line)
      above -= 1
    }
    return words.map(RequestComment.init)
  }
}
