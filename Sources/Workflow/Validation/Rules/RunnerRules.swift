/// Whether anything can ever run a job: labels and requests against what the host offers.
struct RunnerRules: WorkflowRule {
  let host: HostFacts
  /// nil: none of the file's comments asks for anything.
  let comments: RequestComments?

  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    for (job, runner) in template.runnerJobs {
      guard let runsOn = runner.runsOn else { continue }
      let tokens = ((runsOn.entries == nil ? runsOn : runsOn["labels"])?.oneOrMore ?? []).filter { !$0.isExpression }
      checkConflict(tokens, &report)
      checkOffers(tokens, isComplete: !runsOn.containsExpression, runsOn, &report)
      checkRequests(job, runner, labels: tokens.map { $0.authored.lowercased() }, &report)
    }
  }

  private func checkConflict(_ labels: [TemplateToken], _ report: inout ValidationReport) {
    var first: (label: String, system: RunnerSystem)?
    for label in labels {
      guard let system = RunnerSystem(label: label.authored) else { continue }
      if let first, first.system != system {
        report.add(.labelConflict, "no runner has both '\(first.label)' and '\(label.authored)'", at: label)
      }
      first = first ?? (label.authored, system)
    }
  }

  private func checkOffers(_ labels: [TemplateToken], isComplete: Bool, _ runsOn: TemplateToken, _ report: inout ValidationReport) {
    if host.offers.isEmpty || labels.isEmpty { return }
    let wanted = Set(labels.map { $0.authored.lowercased() })
    if !wanted.isDisjoint(with: host.foreignLabels.map { $0.lowercased() }) || wanted.contains(where: Self.isGitHubs) { return }
    // Labels that an expression adds can only narrow what is offered.
    if host.offers.contains(where: { wanted.isSubset(of: $0.labels.map { $0.lowercased() }) }) { return }
    let known = Set(host.offers.flatMap(\.labels).map { $0.lowercased() })
    let unknown = labels.filter { !known.contains($0.authored.lowercased()) }
    let named = (unknown.isEmpty ? labels : unknown).map { "'\($0.authored)'" }.joined(separator: ", ")
    let hint = unknown.first.flatMap { Spelling.nearest(to: $0.authored, among: known) }.map { "did you mean '\($0)'?" }
    report.add(
      .unservedLabels, unknown.isEmpty ? "no pool has \(named) together" : "no pool has \(named)", at: unknown.first ?? runsOn, hint: hint)
  }

  /// `ubuntu-24.04` and its like: machines that GitHub itself runs.
  private static func isGitHubs(_ label: String) -> Bool { ["ubuntu-", "windows-", "macos-"].contains(where: label.hasPrefix) }

  private func checkRequests(
    _ job: TemplateJob, _ runner: TemplateJob.RunnerJob, labels: [String], _ report: inout ValidationReport
  ) {
    // Most jobs have nothing but labels to ask with, and a model of them need not be made.
    let requests: ResourceRequests
    if comments != nil || Self.mayAsk(runner) {
      let definition = JobDefinition(job)
      requests = ResourceRequests(definition, comment: comments?.comment(of: definition))
    } else {
      requests = ResourceRequests(nil, labels: labels)
    }
    for complaint in requests.complaints {
      report.add(.resourceRequest, complaint, at: runner.container ?? runner.env ?? job.id)
    }
    let offers = host.offers.filter { $0.serves(labels) }
    let asked = requests.total
    if offers.isEmpty || offers.contains(where: { $0.size.covers(asked) }) { return }
    let place = runner.container?["options"] ?? runner.runsOn ?? job.id
    let count = report.diagnostics.count
    if let cpus = asked.milliCPUs, let most = most(offers.map(\.milliCPUs)), cpus > most {
      report.add(.oversizedRequest, "it asks for \(Self.shown(cpus)) CPUs, and no pool has more than \(Self.shown(most))", at: place)
    }
    if let memory = asked.memoryBytes, let most = most(offers.map(\.memoryBytes)), memory > most {
      report.add(
        .oversizedRequest, "it asks for \(memory >> 20) MiB of memory, and no pool has more than \(most >> 20) MiB", at: place)
    }
    if let gpus = asked.gpus, let most = most(offers.map(\.gpus)), gpus > most {
      report.add(.oversizedRequest, "it asks for \(gpus) GPUs, and no pool has more than \(most)", at: place)
    }
    if report.diagnostics.count == count {
      report.add(.oversizedRequest, "no pool of its labels has all that it asks for together", at: place)
    }
  }

  /// Whether a job has places for requests beside its labels and comments: a container, services, or a variable.
  private static func mayAsk(_ runner: TemplateJob.RunnerJob) -> Bool {
    if runner.container != nil || runner.services != nil { return true }
    return runner.env?.entries?.contains { $0.key.authored.hasPrefix("RUNNERHUB_") } ?? false
  }

  /// The largest offer; nil where one is without a bound.
  private func most<Value: Comparable>(_ values: [Value?]) -> Value? {
    values.contains { $0 == nil } ? nil : values.compactMap(\.self).max()
  }

  private static func shown(_ milliCPUs: Int) -> String { ExpressionNumber.text(Double(milliCPUs) / 1_000) }
}

extension HostFacts.Offer {
  /// Whether a job of these labels, in lower case, may come here.
  fileprivate func serves(_ wanted: [String]) -> Bool { Set(wanted).isSubset(of: labels.map { $0.lowercased() }) }

  fileprivate var size: ResourceRequest { ResourceRequest(milliCPUs: milliCPUs, memoryBytes: memoryBytes, gpus: gpus) }
}
