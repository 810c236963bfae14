import ArgumentParser
import Foundation
import Workflow

/// `runnerhub workflow check`
struct WorkflowCheckCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, sarif, github
  }

  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Find what GitHub refuses in workflow files, and what is probably wrong in those that run.",
    discussion: """
      Examples:
        runnerhub workflow check .github/workflows
        runnerhub workflow check ci.yml --strict --rule unpinned-action=off --rule security=error
        runnerhub workflow check . --format sarif
        runnerhub workflow check . --config runnerhub.yaml
      A folder stands for its .github/workflows, or for every YAML file below it; action.yml is read as an action. With --config, jobs are
      also held against what the pools can ever give, and images against what they approve; rules are graded as there
      (workflow.rules), unless --rule says otherwise. Ends with 1 where there are errors, with
      --strict also where there are warnings, and with 64 where it was called wrongly.
      """)
  @Argument(help: "Files and folders.", completion: .file(extensions: ["yml", "yaml"])) var paths = ["."]
  @Option(help: "text, json, sarif (for code scanning) or github (annotations of a run).") var format = Format.text
  @Option(help: "A rule or category and its grade: off, warning or error. May be given several times.") var rule: [String] = []
  @Option(help: "A configuration of RunnerHub.", completion: .file(extensions: ["yaml", "yml"])) var config: String?
  @Flag(help: "Fail for warnings too.") var strict = false

  func run() async throws {
    let configured = try config.map(WorkflowHost.init)
    let settings = try ruleSettings(configured?.grades ?? [:])
    let host = try configured?.facts() ?? HostFacts()
    let files = try WorkflowSources.files(at: paths)
    let findings = files.map { file in (file, diagnostics: Self.check(file, settings, host)) }
    let all = findings.flatMap(\.diagnostics)
    switch format {
    case .text: print(Self.text(findings, files: files.count))
    case .json: print(try DiagnosticReports.json(all))
    case .sarif: print(try DiagnosticReports.sarif(all, version: RunnerHubCommand.version))
    case .github: if !all.isEmpty { print(DiagnosticReports.github(all)) }
    }
    if all.contains(where: { strict || $0.severity == .error }) { throw ExitCode.failure }
  }

  private func ruleSettings(_ configured: [String: String]) throws -> RuleSettings {
    var words = configured
    for text in rule {
      let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard halves.count == 2 else { throw ValidationError("--rule is \"\(text)\": expected NAME=off, NAME=warning or NAME=error") }
      words[halves[0]] = halves[1]
    }
    do {
      return try RuleSettings(words)
    } catch {
      throw ValidationError("--rule: \(error)")
    }
  }

  private static func check(_ file: WorkflowSources.File, _ settings: RuleSettings, _ host: HostFacts) -> [Diagnostic] {
    if file.isAction { return ActionFile.parse(file.text, path: file.path).diagnostics }
    let options = WorkflowOptions(calledWorkflows: WorkflowSources.calledWorkflows(from: file))
    return WorkflowFile.check(file.text, path: file.path, options: options, settings: settings, host: host)
  }

  private static func text(_ findings: [(file: WorkflowSources.File, diagnostics: [Diagnostic])], files: Int) -> String {
    var lines: [String] = []
    for (file, diagnostics) in findings where !diagnostics.isEmpty {
      let excerpt = SourceExcerpt(file.text)
      lines += diagnostics.map(excerpt.text)
    }
    let all = findings.flatMap(\.diagnostics)
    let counts = [("error", all.count { $0.severity == .error }), ("warning", all.count { $0.severity == .warning })]
    let words = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)\($0.1 == 1 ? "" : "s")" }
    lines.append("\(words.isEmpty ? "nothing wrong" : words.joined(separator: ", ")) in \(files) file\(files == 1 ? "" : "s")")
    return lines.joined(separator: "\n")
  }
}
