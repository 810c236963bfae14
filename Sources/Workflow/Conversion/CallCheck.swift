/// Checks one call against the `workflow_call` of the file that it calls: inputs and secrets that are required, known and of the right type.
struct CallCheck {
  let collector: DiagnosticCollector
  let job: TemplateJob

  /// - Parameter called: takes what is wrong with the called file itself.
  func check(_ call: inout TemplateJob.WorkflowCall, on trigger: TemplateToken?, called: DiagnosticCollector) {
    guard let trigger, let definition = definition(in: trigger) else {
      called.error(
        "workflow_call key is not defined in the referenced workflow.", line: trigger?.line, column: trigger?.column, rule: .calledWorkflow)
      return
    }
    call.inputDefinitions = definition["inputs"]
    call.secretDefinitions = definition["secrets"]
    call.outputs = definition["outputs"]
    checkInputs(call)
    if !call.inheritsSecrets { checkSecrets(call) }
  }

  /// The configuration of `workflow_call`; nil where the file cannot be called.
  private func definition(in trigger: TemplateToken) -> TemplateToken? {
    if trigger.string == "workflow_call" { return trigger }
    if let items = trigger.items { return items.first { $0.string == "workflow_call" } }
    return trigger["workflow_call"]
  }

  private func checkInputs(_ call: TemplateJob.WorkflowCall) {
    let values = Self.byName(call.inputValues)
    for definition in call.inputDefinitions?.entries ?? [] {
      let name = definition.key.authored
      let type = definition.value["type"]?.string ?? "string"
      if let byDefault = definition.value["default"] { checkType(byDefault, type) }
      if let value = values[name.expressionFolded] {
        checkType(value, type)
      } else if definition.value["required"]?.boolean == true {
        collector.error("Input \(name) is required, but not provided while calling.", at: call.reference, rule: .calledWorkflow)
      }
    }
    reportUnknown(call.inputValues, definitions: call.inputDefinitions, kind: "input")
  }

  private func checkSecrets(_ call: TemplateJob.WorkflowCall) {
    let values = Self.byName(call.secretValues)
    for definition in call.secretDefinitions?.entries ?? [] {
      let name = definition.key.authored
      guard values[name.expressionFolded] == nil, definition.value["required"]?.boolean == true else { continue }
      collector.error("Secret \(name) is required, but not provided while calling.", at: call.reference, rule: .calledWorkflow)
    }
    reportUnknown(call.secretValues, definitions: call.secretDefinitions, kind: "secret")
  }

  private func checkType(_ token: TemplateToken, _ type: String) {
    let fits: Bool =
      switch token.content {
      case .expression, .insert: true
      case .boolean: type != "number"
      case .number: type != "boolean"
      case .string, .null: type == "string"
      case .sequence, .mapping: false
      }
    if !fits { collector.error("Unexpected value '\(token.authored)'", at: token, rule: .inputType, hint: "the input is a \(type)") }
  }

  private func reportUnknown(_ values: TemplateToken?, definitions: TemplateToken?, kind: String) {
    let known = (definitions?.entries ?? []).map(\.key.authored)
    let folded = Set(known.map(\.expressionFolded))
    for value in values?.entries ?? [] {
      guard let name = value.key.string, !folded.contains(name.expressionFolded) else { continue }
      collector.error(
        "Invalid \(kind), \(name) is not defined in the referenced workflow.", at: value.value, rule: .calledWorkflow,
        hint: Spelling.nearest(to: name, among: known).map { "did you mean '\($0)'?" })
    }
  }

  private static func byName(_ token: TemplateToken?) -> [String: TemplateToken] {
    Dictionary(
      (token?.entries ?? []).compactMap { entry in entry.key.string.map { ($0.expressionFolded, entry.value) } },
      uniquingKeysWith: { first, _ in first })
  }
}
