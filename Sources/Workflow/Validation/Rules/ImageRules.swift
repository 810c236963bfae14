/// Whether the images that a job names can be pulled, are approved, and stay the same.
struct ImageRules: WorkflowRule {
  let host: HostFacts

  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    for (_, runner) in template.runnerJobs {
      if let container = runner.container {
        check(container["image"] ?? container, &report)
        checkPlatform(container, runner, &report)
      }
      for service in runner.services?.entries ?? [] {
        check(service.value["image"] ?? service.value, &report)
        checkPlatform(service.value, runner, &report)
      }
      for case .action(let uses, _) in runner.steps.map(\.kind) where uses.authored.hasPrefix("docker://") { check(uses, &report) }
    }
  }

  private func check(_ token: TemplateToken, _ report: inout ValidationReport) {
    guard let text = token.string, !text.isEmpty, !ExpressionTemplate.containsExpression(token.text) else { return }
    let name = text.hasPrefix("docker://") ? String(text.dropFirst("docker://".count)) : text
    if name.isEmpty { return }
    do {
      let image = try ImageReference.parse(name)
      if let allowed = host.allowedImages, !allowed.allows(image) {
        report.add(
          .imageRegistry, "image \(image) is not approved", at: token, hint: "ask for it to be put on the list, or take one that is")
      }
      if image.digest == nil, image.tag == nil || image.tag == "latest" {
        report.add(
          .imageTag, "image '\(name)' has no fixed version: it changes without notice", at: token, hint: "add a tag, or better a digest")
      }
    } catch {
      // What has no name cannot be on a list either.
      report.add(host.allowedImages == nil ? .imageName : .imageRegistry, error.description, at: token)
    }
  }

  /// Containers of jobs run on Linux only.
  private func checkPlatform(_ container: TemplateToken, _ runner: TemplateJob.RunnerJob, _ report: inout ValidationReport) {
    let labels = (runner.runsOn?["labels"] ?? runner.runsOn)?.oneOrMore.compactMap(\.string) ?? []
    if let system = labels.compactMap(RunnerSystem.init(label:)).first(where: { $0 != .linux }) {
      report.add(.imagePlatform, "containers of jobs run on Linux only, and this job asks for \(system.rawValue)", at: container)
    }
    guard let options = container["options"], let text = options.string else { return }
    for platform in ContainerOptions(text).values(of: "--platform") where !platform.hasPrefix("linux") {
      report.add(.imagePlatform, "the platform '\(platform)' is none that a runner's Docker has", at: options)
    }
  }
}

/// The operating system that a label asks for.
enum RunnerSystem: String {
  case linux = "Linux"
  case windows = "Windows"
  case macOS

  init?(label: String) {
    let label = label.lowercased()
    if label == "linux" || label.hasPrefix("ubuntu-") {
      self = .linux
    } else if label == "windows" || label.hasPrefix("windows-") {
      self = .windows
    } else if label == "macos" || label.hasPrefix("macos-") {
      self = .macOS
    } else {
      return nil
    }
  }
}
