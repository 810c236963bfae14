/// Reads the root of a workflow file.
struct WorkflowReader {
  let path: String
  let collector: DiagnosticCollector

  /// The model, as far as it can be read; the collector knows whether it may be used.
  func read(_ root: YAMLNode) -> WorkflowFile? {
    guard var fields = MappingFields(root, collector) else { return nil }
    for required in ["on", "jobs"] where !fields.has(required) {
      collector.error("Required property is missing: \(required)", at: root)
    }
    let name = fields.take("name")
    ExpressionSyntax.refuse(in: name, collector)
    let file = WorkflowFile(
      path: path,
      name: name?.scalarText(collector),
      runName: fields.text("run-name"),
      triggers: triggers(fields.take("on")),
      env: fields.texts("env"),
      defaults: RunDefaults(fields.take("defaults"), collector),
      permissions: fields.take("permissions")?.permissions,
      concurrencyGroup: fields.take("concurrency")?.concurrencyGroup,
      jobs: jobs(fields.take("jobs")))
    // Known to the grammar, not part of the model.
    _ = fields.take("description")
    fields.finish()
    for entry in fields.entries where !["name", "on", "description"].contains(entry.key) {
      ExpressionSyntax.check(entry.value, collector)
    }
    return file
  }

  private func triggers(_ node: YAMLNode?) -> [String] {
    guard let node else { return [] }
    switch node.content {
    case .mapping(let entries):
      entries.forEach { checkTrigger($0.key, line: $0.line, column: $0.column) }
      return entries.map(\.key).sorted()
    case .sequence, .scalar:
      let names = if case .sequence(let items) = node.content { items } else { [node] }
      return names.compactMap { name in
        guard let text = name.nonEmptyText(collector) else { return nil }
        checkTrigger(text, line: name.line, column: name.column)
        return text
      }.sorted()
    }
  }

  private func checkTrigger(_ name: String, line: Int, column: Int) {
    if !TriggerNames.all.contains(name) { collector.error("Unexpected value '\(name)'", line: line, column: column) }
  }

  private func jobs(_ node: YAMLNode?) -> [JobDefinition] {
    guard let node, let entries = node.entries(collector) else { return [] }
    let reader = JobReader(collector: collector)
    let jobs = entries.compactMap { entry in
      Identifier.check(entry.key, line: entry.line, column: entry.column, collector)
      return reader.read(entry)
    }
    NeedsGraph(entries: entries, collector: collector).check(at: node)
    return jobs
  }
}

// Read as far as they are plain: what else the grammar asks of them is left to GitHub.
extension YAMLNode {
  /// Of `permissions`: a mapping of scopes, or one word for all of them.
  var permissions: [String: String]? {
    switch content {
    case .scalar(let value): value.text.isEmpty ? nil : ["*": value.text]
    case .mapping(let entries):
      Dictionary(entries.compactMap { entry in entry.value.text.map { (entry.key, $0) } }, uniquingKeysWith: { $1 })
    case .sequence: nil
    }
  }

  /// Of `concurrency`: a text, or a mapping with a `group`.
  var concurrencyGroup: String? {
    switch content {
    case .scalar(let value): value.text.isEmpty ? nil : value.text
    case .mapping(let entries): entries.first { $0.key == "group" }?.value.text
    case .sequence: nil
    }
  }
}

extension RunDefaults {
  init(_ node: YAMLNode?, _ collector: DiagnosticCollector) {
    guard let node, !node.isExpression, var fields = MappingFields(node, collector) else {
      self = .none
      return
    }
    let run = fields.take("run")
    fields.finish()
    guard let run, !run.isExpression, var runFields = MappingFields(run, collector) else {
      self = .none
      return
    }
    self.init(shell: runFields.nonEmptyText("shell"), workingDirectory: runFields.nonEmptyText("working-directory"))
    runFields.finish()
  }
}

/// The events that may start a workflow (GitHub's grammar, `on-mapping-strict` of `workflow-v1.0.json`).
enum TriggerNames {
  static let all: Set<String> = [
    "branch_protection_rule", "check_run", "check_suite", "create", "delete", "deployment", "deployment_status", "discussion",
    "discussion_comment", "fork", "gollum", "image_version", "issue_comment", "issues", "label", "merge_group", "milestone", "page_build",
    "project", "project_card", "project_column", "public", "pull_request", "pull_request_comment", "pull_request_review",
    "pull_request_review_comment", "pull_request_target", "push", "registry_package", "release", "repository_dispatch", "schedule",
    "status", "watch", "workflow_call", "workflow_dispatch", "workflow_run",
  ]
}

/// The rule for ids of jobs and steps.
enum Identifier {
  static func check(_ id: String, line: Int, column: Int, _ collector: DiagnosticCollector) {
    if id.hasPrefix("__") {
      collector.error("The identifier '\(id)' is invalid. IDs starting with '__' are reserved.", line: line, column: column)
    } else if !isValid(id.utf8) {
      collector.error(
        "The identifier '\(id)' is invalid. IDs may only contain alphanumeric characters, '_', and '-'. "
          + "IDs must start with a letter or '_' and and must be less than 100 characters.", line: line, column: column)
    }
  }

  private static func isValid(_ id: String.UTF8View) -> Bool {
    guard let first = id.first, id.count < 100, isLetter(first) else { return false }
    return id.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
  }
}
