import Foundation
import Testing

@testable import Workflow

@Suite("GitHub's own reader cases")
struct ReaderCorpusTests {
  @Test("every case gives GitHub's template, or is refused at GitHub's places, apart from the known failures")
  func conformance() throws {
    let cases = try ReaderCase.all()
    try #require(!cases.isEmpty)
    var tiers: [String: Tally] = [:]
    var failures: [String: String] = [:]
    for item in cases {
      let verdict = ReaderVerdict(item)
      let complaint = complaint(about: verdict, item)
      if let complaint { failures[item.file] = complaint }
      tiers[item.tier, default: Tally()].add(verdict, item, passes: complaint == nil)
    }
    for (tier, tally) in tiers.sorted(by: { $0.key < $1.key }) { print("workflow-reader, \(tier): \(tally)") }
    for (file, complaint) in failures where KnownFailures.reader[file] == nil { Issue.record("\(file)\n  \(complaint)") }
    for file in KnownFailures.reader.keys where failures[file] == nil && cases.contains(where: { $0.file == file }) {
      Issue.record("passes now, take it off the list: \(file)")
    }
  }

  private func complaint(about verdict: ReaderVerdict, _ item: ReaderCase) -> String? {
    if item.expectsErrors {
      let expected = item.messages.map(ReaderVerdict.place)
      let found = verdict.messages.map(ReaderVerdict.place)
      return expected == found && !expected.isEmpty ? nil : "refused with \(verdict.messages), expected \(item.messages)"
    }
    guard !verdict.isRefused, let template = verdict.template else { return "was refused: \(verdict.messages)" }
    let isAboutEvents = item.tier == "events"
    let expected = ExpressionObject(item.expected.entries.filter { isAboutEvents || $0.key != "events" })
    let found = TemplateRendering(includesSource: item.includesSource).render(template, events: isAboutEvents)
    return difference(found, .object(expected)).map { "the template differs: \($0)" }
  }

  /// Where two values part; nil where they are equal without regard to the order of keys.
  private func difference(_ found: ExpressionValue, _ expected: ExpressionValue, at path: String = "") -> String? {
    switch (found, expected) {
    case (.object(let found), .object(let expected)):
      for key in Set(found.entries.map(\.key)).union(expected.entries.map(\.key)).sorted() {
        guard let left = found[key], let right = expected[key] else {
          return "\(path)/\(key) is \(found[key].map { "\($0)" } ?? "missing"), expected \(expected[key].map { "\($0)" } ?? "nothing")"
        }
        if let difference = difference(left, right, at: "\(path)/\(key)") { return difference }
      }
      return nil
    case (.array(let found), .array(let expected)) where found.items.count == expected.items.count:
      for (index, pair) in zip(found.items, expected.items).enumerated() {
        if let difference = difference(pair.0, pair.1, at: "\(path)/\(index)") { return difference }
      }
      return nil
    default: return found == expected ? nil : "\(path) is \(found), expected \(expected)"
    }
  }

  private struct Tally: CustomStringConvertible {
    var count = 0
    var passed = 0
    var rightVerdicts = 0
    var refusals = 0
    var exact = 0

    mutating func add(_ verdict: ReaderVerdict, _ item: ReaderCase, passes: Bool) {
      count += 1
      passed += passes ? 1 : 0
      rightVerdicts += verdict.isRefused == item.expectsErrors ? 1 : 0
      refusals += item.expectsErrors ? 1 : 0
      exact += item.expectsErrors && verdict.messages == item.messages ? 1 : 0
    }

    var description: String {
      "\(passed) of \(count) pass, \(rightVerdicts) verdicts are right, \(exact) of \(refusals) refusals word for word"
    }
  }
}

extension ReaderCase {
  var messages: [String] { expected["errors"]?.items?.compactMap { $0.object?["Message"]?.text } ?? [] }
}
