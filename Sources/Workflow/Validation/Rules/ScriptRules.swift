/// What expressions put into scripts: text that strangers write, and secrets that end up in logs.
struct ScriptRules: WorkflowRule {
  /// Parts of the event that anyone may write who can open an issue or a pull request. `*` stands for any one property.
  /// Source: docs.github.com/actions/reference/security/secure-use (untrusted input).
  private static let untrusted: Set<String> = [
    "github.head_ref", "github.event.issue.title", "github.event.issue.body", "github.event.pull_request.title",
    "github.event.pull_request.body", "github.event.pull_request.head.ref", "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.default_branch", "github.event.comment.body", "github.event.review.body",
    "github.event.review_comment.body", "github.event.discussion.title", "github.event.discussion.body",
    "github.event.head_commit.message", "github.event.head_commit.author.email", "github.event.head_commit.author.name",
    "github.event.commits.*.message", "github.event.commits.*.author.email", "github.event.commits.*.author.name",
    "github.event.pages.*.page_name", "github.event.workflow_run.head_branch", "github.event.workflow_run.head_commit.message",
    "github.event.workflow_run.head_commit.author.email", "github.event.workflow_run.head_commit.author.name",
    "github.event.workflow_run.pull_requests.*.head.ref",
  ]

  private static let printing = ["echo", "printf", "print(", "cat <<", "write-host", "write-output"]

  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    for (_, runner) in template.runnerJobs {
      for step in runner.steps {
        switch step.kind {
        case .run(let script, _, _): check(script, &report)
        case .action(let uses, let with):
          // The one popular action whose input is a program.
          guard uses.authored.hasPrefix("actions/github-script@"), let script = with?["script"] else { continue }
          check(script, &report)
        case .wait, .waitForAll, .cancel: break
        }
      }
    }
  }

  private func check(_ script: TemplateToken, _ report: inout ValidationReport) {
    checkInjection(script, &report)
    checkSecrets(script, &report)
  }

  private func checkInjection(_ script: TemplateToken, _ report: inout ValidationReport) {
    var found: [String] = []
    script.forEachExpression { _, expression in
      for path in expression.paths where Self.untrusted.contains(Self.generalised(path)) && !found.contains(path.folded) {
        found.append(path.folded)
      }
    }
    for path in found {
      report.add(
        .scriptInjection, "'\(path)' is text that strangers write, and becomes a part of the script", at: script,
        hint: "hand it over in 'env', and use the variable in quotes")
    }
  }

  /// An index into a list is any of its items.
  private static func generalised(_ path: ExpressionPath) -> String {
    let properties = path.properties.map { property in property.flatMap { Int($0) == nil ? $0 : nil } ?? "*" }
    return ([path.context] + properties).joined(separator: ".").lowercased()
  }

  /// Whether the bytes of `secrets` stand in a text, in any case.
  private static func mayNameSecrets(_ text: String) -> Bool {
    let word = Array("secrets".utf8)
    var matched = 0
    // No part of the word but its first letter begins it again.
    for byte in text.utf8 {
      let lower = byte | 0x20
      matched = lower == word[matched] ? matched + 1 : lower == word[0] ? 1 : 0
      if matched == word.count { return true }
    }
    return false
  }

  private func checkSecrets(_ script: TemplateToken, _ report: inout ValidationReport) {
    guard script.isExpression, Self.mayNameSecrets(script.text), script.text.lowercased().contains("secrets") else { return }
    var line = script.line
    // A block scalar's text begins on the line below its mark.
    if script.text.contains("\n") { line += 1 }
    for (offset, text) in script.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard text.contains("${{"), Self.printing.contains(where: { text.lowercased().contains($0) }) else { continue }
      guard let segments = try? ExpressionTemplate.segments(of: String(text)) else { continue }
      let names = segments.flatMap { segment -> [ExpressionPath] in
        guard case .expression(let source) = segment else { return [] }
        return (try? Expression(source, in: .inSteps))?.paths ?? []
      }.filter { $0.context.lowercased() == "secrets" }
      // A pipe or a redirection hands it to a program or a file, not to the log.
      guard let first = names.first, !text.contains("|"), !text.contains(">") else { continue }
      report.add(
        .printedSecret, "'\(first.folded)' is written to the log", line: line + offset,
        column: script.text.contains("\n") ? 1 : script.column,
        hint: "GitHub hides secrets in logs only where they stand as they are")
    }
  }
}
