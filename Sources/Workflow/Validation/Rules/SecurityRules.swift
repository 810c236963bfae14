/// What gives strangers, or the job itself, more than it needs.
struct SecurityRules: WorkflowRule {
  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    if let permissions = template.permissions {
      // A place above all jobs, or none where there is no such line: it concerns all of them, wherever the key stands.
      let isAbove = template.jobs.allSatisfy { $0.id.line > 1 }
      checkPermissions(permissions, line: isAbove ? 1 : nil, column: isAbove ? 1 : nil, &report)
    }
    let isTarget = (template.on.map(Trigger.all) ?? []).contains { $0.event == "pull_request_target" || $0.event == "workflow_run" }
    for job in template.jobs {
      if let permissions = job.ownPermissions { checkPermissions(permissions, line: job.id.line, column: job.id.column, &report) }
      switch job.kind {
      case .call(let call): checkPinning(call.reference, &report)
      case .runner(let runner):
        checkContainer(runner.container, &report)
        for service in runner.services?.entries ?? [] { checkContainer(service.value, &report) }
        for step in runner.steps {
          guard case .action(let uses, let with) = step.kind else { continue }
          checkPinning(uses, &report)
          if isTarget { checkCheckout(uses, with, &report) }
        }
      }
    }
  }

  private func checkPermissions(_ permissions: Permissions, line: Int?, column: Int?, _ report: inout ValidationReport) {
    guard permissions == Permissions(all: .write) else { return }
    report.add(
      .widePermissions, "'write-all' gives the token everything", line: line, column: column,
      hint: "name the scopes that are needed, such as 'contents: read'")
  }

  /// A tag or branch can be moved to other code; a commit cannot.
  private func checkPinning(_ uses: TemplateToken, _ report: inout ValidationReport) {
    guard let text = uses.string, let action = ActionReference(text), !action.isPinned else { return }
    report.add(
      .unpinnedAction, "'\(text)' is not pinned: '\(action.ref)' can be moved to other code", at: uses,
      hint: "name the commit, and the version in a comment")
  }

  private func checkCheckout(_ uses: TemplateToken, _ with: TemplateToken?, _ report: inout ValidationReport) {
    guard let text = uses.string, ActionReference(text).map({ "\($0.owner)/\($0.repository)".lowercased() }) == "actions/checkout" else {
      return
    }
    for key in ["ref", "repository"] {
      guard let token = with?[key] else { continue }
      var takesHead = false
      token.forEachExpression { _, expression in
        takesHead =
          takesHead
          || expression.paths.contains { path in
            path.folded.hasPrefix("github.event.pull_request.head") || path.folded == "github.head_ref"
              || path.folded.hasPrefix("github.event.workflow_run.head") || path.folded == "github.event.pull_request.merge_commit_sha"
          }
      }
      if takesHead {
        report.add(
          .headCheckout, "a stranger's code is checked out where secrets and a writing token are at hand", at: token,
          hint: "use the event 'pull_request', or run nothing of what is checked out")
      }
    }
  }

  private func checkContainer(_ container: TemplateToken?, _ report: inout ValidationReport) {
    guard let container else { return }
    if let token = container["options"], let text = token.string {
      let options = ContainerOptions(text)
      var found = ["--privileged"].filter(options.has)
      found += options.values(of: "--cap-add").map { "--cap-add \($0)" }
      found += options.values(of: "--device").map { "--device \($0)" }
      for name in ["--pid", "--network", "--net", "--ipc", "--uts", "--userns"] where options.values(of: name).contains("host") {
        found.append("\(name) host")
      }
      found += options.values(of: "--security-opt").filter { $0.contains("unconfined") || $0.contains("disable") }.map {
        "--security-opt \($0)"
      }
      if !found.isEmpty { report.add(.privilegedContainer, "\(found.joined(separator: ", ")) opens the host to the job", at: token) }
    }
    for volume in container["volumes"]?.items ?? [] {
      guard let source = volume.string?.split(separator: ":").first, source == "/" || source.hasSuffix("docker.sock") else { continue }
      report.add(.privilegedContainer, "the volume '\(source)' opens the host to the job", at: volume)
    }
  }
}
