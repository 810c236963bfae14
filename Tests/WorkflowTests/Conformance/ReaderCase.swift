import Foundation

@testable import Workflow

/// One file of the `workflow-reader` corpus: a workflow, the workflows that it calls, and what GitHub's parser makes of them.
struct ReaderCase {
  let file: String
  let tier: String
  let workflow: String
  let options: WorkflowOptions
  let includesSource: Bool
  let expected: ExpressionObject

  var path: String { ".github/workflows/\(file)" }
  var expectsErrors: Bool { expected["errors"] != nil }

  static func all() throws -> [ReaderCase] {
    let root = Corpora.folder("workflow-reader")
    let entries = try ExpressionJSON.parse(try Corpora.text(root.appendingPathComponent("cases.json"))).items ?? []
    return try entries.compactMap(\.object).map { entry in
      let file = entry["file"]?.text ?? ""
      return try ReaderCase(file, tier: entry["tier"]?.text ?? "", text: try Corpora.text(root.appendingPathComponent(file)))
    }
  }

  private init(_ file: String, tier: String, text: String) throws {
    let documents = text.replacing("\r\n", with: "\n").components(separatedBy: "\n---\n")
    guard documents.count >= 3, let result = try ExpressionJSON.parse(documents[documents.count - 1]).object else {
      throw CocoaError(.fileReadCorruptFile)
    }
    self.file = file
    self.tier = tier
    workflow = documents[1]
    expected = result
    let header = YAMLText.read(documents[0], path: file).root?.value.object ?? [:]
    includesSource = header["include-source"] == true
    var called: [String: String] = [:]
    for position in stride(from: 2, to: documents.count - 2, by: 2) where header["skip-reusable-workflows"] != true {
      called[documents[position].trimmingCharacters(in: .whitespacesAndNewlines)] = documents[position + 1]
    }
    options = WorkflowOptions(
      calledWorkflows: called, permissionPolicy: header["permissions-policy"].flatMap { Permissions.Policy(rawValue: $0.text) },
      maximumCallDepth: header["max-nested-reusable-workflows-depth"]?.int ?? 10, maximumJobs: header["max-job-limit"]?.int ?? 10_000,
      maximumDepth: header["max-depth"]?.int ?? WorkflowFile.maximumDepth,
      maximumLength: header["max-file-size"]?.int ?? WorkflowFile.maximumLength,
      maximumResultSize: header["max-result-size"]?.int ?? 10_485_760,
      sortsFiles: header["is-partial-rerun"] == true,
      // Of the three parsers that share the cases, only the one that runs the tier `events` looks at triggers.
      checksTriggers: tier == "events")
  }
}

/// What came of a case here, in the corpus' terms.
struct ReaderVerdict {
  let template: WorkflowTemplate?
  /// The errors that GitHub would report: those of the first step that has any, ten at most.
  let errors: [DiagnosticCollector.Finding]

  var isRefused: Bool { !errors.isEmpty }

  init(_ item: ReaderCase) {
    let collector = DiagnosticCollector(path: item.path)
    template = WorkflowTemplate.read(item.workflow, collector, item.options)
    // None of the parsers that share the cases looks at triggers beyond their grammar, as the service does later.
    let findings = collector.findings.filter { $0.stage != .later }
    let first = findings.map(\.stage).min()
    errors = Array(findings.filter { $0.stage == first }.prefix(10))
  }

  /// Places and texts as in the corpus.
  var messages: [String] {
    errors.map(\.diagnostic).map { diagnostic in
      switch diagnostic.rule {
      // About the file as a whole at GitHub; the line that we know is of no use to a comparison.
      case .yaml: "\(diagnostic.path): \(diagnostic.message)"
      case .limits: diagnostic.line == nil ? diagnostic.message : "\(diagnostic.path): \(diagnostic.message)"
      default:
        diagnostic.message.hasPrefix("Error from called workflow")
          ? "In \(diagnostic.path) (Line: \(diagnostic.line ?? 0), Col: \(diagnostic.column ?? 0)): \(diagnostic.message)"
          : "\(diagnostic.path) (Line: \(diagnostic.line ?? 0), Col: \(diagnostic.column ?? 0)): \(diagnostic.message)"
      }
    }
  }

  /// File, line and column of a message; the whole beginning up to them, where there are some.
  static func place(of message: String) -> String {
    message.firstMatch(of: /^[^(]*\(Line: \d+, Col: \d+\)/).map { String($0.output) } ?? ""
  }
}

extension ExpressionValue {
  fileprivate var int: Int? {
    if case .number(let number) = self { return Int(exactly: number) }
    return nil
  }
}
