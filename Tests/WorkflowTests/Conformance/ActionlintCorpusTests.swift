import Foundation
import Testing

@testable import Workflow

@Suite("actionlint's workflows with errors in them")
struct ActionlintCorpusTests {
  @Test("what runs is accepted, what GitHub does not run is refused on the right line, the rest gets no error")
  func verdicts() throws {
    let root = Corpora.folder("actionlint")
    let cases = try ExpressionJSON.parse(try Corpora.text(root.appendingPathComponent("cases.json"))).items ?? []
    try #require(!cases.isEmpty)
    var tally = Tally()
    for item in cases.compactMap(\.object) {
      let file = item["file"]?.text ?? ""
      let findings = WorkflowFile.check(try Corpora.text(root.appendingPathComponent(file)), path: "test.yaml")
      let complaint = complaint(about: findings, item, &tally)
      let reason = KnownFailures.actionlint[file]
      if let complaint, reason == nil { Issue.record("\(file)\n  \(complaint)") }
      if complaint == nil, reason != nil { Issue.record("passes now, take it off the list: \(file)") }
      tally.passed += complaint == nil ? 1 : 0
    }
    print("actionlint: \(tally.passed) of \(cases.count) pass; \(tally)")
  }

  private func complaint(about findings: [Diagnostic], _ item: ExpressionObject, _ tally: inout Tally) -> String? {
    let expected = (item["errors"]?.items ?? []).compactMap(\.object)
    // What the corpus itself leaves to a linter is not judged, in either direction.
    let unjudged = Set(lines(expected, class: "skip")).subtracting(lines(expected, class: "refuse"))
    let errors = findings.filter { $0.severity == .error && !unjudged.contains($0.line ?? 0) }
    let refusals = lines(expected, class: "refuse")
    let found = errors.compactMap(\.line)
    tally.refusals += refusals.count
    tally.refusalsFound += refusals.count { line in found.contains { abs($0 - line) <= 1 } }
    let advice = lines(expected, class: "advise")
    tally.advice += advice.count
    tally.adviceFound += advice.count { line in findings.contains { ($0.line ?? 0) == line } }
    // On some files GitHub's own parser and the corpus disagree; there either answer passes.
    let github = item["github"]?.items
    guard item["verdict"] == "refuse" else {
      if errors.isEmpty || github?.isEmpty == false { return nil }
      return "was refused: \(errors.map(\.description))"
    }
    if errors.isEmpty { return github?.isEmpty == true ? nil : "was accepted, expected an error on \(refusals)" }
    let isUnreadable = errors.allSatisfy { $0.rule == .yaml } || refusals.isEmpty
    let isOnLine = found.contains { line in refusals.contains { abs($0 - line) <= 1 } }
    return isOnLine || isUnreadable ? nil : "refused on \(found), expected \(refusals): \(errors.map(\.description))"
  }

  private func lines(_ errors: [ExpressionObject], class name: String) -> [Int] {
    errors.filter { $0["class"] == .string(name) }.compactMap { error in
      if case .number(let line)? = error["line"] { return Int(line) }
      return nil
    }
  }

  private struct Tally: CustomStringConvertible {
    var passed = 0
    var refusals = 0
    var refusalsFound = 0
    var advice = 0
    var adviceFound = 0

    var description: String { "\(refusalsFound) of \(refusals) errors covered, \(adviceFound) of \(advice) pieces of advice given" }
  }
}
