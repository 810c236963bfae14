/// Follows the calls of reusable workflows, file by file, and checks each call against what is called.
struct CalledWorkflows {
  /// One caller and fifty called files, as at GitHub.
  private static let maximumFiles = 51

  private struct Loaded {
    let template: WorkflowTemplate
    let trigger: TemplateToken?
    let byteCount: Int
  }

  let collector: DiagnosticCollector
  let options: WorkflowOptions
  /// How a reference leads to its text.
  let texts: [String: String]

  private(set) var files: [String]
  private var jobCount = 0
  /// Bytes of all values so far, those of a file as often as it is called.
  private var size: Int
  /// A file is read once, however often it is called.
  private var loaded: [String: Loaded] = [:]

  init(collector: DiagnosticCollector, options: WorkflowOptions, texts: [String: String], root: String, size: Int) {
    self.size = size
    self.collector = collector
    self.options = options
    self.texts = texts
    files = [root]
  }

  /// Fills in what the called files say; a call whose file is not known is left as it is.
  mutating func follow(_ jobs: [TemplateJob]) -> [TemplateJob] {
    jobCount = jobs.count
    return follow(jobs, in: nil, depth: 1)
  }

  /// How a call is known: as it stands, or as its own file's repository resolves it.
  private func reference(of call: TemplateJob.WorkflowCall, in file: String?) -> String? {
    guard let text = call.reference.string, options.resolvesReferences else { return call.reference.string }
    return WorkflowReference(text, in: file.flatMap { WorkflowReference($0) })?.description
  }

  private mutating func follow(_ jobs: [TemplateJob], in file: String?, depth: Int) -> [TemplateJob] {
    var jobs = jobs
    for index in jobs.indices {
      guard case .call(let call) = jobs[index].kind, let reference = reference(of: call, in: file), let text = texts[reference] else {
        continue
      }
      if depth > options.maximumCallDepth {
        collector.error("Nested reusable workflow depth exceeded \(options.maximumCallDepth).", line: nil, column: nil, rule: .limits)
        return jobs
      }
      jobs[index] = load(jobs[index], call, reference: reference, text: text, depth: depth)
      if collector.hasErrors { return jobs }
    }
    return jobs
  }

  private mutating func load(
    _ job: TemplateJob, _ call: TemplateJob.WorkflowCall, reference: String, text: String, depth: Int
  ) -> TemplateJob {
    let inner = DiagnosticCollector(path: reference)
    guard let file = read(text, reference, inner) else {
      report(inner.findings, calledFrom: call.reference)
      return job
    }
    let called = file.template
    size += file.byteCount
    if size > options.maximumResultSize {
      collector.error("Maximum object size exceeded", line: nil, column: nil, rule: .limits)
      return job
    }
    jobCount += called.jobs.count
    if jobCount > options.maximumJobs {
      collector.error("The workflow may not contain more than \(options.maximumJobs) jobs", line: nil, column: nil, rule: .limits)
      return job
    }
    var job = job
    var call = call
    CallCheck(collector: collector, job: job).check(&call, on: file.trigger, called: inner)
    report(inner.findings, calledFrom: call.reference)
    checkPermissions(&job, reference, called)
    call.env = called.env
    call.defaults = called.defaults
    call.concurrency = called.concurrency
    call.jobs = inheriting(called.jobs, from: job)
    if !collector.hasErrors {
      let caller = collector.path
      collector.path = reference
      call.jobs = follow(call.jobs, in: reference, depth: depth + 1)
      collector.path = caller
    }
    job.kind = .call(call)
    return job
  }

  /// Nil, and findings, where the file cannot be used.
  private mutating func read(_ text: String, _ reference: String, _ inner: DiagnosticCollector) -> Loaded? {
    if let known = loaded[reference] { return known }
    let number = fileNumber(of: reference)
    if number > Self.maximumFiles {
      inner.error("The maximum file count of \(Self.maximumFiles) has been exceeded", line: nil, column: nil, rule: .limits)
      return nil
    }
    guard let node = YAMLReader.read(text, inner, options: options) else { return nil }
    let root = TemplateReader(file: number, collector: inner).read(node, as: WorkflowGrammar.planning)
    if inner.hasErrors { return nil }
    let template = WorkflowConverter(collector: inner, files: []).convert(root)
    if inner.hasErrors { return nil }
    let file = Loaded(template: template, trigger: root["on"], byteCount: root.byteCount)
    loaded[reference] = file
    return file
  }

  /// What is wrong in the called file is an error of the line that calls it.
  private func report(_ findings: [DiagnosticCollector.Finding], calledFrom reference: TemplateToken) {
    for diagnostic in findings.map(\.diagnostic) {
      let place = diagnostic.line.map { " (Line: \($0), Col: \(diagnostic.column ?? 1))" } ?? ""
      collector.error(
        "Error from called workflow \(diagnostic.path)\(place): \(diagnostic.message)", at: reference, rule: .calledWorkflow,
        hint: diagnostic.hint)
    }
  }

  private mutating func fileNumber(of reference: String) -> Int {
    if let index = files.firstIndex(of: reference) { return index + 1 }
    files.append(reference)
    return files.count
  }

  // MARK: Permissions

  /// A called workflow may ask for no more than its caller has.
  private func checkPermissions(_ job: inout TemplateJob, _ reference: String, _ called: WorkflowTemplate) {
    let allowed = job.permissions ?? options.permissionPolicy?.permissions
    if let asked = called.permissions {
      report(asked, over: allowed, "The workflow '\(reference)' is", job, reference)
      job.permissions = asked
    }
    for nested in called.jobs {
      if let asked = nested.ownPermissions { report(asked, over: allowed, "The nested job '\(nested.name.authored)' is", job, reference) }
    }
  }

  private func inheriting(_ jobs: [TemplateJob], from caller: TemplateJob) -> [TemplateJob] {
    jobs.map { job in
      var job = job
      job.permissions = job.ownPermissions ?? caller.permissions
      return job
    }
  }

  private func report(_ asked: Permissions, over allowed: Permissions?, _ subject: String, _ job: TemplateJob, _ reference: String) {
    guard let allowed else { return }
    let excess = asked.excess(over: allowed)
    if excess.isEmpty { return }
    let wanted = excess.map { "\($0.scope): \($0.asked.word)" }.joined(separator: ", ")
    let granted = excess.map { "\($0.scope): \($0.allowed.word)" }.joined(separator: ", ")
    collector.error(
      "Error calling workflow '\(reference)'. \(subject) requesting '\(wanted)', but is only allowed '\(granted)'.", at: job.id,
      rule: .permissions)
  }
}
