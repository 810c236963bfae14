import Foundation

/// Findings as other programs read them.
public enum DiagnosticReports {
  /// A list of objects: `path`, `line`, `column`, `severity`, `rule`, `category`, `message`, `hint`.
  public static func json(_ diagnostics: [Diagnostic]) throws -> String { try encoded(diagnostics.map(Row.init)) }

  /// Commands of GitHub's log, which become annotations of the run.
  ///
  /// Source: docs.github.com/actions/reference/workflow-commands-for-github-actions.
  public static func github(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { diagnostic in
      var properties = ["file=\(property(diagnostic.path))"]
      if let line = diagnostic.line { properties.append("line=\(line)") }
      if let column = diagnostic.column { properties.append("col=\(column)") }
      properties.append("title=\(property(diagnostic.rule.rawValue))")
      let message = diagnostic.message + (diagnostic.hint.map { " – \($0)" } ?? "")
      return "::\(diagnostic.severity.rawValue) \(properties.joined(separator: ","))::\(escaped(message))"
    }.joined(separator: "\n")
  }

  /// A log in the Static Analysis Results Interchange Format 2.1.0 (OASIS), which GitHub's code scanning takes.
  ///
  /// - Parameter version: of the program that checked.
  public static func sarif(_ diagnostics: [Diagnostic], version: String) throws -> String {
    let rules = Set(diagnostics.map(\.rule)).sorted()
    let driver = SARIF.Driver(
      name: "runnerhub", version: version,
      rules: rules.map {
        .init(id: $0.rawValue, properties: .init(tags: [$0.category.rawValue]), defaultConfiguration: .init(level: $0.severity.rawValue))
      })
    return try encoded(SARIF(runs: [.init(tool: .init(driver: driver), results: diagnostics.map(SARIF.Result.init))]))
  }

  private static func encoded(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }

  private static func property(_ text: String) -> String { escaped(text).replacing(":", with: "%3A").replacing(",", with: "%2C") }

  private struct Row: Encodable {
    let path: String
    let line: Int?
    let column: Int?
    let severity: String
    let rule: String
    let category: String
    let message: String
    let hint: String?

    init(_ diagnostic: Diagnostic) {
      path = diagnostic.path
      line = diagnostic.line
      column = diagnostic.column
      severity = diagnostic.severity.rawValue
      rule = diagnostic.rule.rawValue
      category = diagnostic.rule.category.rawValue
      message = diagnostic.message
      hint = diagnostic.hint
    }
  }
}

/// The parts of SARIF 2.1.0 that are written; names are the standard's.
private struct SARIF: Encodable {
  var schema = "https://json.schemastore.org/sarif-2.1.0.json"
  var version = "2.1.0"
  let runs: [Run]

  enum CodingKeys: String, CodingKey {
    case schema = "$schema"
    case version, runs
  }

  struct Run: Encodable {
    let tool: Tool
    let results: [Result]
    var columnKind = "unicodeCodePoints"
  }

  struct Tool: Encodable { let driver: Driver }

  struct Driver: Encodable {
    let name: String
    let version: String
    let rules: [Rule]
  }

  struct Rule: Encodable {
    let id: String
    let properties: Properties
    let defaultConfiguration: Configuration
  }

  struct Properties: Encodable { let tags: [String] }
  struct Configuration: Encodable { let level: String }
  struct Message: Encodable { let text: String }

  struct Result: Encodable {
    let ruleId: String
    let level: String
    let message: Message
    let locations: [Location]

    init(_ diagnostic: Diagnostic) {
      ruleId = diagnostic.rule.rawValue
      level = diagnostic.severity.rawValue
      message = Message(text: diagnostic.message + (diagnostic.hint.map { " – \($0)" } ?? ""))
      let region = diagnostic.line.map { Region(startLine: $0, startColumn: diagnostic.column ?? 1) }
      locations = [Location(physicalLocation: .init(artifactLocation: .init(uri: Self.address(diagnostic.path)), region: region))]
    }

    private static func address(_ path: String) -> String {
      path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
    }
  }

  struct Location: Encodable { let physicalLocation: PhysicalLocation }

  struct PhysicalLocation: Encodable {
    let artifactLocation: ArtifactLocation
    let region: Region?
  }

  struct ArtifactLocation: Encodable { let uri: String }

  struct Region: Encodable {
    let startLine: Int
    let startColumn: Int
  }
}
