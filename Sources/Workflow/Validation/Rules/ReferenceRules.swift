/// Properties of contexts that the file itself defines: `needs`, `steps`, `matrix`, `inputs`.
struct ReferenceRules: WorkflowRule {
  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    let triggers = template.on.map(Trigger.all) ?? []
    let callable = triggers.first { $0.event == "workflow_call" }
    var file = KnownNames()
    // Without a trigger that has inputs, there are none.
    let inputs = triggers.flatMap(\.inputs).map(\.name)
    if template.on != nil { file.names["inputs"] = Set(inputs.map(\.expressionFolded)) }
    for token in [template.runName, template.env, template.concurrency].compactMap(\.self) { file.check(token, &report) }
    checkJobs(template, file, &report)
    if callable != nil { checkCallOutputs(template, &report) }
  }

  private func checkJobs(_ template: WorkflowTemplate, _ file: KnownNames, _ report: inout ValidationReport) {
    let outputs = Dictionary(
      template.jobs.map { ($0.id.authored.expressionFolded, $0.outputNames) }, uniquingKeysWith: { first, _ in first })
    for job in template.jobs {
      var names = file
      let needed = job.needs.map(\.authored.expressionFolded)
      names.names["needs"] = Set(needed)
      names.outputs["needs"] = needed.isEmpty ? [:] : outputs.filter { needed.contains($0.key) }.compactMapValues(\.self)
      if job.writtenCondition != nil { names.check(job.condition, &report) }
      if let strategy = job.strategy { names.check(strategy, &report) }
      names.names["matrix"] = job.matrixNames
      names.check(job.name, &report)
      if let concurrency = job.concurrency { names.check(concurrency, &report) }
      switch job.kind {
      case .call(let call): for token in [call.inputValues, call.secretValues].compactMap(\.self) { names.check(token, &report) }
      case .runner(let runner): checkRunner(runner, names, &report)
      }
    }
  }

  private func checkRunner(_ runner: TemplateJob.RunnerJob, _ names: KnownNames, _ report: inout ValidationReport) {
    let before = [
      runner.runsOn, runner.env, runner.container, runner.services, runner.timeoutMinutes, runner.continueOnError, runner.defaults,
    ]
    for token in before.compactMap(\.self) { names.check(token, &report) }
    var names = names
    // A step sees the steps before it; what runs at the end sees them all.
    var seen: Set<String> = []
    names.names["steps"] = seen
    for step in runner.steps {
      for token in step.tokens { names.check(token, &report) }
      guard step.hasOwnID, let id = step.id else { continue }
      seen.insert(id.expressionFolded)
      names.names["steps"] = seen
    }
    for token in [runner.outputs, runner.environment].compactMap(\.self) { names.check(token, &report) }
  }

  private func checkCallOutputs(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    var names = KnownNames()
    names.names["jobs"] = Set(template.jobs.map(\.id.authored.expressionFolded))
    names.outputs["jobs"] = Dictionary(
      template.jobs.compactMap { job in job.outputNames.map { (job.id.authored.expressionFolded, $0) } },
      uniquingKeysWith: { first, _ in first })
    if let outputs = template.on?["workflow_call"]?["outputs"] { names.check(outputs, &report) }
  }
}

/// What contexts have at a place of the file; a context that is not listed is not looked at.
private struct KnownNames {
  /// Context → names, folded.
  var names: [String: Set<String>] = [:]
  /// Context → name → outputs, folded; of those whose outputs the file says.
  var outputs: [String: [String: Set<String>]] = [:]

  func check(_ token: TemplateToken, _ report: inout ValidationReport) {
    var findings: [(TemplateToken, String, String?)] = []
    token.forEachExpression { holder, expression in
      for path in expression.paths {
        if let (message, hint) = complaint(about: path) { findings.append((holder, message, hint)) }
      }
    }
    for (holder, message, hint) in findings { report.add(.unknownProperty, message, at: holder, hint: hint) }
  }

  private func complaint(about path: ExpressionPath) -> (String, hint: String?)? {
    let context = path.context.lowercased()
    guard let known = names[context], let property = path.properties.first ?? nil else { return nil }
    guard known.contains(property.expressionFolded) else {
      let nearest = Spelling.nearest(to: property, among: known).map { "did you mean '\($0.lowercased())'?" }
      return ("'\(context)' has no '\(property)' here", nearest ?? Self.advice[context])
    }
    guard path.properties.count >= 3, path.properties[1]?.lowercased() == "outputs", let output = path.properties[2],
      let outputs = outputs[context]?[property.expressionFolded], !outputs.contains(output.expressionFolded)
    else { return nil }
    let nearest = Spelling.nearest(to: output, among: outputs).map { "did you mean '\($0.lowercased())'?" }
    return ("the job '\(property)' has no output '\(output)'", nearest)
  }

  private static let advice = [
    "needs": "only jobs that stand in this job's 'needs' are known", "steps": "only earlier steps of the job with this 'id' are known",
  ]
}

extension TemplateJob {
  /// Nil where another file, or an expression, decides them.
  fileprivate var outputNames: Set<String>? {
    guard case .runner(let runner) = kind else { return nil }
    guard let outputs = runner.outputs else { return [] }
    guard let entries = outputs.entries, entries.allSatisfy({ $0.key.string != nil }) else { return nil }
    return Set(entries.map(\.key.authored.expressionFolded))
  }

  /// The names of the matrix, those that `include` brings among them; nil where an expression decides.
  fileprivate var matrixNames: Set<String>? {
    guard let strategy else { return [] }
    guard strategy.entries != nil else { return nil }
    guard let matrix = strategy["matrix"] else { return [] }
    guard let entries = matrix.entries, entries.allSatisfy({ $0.key.string != nil }) else { return nil }
    var names = Set(entries.compactMap(\.key.string).filter { $0 != "include" && $0 != "exclude" })
    if let include = matrix["include"] {
      guard let rows = include.items else { return nil }
      for row in rows {
        guard let fields = row.entries, fields.allSatisfy({ $0.key.string != nil }) else { return nil }
        names.formUnion(fields.map(\.key.authored))
      }
    }
    return Set(names.map(\.expressionFolded))
  }
}
