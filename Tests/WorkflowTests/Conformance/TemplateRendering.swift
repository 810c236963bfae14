@testable import Workflow

/// Writes a template the way GitHub's parsers do for their shared cases.
struct TemplateRendering {
  let includesSource: Bool

  func render(_ template: WorkflowTemplate, events: Bool) -> ExpressionValue {
    var members = Members()
    if !template.inputTypes.isEmpty {
      members["input-types"] = .object(ExpressionObject(template.inputTypes.map { .init(key: $0.name, value: .string($0.type)) }))
    }
    members["env"] = token(template.env)
    members["permissions"] = template.permissions.map(permissions)
    members["defaults"] = token(template.defaults)
    members["concurrency"] = token(template.concurrency)
    members["jobs"] = list(template.jobs.map(job))
    if includesSource { members["file-table"] = list(template.files.map(ExpressionValue.string)) }
    if events, let on = template.on { members["events"] = .object(ExpressionObject(self.events(on))) }
    return members.value
  }

  // MARK: Jobs

  private func job(_ job: TemplateJob) -> ExpressionValue {
    var members = Members()
    members["id"] = token(job.id)
    members["name"] = token(job.name)
    members["if"] = token(job.condition)
    members["strategy"] = token(job.strategy)
    members["permissions"] = job.permissions.map(permissions)
    switch job.kind {
    case .runner(let runner):
      members["type"] = "job"
      members["needs"] = job.needs.isEmpty ? nil : list(job.needs.compactMap(token))
      members["concurrency"] = token(job.concurrency)
      members["continue-on-error"] = token(runner.continueOnError)
      members["timeout-minutes"] = token(runner.timeoutMinutes)
      members["cancel-timeout-minutes"] = token(runner.cancelTimeoutMinutes)
      members["env"] = token(runner.env)
      members["environment"] = token(runner.environment)
      members["defaults"] = token(runner.defaults)
      members["runs-on"] = token(runner.runsOn)
      members["container"] = token(runner.container)
      members["services"] = token(runner.services)
      members["outputs"] = token(runner.outputs)
      members["snapshot"] = token(runner.snapshot)
      members["steps"] = runner.steps.isEmpty ? nil : list(runner.steps.map(step))
    case .call(let call):
      members["type"] = "reusableWorkflowJob"
      members["needs"] = list(job.needs.compactMap(token))
      members["ref"] = token(call.reference)
      members["input-definitions"] = token(call.inputDefinitions)
      members["input-values"] = token(call.inputValues)
      members["secret-definitions"] = token(call.secretDefinitions)
      members["secret-values"] = token(call.secretValues)
      members["inherit-secrets"] = call.inheritsSecrets ? true : nil
      members["outputs"] = token(call.outputs)
      members["jobs"] = list(call.jobs.map(self.job))
    }
    return members.value
  }

  private func step(_ step: TemplateStep) -> ExpressionValue {
    var members = Members()
    members["id"] = step.id.map(ExpressionValue.string)
    members["name"] = token(step.name)
    members["if"] = token(step.condition)
    members["continue-on-error"] = token(step.continueOnError)
    members["timeout-minutes"] = token(step.timeoutMinutes)
    members["env"] = token(step.env)
    members["background"] = step.isBackground ? true : nil
    switch step.kind {
    case .run(let script, let directory, let shell):
      members["run"] = token(script)
      members["working-directory"] = token(directory)
      members["shell"] = token(shell)
    case .action(let uses, let with):
      members["uses"] = token(uses)
      members["with"] = token(with)
    case .wait(let names):
      members["name"] = members["name"] ?? "Wait"
      members["wait"] = list(names.compactMap(token))
    case .waitForAll:
      members["name"] = members["name"] ?? "Wait for all"
      members["wait-all"] = true
    case .cancel(let name):
      members["name"] = members["name"] ?? "Cancel"
      members["cancel"] = token(name)
    }
    return members.value
  }

  private func permissions(_ permissions: Permissions) -> ExpressionValue {
    // Scopes younger than the cases.
    let younger = [
      "artifact-metadata", "attestations", "code-quality", "copilot-requests", "drives", "models", "vulnerability-alerts",
    ]
    let shown = permissions.levels.filter { $0.value != .none && !younger.contains($0.key) }.sorted { $0.key < $1.key }
    return .object(ExpressionObject(shown.map { .init(key: $0.key, value: .string($0.value.word)) }))
  }

  // MARK: Tokens

  private func token(_ token: TemplateToken?) -> ExpressionValue? {
    guard let token else { return nil }
    var members = Members()
    switch token.content {
    case .null: (members["type"], members.plain) = (7, .null)
    case .boolean(let value): (members["type"], members["bool"], members.plain) = (5, .boolean(value), .boolean(value))
    case .number(let value): (members["type"], members["num"], members.plain) = (6, number(value), number(value))
    case .string(let text): (members["type"], members["lit"], members.plain) = (0, .string(text), .string(text))
    case .expression(let source): (members["type"], members["expr"]) = (3, .string(source))
    case .insert: (members["type"], members["directive"]) = (4, "insert")
    case .sequence(let items):
      members["type"] = 1
      members["seq"] = items.isEmpty ? nil : list(items.compactMap(self.token))
    case .mapping(let entries):
      members["type"] = 2
      let pairs = entries.map { entry -> ExpressionValue in
        ["Key": self.token(entry.key) ?? .null, "Value": self.token(entry.value) ?? .null]
      }
      members["map"] = pairs.isEmpty ? nil : list(pairs)
    }
    if !includesSource { return members.plain ?? members.value }
    if let file = token.file {
      members["file"] = .number(Double(file))
      members["line"] = .number(Double(token.line))
      members["col"] = .number(Double(token.column))
    }
    return members.value
  }

  private func number(_ value: Double) -> ExpressionValue {
    value.isNaN ? "NaN" : value.isInfinite ? .string(value < 0 ? "-Infinity" : "Infinity") : .number(value)
  }

  private func list(_ items: [ExpressionValue]) -> ExpressionValue { .array(ExpressionArray(items)) }

  // MARK: Events

  private func events(_ on: TemplateToken) -> [ExpressionObject.Entry] {
    guard let entries = on.entries else { return on.oneOrMore.map { .init(key: $0.authored, value: [:]) } }
    return entries.map { .init(key: $0.key.authored, value: event($0.value)) }
  }

  private func event(_ token: TemplateToken) -> ExpressionValue {
    if let items = token.items { return list(items.map(\.value)) }
    var members = Members()
    for entry in token.entries ?? [] {
      let name = entry.key.authored
      members[name] =
        name == "types" || Trigger.filterNames.contains(name) ? list(entry.value.oneOrMore.map(\.value)) : entry.value.value
    }
    return members.value
  }
}

/// An object in the making.
private struct Members {
  private var values: [String: ExpressionValue] = [:]
  /// What stands for the whole where places are left out.
  var plain: ExpressionValue?

  subscript(name: String) -> ExpressionValue? {
    get { values[name] }
    set { values[name] = newValue }
  }

  var value: ExpressionValue { ExpressionValue.object(ExpressionObject(values.map { .init(key: $0.key, value: $0.value) })).canonical }
}

extension ExpressionValue {
  /// With the keys of every object in order, so that objects compare without regard to it.
  var canonical: ExpressionValue {
    switch self {
    case .object(let object):
      .object(
        ExpressionObject(object.entries.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: $0.value.canonical) }))
    case .array(let array): .array(ExpressionArray(array.items.map(\.canonical)))
    default: self
    }
  }
}
