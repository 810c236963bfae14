extension WorkflowFile {
  /// The public model of a template without errors.
  init(_ template: WorkflowTemplate, path: String) {
    let triggers = template.on.map(Trigger.all) ?? []
    self.init(
      path: path, name: template.name?.authored, runName: template.runName?.authored, triggers: triggers.map(\.event).sorted(),
      on: triggers,
      env: template.env?.texts ?? [:], defaults: RunDefaults(template.defaults),
      permissions: template.permissions.map(\.written), concurrencyGroup: template.concurrency?.group,
      jobs: template.jobs.map(JobDefinition.init))
  }
}

extension JobDefinition {
  init(_ job: TemplateJob) {
    let runner: TemplateJob.RunnerJob? = if case .runner(let runner) = job.kind { runner } else { nil }
    let call: TemplateJob.WorkflowCall? = if case .call(let call) = job.kind { call } else { nil }
    let steps = runner?.steps ?? []
    self.init(
      key: job.id.authored, name: job.hasOwnName ? job.name.authored : nil, needs: job.needs.map(\.authored),
      condition: job.writtenCondition?.authored, runsOn: RunsOn(runner?.runsOn), strategy: StrategyConverter.strategy(job.strategy),
      container: runner?.container.flatMap(ContainerDefinition.init),
      services: (runner?.services?.entries ?? []).compactMap { entry in
        ContainerDefinition(entry.value).map { ServiceDefinition(name: entry.key.authored, container: $0) }
      },
      servicesExpression: runner?.services.flatMap { $0.isExpression ? $0.text : nil }, env: runner?.env?.texts ?? [:],
      envExpression: runner?.env?.mergedExpression, defaults: RunDefaults(runner?.defaults), steps: steps.compactMap(Step.init),
      stepControls: StepControl.all(in: steps), timeoutMinutes: runner?.timeoutMinutes?.authored,
      continueOnError: runner?.continueOnError?.authored, environment: runner?.environment.flatMap { ($0["name"] ?? $0).authored },
      uses: call?.reference.authored, with: call?.inputValues?.texts ?? [:], secrets: call?.secretValues?.texts ?? [:],
      inheritsSecrets: call?.inheritsSecrets ?? false, calledJobs: (call?.jobs ?? []).map(JobDefinition.init),
      outputs: runner?.outputs?.texts ?? [:], permissions: job.ownPermissions.map(\.written), concurrencyGroup: job.concurrency?.group,
      grants: job.permissions, snapshot: runner?.snapshot.map { ($0["image-name"] ?? $0).authored }, line: job.id.line)
  }
}

extension TemplateJob {
  fileprivate var hasOwnName: Bool { name.line != id.line || name.column != id.column }
}

extension RunsOn {
  init(_ token: TemplateToken?) {
    let labels = token?.entries == nil ? token : token?["labels"]
    self.init(labels: (labels?.oneOrMore ?? []).map(\.authored), group: token?["group"]?.authored)
  }
}

extension RunDefaults {
  init(_ token: TemplateToken?) {
    let run = token?["run"]
    self.init(shell: run?["shell"]?.authored, workingDirectory: run?["working-directory"]?.authored)
  }
}

extension ContainerDefinition {
  /// Nil for the empty text that switches a container off.
  init?(_ token: TemplateToken) {
    let image = (token.entries == nil ? token : token["image"])?.authored ?? ""
    if image.isEmpty, token.entries == nil { return nil }
    self.init(
      image: image, env: token["env"]?.texts ?? [:], options: token["options"]?.authored,
      ports: (token["ports"]?.items ?? []).map(\.authored), volumes: (token["volumes"]?.items ?? []).map(\.authored),
      credentials: token["credentials"].flatMap { credentials in
        credentials.entries == nil
          ? nil : Credentials(username: credentials["username"]?.authored, password: credentials["password"]?.authored)
      }, line: token.line)
  }
}

extension Step {
  /// Nil for a step that only waits or cancels.
  init?(_ step: TemplateStep) {
    let uses: TemplateToken?
    let with: TemplateToken?
    let script: TemplateToken?
    let shell: TemplateToken?
    let directory: TemplateToken?
    switch step.kind {
    case .run(let run, let workingDirectory, let ownShell):
      (uses, with, script, shell, directory) = (nil, nil, run, ownShell, workingDirectory)
    case .action(let action, let inputs): (uses, with, script, shell, directory) = (action, inputs, nil, nil, nil)
    case .wait, .waitForAll, .cancel: return nil
    }
    self.init(
      id: step.hasOwnID ? step.id : nil, name: step.name?.authored, condition: step.writtenCondition?.authored, uses: uses?.authored,
      with: with?.texts ?? [:], run: script?.authored, shell: shell?.authored, workingDirectory: directory?.authored,
      env: step.env?.texts ?? [:], continueOnError: step.continueOnError?.authored, timeoutMinutes: step.timeoutMinutes?.authored,
      isBackground: step.isBackground, line: step.line)
  }
}

extension StepControl {
  static func all(in steps: [TemplateStep]) -> [StepControl] {
    var controls: [StepControl] = []
    var position = 0
    for step in steps {
      switch step.kind {
      case .run, .action: position += 1
      case .wait(let names): controls.append(StepControl(action: .wait(for: names.map(\.authored)), position: position))
      case .waitForAll: controls.append(StepControl(action: .waitForAll, position: position))
      case .cancel(let name): controls.append(StepControl(action: .cancel(name.authored), position: position))
      }
    }
    return controls
  }
}

extension TemplateToken {
  /// Of `concurrency`: a text, or a mapping with a `group`.
  fileprivate var group: String? {
    let text = (entries == nil ? self : self["group"])?.authored
    return text?.isEmpty == false ? text : nil
  }

  /// The expression that stands for a mapping, or that `${{ insert }}` merges into it.
  fileprivate var mergedExpression: String? { isExpression ? text : entries?.first { $0.key.isInsert }?.value.text }
}

extension Permissions {
  /// By scope, as an author writes it; what names all scopes stands under `*`.
  fileprivate var written: [String: String] {
    if self == Permissions(all: .read) { return ["*": "read-all"] }
    if self == Permissions(all: .write) { return ["*": "write-all"] }
    return levels.mapValues(\.word)
  }
}
