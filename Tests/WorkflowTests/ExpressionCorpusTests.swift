import Foundation
import Testing

@testable import Workflow

@Suite("GitHub's own expression cases")
struct ExpressionCorpusTests {
  private struct Case {
    let file: String
    let expression: String
    let contexts: [String: ExpressionValue]
    let result: ExpressionObject?
    let error: ExpressionObject?

    var id: String { "\(file): \(expression)" }
  }

  @Test("every case passes, apart from the known failures")
  func conformance() throws {
    let cases = try allCases()
    try #require(!cases.isEmpty)
    var failures: [String: String] = [:]
    var rightPhase = 0
    for item in cases {
      let verdict = judge(item)
      rightPhase += verdict.phaseIsRight ? 1 : 0
      if let complaint = verdict.complaint { failures[item.id] = complaint }
    }
    print("expressions: \(cases.count - failures.count) of \(cases.count) cases pass, the phase is right in \(rightPhase)")
    for (id, complaint) in failures where KnownFailures.expressions[id] == nil { Issue.record("\(id)\n  \(complaint)") }
    for id in KnownFailures.expressions.keys where failures[id] == nil { Issue.record("passes now, take it off the list: \(id)") }
  }

  private func judge(_ item: Case) -> (phaseIsRight: Bool, complaint: String?) {
    do {
      let value = try Expression(item.expression, contextNames: item.contexts.keys).evaluate(contexts: item.contexts)
      guard let result = item.result else { return (false, "gave \(value), an error was expected") }
      return (true, complaint(value, expected: result))
    } catch {
      guard let expected = item.error else { return (false, "failed: \(error)") }
      let phaseIsRight = .string(error.phase.rawValue) == expected["kind"]
      let text = expected["value"]?.text ?? ""
      if phaseIsRight, error.description.contains(text) { return (true, nil) }
      return (phaseIsRight, "failed in \(error.phase) with '\(error)', expected \(expected["kind"]?.text ?? "") '\(text)'")
    }
  }

  private func complaint(_ value: ExpressionValue, expected: ExpressionObject) -> String? {
    let kind =
      switch value {
      case .null: "Null"
      case .boolean: "Boolean"
      case .number: "Number"
      case .string: "String"
      case .array: "Array"
      case .object: "Object"
      }
    if .string(kind) != expected["kind"] { return "is a \(kind), expected \(expected["kind"]?.text ?? "")" }
    // JSON has no NaN and no infinity: the cases write them as texts.
    let isEqual = value == expected["value"] || (kind == "Number" && value.text == expected["value"]?.text)
    return isEqual ? nil : "gave \(value), expected \(expected["value"] ?? .null)"
  }

  private func allCases() throws -> [Case] {
    try Corpora.files(in: "expressions", withExtension: "json").flatMap { url in
      guard case .object(let groups) = try ExpressionJSON.parse(try Corpora.text(url)) else { throw CocoaError(.fileReadCorruptFile) }
      return groups.entries.flatMap { group -> [Case] in
        guard case .array(let cases) = group.value else { return [] }
        return cases.items.compactMap { item in
          guard case .object(let fields) = item, case .string(let expression)? = fields["expr"] else { return nil }
          return Case(
            file: url.lastPathComponent, expression: expression, contexts: fields["contexts"]?.members ?? [:],
            result: fields["result"]?.object,
            error: fields["err"]?.object)
        }
      }
    }
  }
}

extension ExpressionValue {
  var object: ExpressionObject? {
    if case .object(let object) = self { return object }
    return nil
  }

  var items: [ExpressionValue]? {
    if case .array(let array) = self { return array.items }
    return nil
  }

  var members: [String: ExpressionValue] {
    Dictionary(object?.entries.map { ($0.key, $0.value) } ?? [], uniquingKeysWith: { first, _ in first })
  }
}
