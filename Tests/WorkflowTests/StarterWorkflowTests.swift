import Foundation
import Testing

@testable import Workflow

@Suite("GitHub's starter workflows, judged by independent summaries")
struct StarterWorkflowTests {
  @Test("every file has the jobs that its summary says", arguments: ["starter-workflows", "act"])
  func summaries(corpus: String) throws {
    let root = Corpora.folder(corpus)
    let expected = try Corpora.files(in: "\(corpus)/expected", withExtension: "json")
    try #require(!expected.isEmpty)
    var failures: [String: String] = [:]
    for url in expected {
      let stem = String(url.path.dropFirst(root.appendingPathComponent("expected").path.count + 1).dropLast(".json".count))
      let name = stem + (FileManager.default.fileExists(atPath: root.appendingPathComponent(stem + ".yml").path) ? ".yml" : ".yaml")
      let text = try Corpora.text(root.appendingPathComponent(name))
      guard let summary = try ExpressionJSON.parse(try Corpora.text(url)).object else { throw CocoaError(.fileReadCorruptFile) }
      let complaints = SummaryJudge.complaints(about: text, path: name, expected: summary)
      if !complaints.isEmpty { failures[name] = complaints.joined(separator: "\n  ") }
    }
    print("\(corpus): \(expected.count - failures.count) of \(expected.count) summaries pass")
    let known = KnownFailures.summaries[corpus] ?? [:]
    for (name, complaint) in failures where known[name] == nil { Issue.record("\(name)\n  \(complaint)") }
    // What is on the list may be in another part of the corpus.
    for name in known.keys where failures[name] == nil && FileManager.default.fileExists(atPath: root.appendingPathComponent(name).path) {
      Issue.record("passes now, take it off the list: \(name)")
    }
  }

  @Test("errors are found exactly where GitHub's own parser finds some, placeholders replaced")
  func validation() throws {
    let root = Corpora.folder("starter-workflows")
    let cases = try ExpressionJSON.parse(try Corpora.text(root.appendingPathComponent("cases.json"))).items ?? []
    try #require(!cases.isEmpty)
    for item in cases {
      guard let file = item.object?["file"]?.text, let github = item.object?["github"]?.items else { continue }
      let text = Self.withoutPlaceholders(try Corpora.text(root.appendingPathComponent(file)))
      let errors = WorkflowFile.parse(text, path: file).errors
      #expect(errors.isEmpty == github.isEmpty, "\(file): \(errors.map(\.description))")
      #expect(errors.allSatisfy { $0.line != nil && $0.column != nil }, "\(file)")
    }
  }

  @Test("what GitHub's parser says of act's files is said here too, on the same line")
  func verdicts() throws {
    let root = Corpora.folder("act")
    let cases = try ExpressionJSON.parse(try Corpora.text(root.appendingPathComponent("cases.json"))).object?["files"]?.items ?? []
    try #require(!cases.isEmpty)
    for item in cases {
      guard let file = item.object?["file"]?.text, let github = item.object?["github"]?.items else { continue }
      let errors = WorkflowFile.parse(try Corpora.text(root.appendingPathComponent(file)), path: file).errors
      #expect(errors.isEmpty == github.isEmpty, "\(file): \(errors.map(\.description)), GitHub: \(github.map(\.text))")
      if let line = github.first?.text.firstMatch(of: /Line: (\d+)/)?.output.1 {
        #expect(errors.first?.line.map(String.init) == String(line), "\(file): \(errors.map(\.description)), GitHub: \(github.map(\.text))")
      }
    }
  }

  static func withoutPlaceholders(_ text: String) -> String {
    var text = text
    for (placeholder, value) in [
      ("$default-branch", "main"), ("$protected-branches", "main"), ("$cron-daily", "30 1 * * 0"), ("$cron-weekly", "30 1 * * 0"),
    ] {
      text = text.replacingOccurrences(of: placeholder, with: value)
    }
    return text
  }
}

/// Compares what is read with a summary, member by member, as the corpus' README says.
enum SummaryJudge {
  static func complaints(about text: String, path: String, expected: ExpressionObject) -> [String] {
    let reading = WorkflowFile.parse(text, path: path)
    if expected["rejected"] != nil {
      guard reading.file == nil, let line = reading.errors.first?.line else { return ["was not refused with a place"] }
      guard case .number(let wanted)? = expected["line"] else { return [] }
      return abs(Double(line) - wanted) <= 1 ? [] : ["refused on line \(line), expected \(wanted)"]
    }
    guard expected["problems"] == .array([]) else { return reading.file == nil ? [] : ["has problems and was accepted"] }
    // A summary is of what stands there, whether GitHub accepts it or not: placeholders of a template are refused, and shown all the same.
    guard let file = reading.draft else { return ["could not be read: \(reading.errors.map(\.description))"] }
    var complaints: [String] = []
    if Set(expected["on"]?.items?.map(\.text) ?? []) != Set(file.triggers) { complaints.append("on: \(file.triggers)") }
    if let name = expected["name"], name != .null, name.text != file.name { complaints.append("name: \(file.name ?? "nil")") }
    let jobs = expected["jobs"]?.object?.entries ?? []
    if jobs.map(\.key) != file.jobs.map(\.key) { complaints.append("jobs: \(file.jobs.map(\.key))") }
    for (job, wanted) in zip(file.jobs, jobs) {
      let found = summary(of: job)
      for (member, value) in wanted.value.members {
        let isEqual =
          if member == "needs" {
            Set(found[member]?.items?.map(\.text) ?? []) == Set(value.items?.map(\.text) ?? [])
          } else {
            found[member] ?? .null == value
          }
        if !isEqual { complaints.append("\(job.key).\(member): \(found[member] ?? .null), expected \(value)") }
      }
    }
    return complaints
  }

  private static func summary(of job: JobDefinition) -> [String: ExpressionValue] {
    let expanded = job.expand()
    let names = expanded.map { $0.map(\.literalDisplayName) }
    return [
      "name": text(job.name),
      "needs": texts(job.needs),
      "if": text(job.condition),
      "combinations": expanded.map { .array(ExpressionArray($0.map { .object($0.matrix) })) } ?? .null,
      "count": expanded.map { .number(Double($0.count)) } ?? .null,
      "display-names": names.flatMap { $0.contains(nil) ? nil : texts($0.compactMap(\.self)) } ?? .null,
      "fail-fast": job.strategy?.failFast ?? .null,
      "max-parallel": job.strategy?.maxParallel ?? .null,
      "runs-on": [
        "labels": texts(job.runsOn.labels), "group": text(job.runsOn.group), "literal": .boolean(job.runsOn.isLiteral),
      ],
      "labels-by-combination": labels(expanded),
      "container": text(job.container?.image),
      "services": job.services.isEmpty
        ? .null : .object(ExpressionObject(job.services.map { .init(key: $0.name, value: .string($0.container.image)) })),
      "steps": .number(Double(job.steps.count)),
      "run-steps": .number(Double(job.steps.count { $0.run != nil })),
      "uses-steps": .number(Double(job.steps.count { $0.uses != nil })),
      "timeout-minutes": job.timeoutMinutes.map { Double($0).map(ExpressionValue.number) ?? .string($0) } ?? .null,
      "environment": text(job.environment),
      "uses": text(job.uses),
    ]
  }

  private static func labels(_ expanded: [ExpandedJob]?) -> ExpressionValue {
    guard let expanded else { return .null }
    let labels = expanded.map(\.literalLabels)
    if !labels.isEmpty, labels.allSatisfy({ $0 == nil }) { return .null }
    return .array(ExpressionArray(labels.map { $0.map(texts) ?? .null }))
  }

  private static func text(_ text: String?) -> ExpressionValue { text.map(ExpressionValue.string) ?? .null }

  private static func texts(_ texts: [String]) -> ExpressionValue { .array(ExpressionArray(texts.map(ExpressionValue.string))) }
}
