/// Triggers that run, and are probably not meant so.
struct TriggerRules: WorkflowRule {
  private static let shortestInterval = 5

  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    for entry in template.on?.entries ?? [] {
      let event = entry.key.authored
      for filter in entry.value.entries ?? [] { check(filter, event: event, &report) }
      if event == "schedule" { checkIntervals(entry.value, &report) }
      if event == "workflow_call" { checkDefaults(entry.value["inputs"], &report) }
    }
  }

  private func check(_ filter: TemplateEntry, event: String, _ report: inout ValidationReport) {
    let name = filter.key.authored
    if event == "image_version", Trigger.filterNames.contains(name), filter.value.items?.isEmpty == true {
      report.add(.triggerUse, "'\(name)' is empty: no image is meant", at: filter.value)
    }
    let kind: FilterPattern.Kind
    switch name {
    case "branches", "branches-ignore", "tags", "tags-ignore": kind = .ref
    case "paths", "paths-ignore": kind = .path
    default: return
    }
    for token in filter.value.oneOrMore {
      guard let pattern = token.string, !pattern.isEmpty, let complaint = FilterPattern(pattern, kind).complaint else { continue }
      report.add(.filterPattern, "the pattern '\(pattern)' \(complaint)", at: token)
    }
  }

  private func checkIntervals(_ token: TemplateToken, _ report: inout ValidationReport) {
    for item in token.items ?? [] {
      guard let cron = item["cron"], let text = cron.string, let schedule = try? CronSchedule(text) else { continue }
      if schedule.interval < Self.shortestInterval {
        report.add(
          .triggerUse, "GitHub starts a schedule every \(Self.shortestInterval) minutes at most, not every \(schedule.interval)", at: cron)
      }
    }
  }

  private func checkDefaults(_ inputs: TemplateToken?, _ report: inout ValidationReport) {
    for input in inputs?.entries ?? [] where input.value["required"]?.boolean == true {
      guard let byDefault = input.value["default"] else { continue }
      report.add(.triggerUse, "the input '\(input.key.authored)' is required, so its default is never taken", at: byDefault)
    }
  }
}
