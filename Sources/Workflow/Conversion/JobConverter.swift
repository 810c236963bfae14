/// Makes one job of a template.
struct JobConverter {
  private static let maximumGroupLength = 400

  let collector: DiagnosticCollector

  func convert(_ entry: TemplateEntry) -> TemplateJob? {
    guard let fields = entry.value.entries, let id = entry.key.string else { return nil }
    var builder = IdentifierBuilder()
    if let complaint = builder.add(id) { collector.error(complaint, at: entry.key, rule: .identifier) }
    var job = TemplateJob(
      id: entry.key, name: entry.key, condition: ConditionConverter.success, kind: .runner(TemplateJob.RunnerJob()))
    var runner = TemplateJob.RunnerJob()
    for field in fields {
      let value = field.value
      switch field.key.string {
      case "name": if value.string != "" { job.name = value }
      case "needs": job.needs = value.oneOrMore
      case "if":
        job.writtenCondition = value
        job.condition = ConditionConverter(collector: collector, scope: [.beforeMatrix, .jobStatus]).convert(value)
      case "strategy":
        job.strategy = value
        StrategyConverter(collector: collector).check(value)
      case "permissions":
        job.ownPermissions = Permissions(value)
        job.permissions = job.ownPermissions
      case "concurrency":
        checkConcurrency(value)
        job.concurrency = value
      default: convert(field, into: &runner)
      }
    }
    job.kind = call(entry.value).map(TemplateJob.Kind.call) ?? .runner(runner)
    return job
  }

  private func call(_ job: TemplateToken) -> TemplateJob.WorkflowCall? {
    guard let reference = job["uses"] else { return nil }
    checkReference(reference)
    var call = TemplateJob.WorkflowCall(reference: reference)
    call.inputValues = job["with"]
    call.inheritsSecrets = job["secrets"]?.string == "inherit"
    if !call.inheritsSecrets { call.secretValues = job["secrets"] }
    return call
  }

  private func convert(_ field: TemplateEntry, into runner: inout TemplateJob.RunnerJob) {
    let value = field.value
    switch field.key.string {
    case "runs-on":
      runner.runsOn = value
      checkGroup(value["group"])
    case "timeout-minutes": runner.timeoutMinutes = value
    case "cancel-timeout-minutes": runner.cancelTimeoutMinutes = value
    case "continue-on-error": runner.continueOnError = value
    case "container":
      runner.container = value
      ContainerCheck(collector: collector).check(value, isService: false)
    case "services":
      runner.services = value
      for service in value.entries ?? [] { ContainerCheck(collector: collector).check(service.value, isService: true) }
    case "env": runner.env = value
    case "environment": runner.environment = value
    case "outputs": runner.outputs = value
    case "defaults": runner.defaults = value
    case "snapshot":
      runner.snapshot = value
      checkSnapshot(value)
    case "steps": runner.steps = StepConverter.convert(value, collector)
    default: break
    }
  }

  // MARK: Checks of single fields

  func checkConcurrency(_ token: TemplateToken) {
    guard let group = token.string ?? token["group"]?.string, group.utf16.count > Self.maximumGroupLength else { return }
    collector.error("Concurrency group name must be less than \(Self.maximumGroupLength) characters", at: token, rule: .concurrency)
  }

  private func checkGroup(_ token: TemplateToken?) {
    guard let token, let group = token.string else { return }
    let parts = group.split(separator: "/", omittingEmptySubsequences: false)
    let message = "Invalid runs-on group name '\(group)'."
    if parts.count == 2, parts[1].isEmpty {
      collector.error(message, at: token, rule: .runnerGroup)
    } else if parts.count > 2 || (parts.count == 2 && !["org", "organization", "ent", "enterprise"].contains(parts[0])) {
      collector.error(
        message + " Please use 'organization/' or 'enterprise/' prefix to target a single runner group.", at: token, rule: .runnerGroup)
    }
  }

  /// `owner/repository/path@ref`, or a path in the same repository, which has no ref.
  private func checkReference(_ token: TemplateToken) {
    // What an expression makes, a literal one included, is not looked at.
    guard let text = token.string, !text.isEmpty, text == token.text else { return }
    let isLocal = text.hasPrefix("./") && !text.contains("@")
    let remote = ActionReference(text)
    if isLocal || remote.map({ !$0.path.isEmpty }) == true { return }
    collector.error(
      "Invalid workflow reference '\(text)': expected {owner}/{repo}/{path}@{ref} or ./{path}", at: token, rule: .calledWorkflow)
  }

  private func checkSnapshot(_ token: TemplateToken) {
    if let condition = token["if"] { _ = ConditionConverter(collector: collector, scope: .onRunner).convert(condition) }
    guard let version = token["version"]?.string else { return }
    let parts = version.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count == 2, parts[1] == "*", !parts[0].isEmpty, parts[0].allSatisfy(\.isNumber) { return }
    collector.error("Expected format '{major-version}.*' Actual '\(version)'", at: token, rule: .unexpectedValue)
  }
}

/// Checks that a container has an image, where the file alone says which.
struct ContainerCheck {
  let collector: DiagnosticCollector

  func check(_ token: TemplateToken, isService: Bool) {
    if token.containsExpression { return }
    let image = token.string ?? (token.entries == nil ? nil : token["image"].map(\.authored) ?? "")
    guard let image else { return }
    let trimmed = image.hasPrefix("docker://") ? String(image.dropFirst("docker://".count)) : image
    // An empty short form switches a job's container off.
    let mayBeEmpty = !isService && token.string != nil && trimmed == image
    if trimmed.isEmpty, !mayBeEmpty { collector.error("Container image cannot be empty", at: token, rule: .containerImage) }
  }
}
