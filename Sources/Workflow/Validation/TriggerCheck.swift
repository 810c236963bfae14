/// What GitHub demands of triggers beyond their grammar: filters that exclude each other, schedules, inputs.
struct TriggerCheck {
  private static let exclusive = [("branches", "branches-ignore"), ("tags", "tags-ignore"), ("paths", "paths-ignore")]
  private static let maximumDispatchInputs = 25

  let collector: DiagnosticCollector

  func check(_ on: TemplateToken) {
    for entry in on.entries ?? [] {
      let event = entry.key.authored
      checkFilters(entry.value, event: event)
      switch event {
      case "schedule": checkSchedule(entry.value)
      case "workflow_dispatch": checkDispatch(entry)
      case "workflow_call":
        for input in entry.value["inputs"]?.entries ?? [] { checkDefault(input) }
      default: break
      }
    }
    for name in on.oneOrMore where name.string == "schedule" {
      collector.error("The event 'schedule' needs a configuration with 'cron'", at: name, rule: .trigger)
    }
  }

  private func checkFilters(_ token: TemplateToken, event: String) {
    for (plain, ignoring) in Self.exclusive {
      guard token[plain] != nil, let second = token.entries?.first(where: { $0.key.string == ignoring }) else { continue }
      collector.error(
        "The event '\(event)' cannot have both '\(plain)' and '\(ignoring)'", at: second.key, rule: .trigger,
        hint: "write the exceptions as patterns with '!' under '\(plain)'")
    }
    for entry in token.entries ?? [] where Trigger.filterNames.contains(entry.key.authored) || entry.key.string == "types" {
      // GitHub runs a file with empty names or versions of images.
      if event != "image_version", entry.value.items?.isEmpty == true {
        collector.error("'\(entry.key.authored)' of the event '\(event)' may not be empty", at: entry.value, rule: .trigger)
      }
    }
  }

  // MARK: Schedules

  private func checkSchedule(_ token: TemplateToken) {
    if token.items?.isEmpty == true { collector.error("'schedule' may not be empty", at: token, rule: .cron) }
    for item in token.items ?? [] {
      if let cron = item["cron"], let text = cron.string, !text.isEmpty {
        do {
          _ = try CronSchedule(text)
        } catch {
          collector.error("Invalid cron '\(text)': \(error.reason)", at: cron, rule: .cron)
        }
      }
      if let zone = item["timezone"], let name = zone.string, !name.isEmpty, !TimeZones.contains(name) {
        collector.error("Unknown time zone '\(name)'", at: zone, rule: .cron, hint: "use a name of the IANA's table, such as Europe/Berlin")
      }
    }
  }

  // MARK: Inputs

  private func checkDispatch(_ entry: TemplateEntry) {
    guard let inputs = entry.value["inputs"]?.entries else { return }
    if inputs.count > Self.maximumDispatchInputs {
      collector.error(
        "'workflow_dispatch' may have \(Self.maximumDispatchInputs) inputs, not \(inputs.count)", at: entry.key, rule: .trigger)
    }
    for input in inputs {
      checkOptions(input)
      checkDefault(input)
    }
  }

  private func checkOptions(_ input: TemplateEntry) {
    let name = input.key.authored
    let type = input.value["type"]?.string ?? "string"
    let options = input.value.entries?.first { $0.key.string == "options" }
    guard type == "choice" else {
      if options != nil { collector.error("The input '\(name)' has options, but its type is \(type)", at: input.key, rule: .trigger) }
      return
    }
    guard let options, let items = options.value.items, !items.isEmpty else {
      let place = options?.value ?? input.value["type"] ?? input.key
      collector.error("The choice '\(name)' needs options", at: place, rule: .trigger)
      return
    }
    var seen: Set<String> = []
    for item in items where !seen.insert(item.authored).inserted {
      collector.error("The option '\(item.authored)' stands twice", at: item, rule: .trigger)
    }
    guard let byDefault = input.value["default"], !byDefault.isExpression, !seen.contains(byDefault.authored) else { return }
    collector.error("The default '\(byDefault.authored)' of '\(name)' is none of its options", at: byDefault, rule: .trigger)
  }

  private func checkDefault(_ input: TemplateEntry) {
    guard let byDefault = input.value["default"], !byDefault.isExpression, let type = input.value["type"]?.string else { return }
    let text = byDefault.authored
    let fits =
      switch type {
      case "boolean": byDefault.boolean != nil || text == "true" || text == "false"
      case "number": byDefault.number != nil || !ExpressionNumber.parse(text).isNaN
      default: true
      }
    if !fits { collector.error("The default '\(text)' of '\(input.key.authored)' is no \(type)", at: byDefault, rule: .inputType) }
  }
}
