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
    try #require(core.count > 20)
    var failures: [String: String] = [:]
    for item in core {
      let file = item["file"]?.text ?? ""
      let documents = try Corpora.text(root.appendingPathComponent(file)).split(separator: /\r?\n---\r?\n/, maxSplits: 2)
      let reading = WorkflowFile.parse(String(documents[1]), path: ".github/workflows/\(file)")
      let isRefused = reading.file == nil
      if isRefused != (item["expects"] == "errors") {
        failures[file] = isRefused ? "refused: \(reading.errors.map(\.description))" : "accepted"
      }
    }
    print("workflow-reader, core tier: \(core.count - failures.count) of \(core.count) verdicts are right")
    for (file, complaint) in failures where KnownFailures.readerVerdicts[file] == nil { Issue.record("\(file)\n  \(complaint)") }
    for file in KnownFailures.readerVerdicts.keys where failures[file] == nil { Issue.record("right now, take it off the list: \(file)") }
  }
}
