/// Shells, names of variables, and steps in the background.
struct StepRules: WorkflowRule {
  private static let shells: Set<String> = ["bash", "sh", "pwsh", "powershell", "python", "cmd"]

  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    checkNames(template.env, &report)
    checkShell(template.defaults?["run"]?["shell"], &report)
    for (_, runner) in template.runnerJobs {
      checkNames(runner.env, &report)
      checkShell(runner.defaults?["run"]?["shell"], &report)
      checkNames(runner.container?["env"], &report)
      for service in runner.services?.entries ?? [] { checkNames(service.value["env"], &report) }
      for step in runner.steps {
        checkNames(step.env, &report)
        if case .run(_, _, let shell) = step.kind { checkShell(shell, &report) }
      }
      checkControls(runner.steps, &report)
    }
  }

  private func checkShell(_ token: TemplateToken?, _ report: inout ValidationReport) {
    guard let token, let shell = token.string, !shell.isEmpty, !shell.contains("{0}") else { return }
    let program = shell.split(separator: " ").first.map(String.init) ?? shell
    if Self.shells.contains(program.lowercased()) { return }
    report.add(
      .shell, "unknown shell '\(shell)'", at: token,
      hint: Spelling.nearest(to: program, among: Self.shells).map { "did you mean '\($0)'?" }
        ?? "another program needs '{0}' for the script")
  }

  private func checkNames(_ token: TemplateToken?, _ report: inout ValidationReport) {
    for entry in token?.entries ?? [] {
      guard let name = entry.key.string, !name.utf8.allSatisfy(Self.isOfName),
        name.contains(where: { $0 == "=" || $0 == "&" || $0.isWhitespace })
      else { continue }
      report.add(.environmentName, "'\(name)' is no name of a variable: it may not have '=', '&' or blanks", at: entry.key)
    }
  }

  /// What nearly all names are made of.
  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
    default: false
    }
  }

  /// `wait` and `cancel` name steps that run in the background by then.
  private func checkControls(_ steps: [TemplateStep], _ report: inout ValidationReport) {
    var background: Set<String> = []
    for step in steps {
      if step.isBackground, step.hasOwnID, let id = step.id { background.insert(id.expressionFolded) }
      let names: [TemplateToken]
      switch step.kind {
      case .wait(let targets): names = targets
      case .cancel(let target): names = [target]
      case .run, .action, .waitForAll: names = []
      }
      for name in names where !background.contains(name.authored.expressionFolded) {
        report.add(.stepControl, "no earlier step '\(name.authored)' runs in the background", at: name)
      }
    }
  }
}
