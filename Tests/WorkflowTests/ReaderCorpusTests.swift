import Foundation
import Testing

@testable import Workflow

@Suite("GitHub's own reader cases")
struct ReaderCorpusTests {
  @Test("a file of the core tier is accepted or refused as GitHub does, apart from the known failures")
  func verdicts() throws {
    let root = Corpora.folder("workflow-reader")
    let cases = try ExpressionJSON.parse(try Corpora.text(root.appendingPathComponent("cases.json"))).items ?? []
    let core = cases.compactMap(\.object).filter { $0["tier"] == "core" }
    try #require(!core.isEmpty)
    var failures: [String: String] = [:]
    var refusals = 0
    var exact = 0
    for item in core {
      let file = item["file"]?.text ?? ""
      let documents = try Corpora.text(root.appendingPathComponent(file)).split(separator: /\r?\n---\r?\n/, maxSplits: 2)
      let reading = WorkflowFile.parse(String(documents[1]), path: ".github/workflows/\(file)")
      let isRefused = reading.file == nil
      if isRefused != (item["expects"] == "errors") {
        failures[file] = isRefused ? "refused: \(reading.errors.map(\.description))" : "accepted"
      } else if isRefused {
        refusals += 1
        exact += try messages(documents[2]) == reading.errors.map(githubMessage) ? 1 : 0
      }
    }
    print(
      "workflow-reader, core tier: \(core.count - failures.count) of \(core.count) verdicts are right, \(exact) of \(refusals) refusals word for word"
    )
    for (file, complaint) in failures where KnownFailures.readerVerdicts[file] == nil { Issue.record("\(file)\n  \(complaint)") }
    for file in KnownFailures.readerVerdicts.keys where failures[file] == nil { Issue.record("right now, take it off the list: \(file)") }
  }

  /// The last document, which is the expected result.
  private func messages(_ documents: Substring) throws -> [String] {
    let result = documents.split(separator: /\r?\n---\r?\n/).last ?? ""
    let start = result.firstIndex(of: "{") ?? result.startIndex
    return try ExpressionJSON.parse(String(result[start...])).object?["errors"]?.items?.compactMap { $0.object?["Message"]?.text } ?? []
  }

  private func githubMessage(_ diagnostic: Diagnostic) -> String {
    "\(diagnostic.path) (Line: \(diagnostic.line ?? 0), Col: \(diagnostic.column ?? 0)): \(diagnostic.message)"
  }
}
