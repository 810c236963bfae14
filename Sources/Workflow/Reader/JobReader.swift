/// Reads one entry under `jobs`.
struct JobReader {
  let collector: DiagnosticCollector

  func read(_ entry: YAMLEntry) -> JobDefinition? {
    guard var fields = MappingFields(entry.value, collector) else { return nil }
    let calls = fields.has("uses")
    if !calls, !fields.has("runs-on") { collector.error("Required property is missing: runs-on", at: entry.value) }
    let job = JobDefinition(
      key: entry.key,
      name: fields.text("name"),
      needs: fields.list("needs").compactMap(\.text),
      condition: fields.text("if"),
      runsOn: runsOn(calls ? nil : fields.take("runs-on")),
      strategy: StrategyReader(collector: collector).read(fields.take("strategy")),
      container: calls ? nil : fields.take("container").flatMap { ContainerReader(collector: collector).read($0, isService: false) },
      services: calls ? [] : services(fields.take("services")),
      servicesExpression: fields.entry("services").flatMap { $0.value.isExpression ? $0.value.text : nil },
      env: calls ? [:] : fields.texts("env"),
      defaults: calls ? .none : RunDefaults(fields.take("defaults"), collector),
      steps: calls ? [] : steps(fields.take("steps")),
      timeoutMinutes: calls ? nil : fields.number("timeout-minutes"),
      continueOnError: calls ? nil : fields.boolean("continue-on-error"),
      environment: calls ? nil : environment(fields.take("environment")),
      uses: calls ? fields.nonEmptyText("uses") : nil,
      outputs: calls ? [:] : fields.texts("outputs"),
      permissions: fields.take("permissions")?.permissions,
      concurrencyGroup: fields.take("concurrency")?.concurrencyGroup,
      line: entry.line)
    for known in calls ? ["with", "secrets"] : ["cancel-timeout-minutes", "snapshot"] { _ = fields.take(known) }
    fields.finish()
    ExpressionSyntax.checkBareCondition(fields.entry("if")?.value, collector)
    return job
  }

  private func runsOn(_ node: YAMLNode?) -> RunsOn {
    guard let node else { return RunsOn(labels: [], group: nil) }
    switch node.content {
    case .scalar: return RunsOn(labels: node.nonEmptyText(collector).map { [$0] } ?? [], group: nil)
    case .sequence: return RunsOn(labels: node.nonEmptyItems(collector).compactMap(\.text), group: nil)
    case .mapping:
      guard var fields = MappingFields(node, collector) else { return RunsOn(labels: [], group: nil) }
      let runsOn = RunsOn(labels: fields.list("labels").compactMap(\.text), group: fields.nonEmptyText("group"))
      fields.finish()
      return runsOn
    }
  }

  private func services(_ node: YAMLNode?) -> [ServiceDefinition] {
    guard let node, !node.isExpression else { return [] }
    return (node.entries(collector) ?? []).compactMap { entry in
      ContainerReader(collector: collector).read(entry.value, isService: true).map { ServiceDefinition(name: entry.key, container: $0) }
    }
  }

  private func environment(_ node: YAMLNode?) -> String? {
    guard let node else { return nil }
    guard case .mapping = node.content, var fields = MappingFields(node, collector) else { return node.scalarText(collector) }
    if !fields.has("name") { collector.error("Required property is missing: name", at: node) }
    let name = fields.text("name")
    _ = fields.text("url")
    _ = fields.boolean("deployment")
    fields.finish()
    return name
  }

  private func steps(_ node: YAMLNode?) -> [Step] {
    guard let node, let items = node.items(collector) else { return [] }
    var reader = StepReader(collector: collector)
    return items.flatMap { reader.read($0) }
  }
}
