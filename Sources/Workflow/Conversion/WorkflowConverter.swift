/// Makes a template of a root token. What does not fit was reported by the grammar and is left out here; what only a look at several values
/// together shows is reported here.
struct WorkflowConverter {
  let collector: DiagnosticCollector
  let files: [String]

  func convert(_ root: TemplateToken) -> WorkflowTemplate {
    var template = WorkflowTemplate()
    template.files = files
    let jobConverter = JobConverter(collector: collector)
    for entry in root.entries ?? [] {
      switch entry.key.string {
      case "on":
        template.on = entry.value
        template.inputTypes = inputTypes(entry.value)
      case "name": template.name = entry.value
      case "run-name": template.runName = entry.value
      case "env": template.env = entry.value
      case "defaults": template.defaults = entry.value
      case "concurrency":
        jobConverter.checkConcurrency(entry.value)
        template.concurrency = entry.value
      case "permissions": template.permissions = Permissions(entry.value)
      case "jobs": template.jobs = jobs(entry.value, jobConverter)
      default: break
      }
    }
    for index in template.jobs.indices where template.jobs[index].permissions == nil {
      template.jobs[index].permissions = template.permissions
    }
    return template
  }

  /// Jobs of a mapping, and the order that their `needs` ask for.
  func jobs(_ token: TemplateToken, _ converter: JobConverter) -> [TemplateJob] {
    guard let entries = token.entries else { return [] }
    let jobs = entries.compactMap { converter.convert($0) }
    collector.stage = .graph
    NeedsGraph(jobs: jobs, collector: collector).check(at: token)
    collector.stage = .conversion
    return jobs
  }

  private func inputTypes(_ on: TemplateToken) -> [(name: String, type: String)] {
    (on["workflow_dispatch"]?["inputs"]?.entries ?? []).map { input in
      (input.key.authored, input.value["type"]?.string ?? "string")
    }
  }
}

extension Permissions {
  init(_ token: TemplateToken) {
    if let word = token.string {
      self = word == "read-all" ? Permissions(all: .read) : word == "write-all" ? Permissions(all: .write) : Permissions()
      return
    }
    let entries = token.entries ?? []
    self.init(
      Dictionary(
        entries.compactMap { entry in entry.value.string.flatMap(Level.init(word:)).map { (entry.key.authored, $0) } },
        uniquingKeysWith: { first, _ in first }))
  }
}
