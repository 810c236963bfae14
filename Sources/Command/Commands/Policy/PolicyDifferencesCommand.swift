import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Web

/// `runnerhub policy differences`
struct PolicyDifferencesCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case jsonl, csv }

  static let configuration = CommandConfiguration(
    commandName: "differences", abstract: "Where shadow or canary and the live bundle said different things.",
    discussion: """
      Examples:
        runnerhub policy differences --since 24h --kind routing
        runnerhub policy differences --export differences.csv --format csv
      """)
  @OptionGroup var host: JobCommand.Host
  @Option(help: "How far back: 30d, 24h, or a time.") var since = ReportPeriod.days(1)
  @Option(help: "Only of routing, priority, affinity or scaling.") var kind: String?
  @Option(help: "Rows that are listed.") var limit = 20
  @Option(help: "Write every difference to a file; - for standard output.") var export: String?
  @Option(help: "Of the file: jsonl or csv.") var format = Format.jsonl
  @Flag(help: "As JSON.") var json = false

  static let kinds = ["routing", "priority", "affinity", "scaling"]

  func validate() throws {
    if let kind, !Self.kinds.contains(kind) {
      throw ValidationError("--kind is \"\(kind)\": expected one of \(Self.kinds.joined(separator: ", "))")
    }
    guard (1...1000).contains(limit) else { throw ValidationError("--limit is \(limit): expected a whole number from 1 to 1000") }
  }

  func run() async throws {
    let client = try host.client()
    let query = since.parameter + (kind.map { "&kind=\($0)" } ?? "")
    if let export { return try await write(to: export, query, client) }
    let document: DifferencesDocument = try await client.get("/api/v1/policies/differences?\(query)&limit=\(limit)")
    print(
      json
        ? String(decoding: try WireJSON.encoder.encode(document), as: UTF8.self)
        : DifferencesText.text(document, kind: kind, width: Terminal.size?.columns))
  }

  private func write(to path: String, _ query: String, _ client: AdministrationClient) async throws {
    let file: FileHandle
    if path == "-" {
      file = .standardOutput
    } else {
      try Data().write(to: URL(filePath: path))
      file = try FileHandle(forWritingTo: URL(filePath: path))
    }
    if format == .csv { try file.write(contentsOf: Data((CSV.line(DifferencesText.columns) + "\n").utf8)) }
    var after: Int64? = 0
    var count = 0
    while let place = after {
      let page: DifferencesDocument = try await client.get("/api/v1/policies/differences?\(query)&limit=1000&after=\(place)")
      for one in page.differences {
        let line =
          format == .csv
          ? CSV.line(DifferencesText.fields(one.decision)) : String(decoding: try WireJSON.encoder.encode(one), as: UTF8.self)
        try file.write(contentsOf: Data((line + "\n").utf8))
      }
      count += page.differences.count
      after = page.next
    }
    if path != "-" { print("\(count) differences written to \(path)") }
  }
}

/// Differences as people read them.
enum DifferencesText {
  static let columns = ["at", "kind", "subject", "slot", "bundle", "output", "reason", "other_bundle", "other_output", "other_reason"]

  static func fields(_ decision: DecisionRecord) -> [String] {
    [
      decision.at.formatted(.iso8601), decision.kind, decision.jobID?.rawValue ?? decision.pool ?? "",
      decision.isCanary ? "canary" : "shadow", decision.bundle, decision.output, decision.reason, decision.shadow?.bundle ?? "",
      decision.shadow?.output ?? "", decision.shadow?.reason ?? "",
    ]
  }

  /// A canary that fails is a difference, though the live bundle answers for it.
  private static func failure(_ decision: DecisionRecord) -> String {
    guard decision.isCanary, let cause = decision.fallbackCause else { return "" }
    return " (the canary failed: \(cause))"
  }

  static func text(_ document: DifferencesDocument, kind: String?, width: Int?) -> String {
    let counts = document.counts.filter { kind == nil || $0.kind == kind }
    if counts.isEmpty {
      return "no decision was compared: is there a shadow or a canary? (runnerhub policy shadow, runnerhub policy canary)"
    }
    let heads = counts.map { count in
      let total = count.same + count.differs
      let share = (Double(count.differs) / Double(max(1, total)) * 1000).rounded() / 10
      let changes = count.changes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
      let sides = count.isCanary ? "canary \(count.bundle) against \(count.other)" : "\(count.bundle) against shadow \(count.other)"
      return "\(count.kind): \(count.differs) of \(total) differ (\(share) %), \(sides)"
        + (changes.isEmpty ? "" : ": " + changes.joined(separator: ", "))
    }
    if document.differences.isEmpty { return heads.joined(separator: "\n") }
    let rows = document.differences.map { one in
      [
        one.decision.at.formatted(.iso8601), one.decision.kind, one.decision.jobID?.rawValue ?? one.decision.pool ?? "",
        "\(one.decision.output): \(one.decision.reason)" + failure(one.decision),
        "\(one.decision.shadow?.output ?? ""): \(one.decision.shadow?.reason ?? "")",
      ].map(TextTable.printable)
    }
    return heads.joined(separator: "\n") + "\n\n"
      + TextTable(columns: ["WHEN", "KIND", "JOB OR POOL", "DECIDED", "THE OTHER"], rows: rows).text(width: width)
  }
}
