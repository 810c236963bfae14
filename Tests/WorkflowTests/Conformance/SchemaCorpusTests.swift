import Foundation
import Testing

@testable import Workflow

@Suite("The community's schema cases")
struct SchemaCorpusTests {
  @Test("what must satisfy the schema is accepted, what must not is refused, GitHub's own word preferred")
  func verdicts() throws {
    let root = Corpora.folder("schema")
    let cases = try ExpressionJSON.parse(try Corpora.text(root.appendingPathComponent("cases.json"))).items ?? []
    try #require(!cases.isEmpty)
    var passed = 0
    for item in cases.compactMap(\.object) {
      let file = item["file"]?.text ?? ""
      let text = try Corpora.text(root.appendingPathComponent(file))
      let isAction = file.hasPrefix("action")
      let findings = isAction ? ActionFile.parse(text, path: file).diagnostics : WorkflowFile.parse(text, path: file).diagnostics
      let errors = findings.filter { $0.severity == .error }
      let isValid = item["valid"] == true
      let github = item["github"]?.items.map(\.isEmpty)
      // Where GitHub says the contrary, its own word is the right one.
      let expected = github ?? isValid
      passed += errors.isEmpty == expected ? 1 : 0
      if KnownFailures.schema[file] != nil {
        #expect(errors.isEmpty != expected, "passes now, take it off the list: \(file)")
      } else {
        #expect(errors.isEmpty == expected, "\(file): \(errors.map(\.description))")
      }
    }
    print("schema: \(passed) of \(cases.count) pass")
  }
}
