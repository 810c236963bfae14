/// A workflow as GitHub's service sees it: typed where the file alone decides, tokens where a run does.
///
/// The public model is made from it; GitHub's conformance cases are judged by it.
struct WorkflowTemplate: Sendable {
  var name: TemplateToken?
  var runName: TemplateToken?
  var on: TemplateToken?
  /// Types of the inputs of `workflow_dispatch`, in the author's order.
  var inputTypes: [(name: String, type: String)] = []
  var env: TemplateToken?
  var defaults: TemplateToken?
  var concurrency: TemplateToken?
  var permissions: Permissions?
  var jobs: [TemplateJob] = []
  /// Paths and references of the files that were read; tokens name them by 1-based index, in the order of reading.
  var files: [String] = []
}

/// One job of a template.
struct TemplateJob: Sendable {
  var id: TemplateToken
  var name: TemplateToken
  var needs: [TemplateToken] = []
  var condition: TemplateToken
  /// As the author wrote it; nil where there is none.
  var writtenCondition: TemplateToken?
  var strategy: TemplateToken?
  /// What the author wrote, or what the workflow says where the job is silent.
  var permissions: Permissions?
  /// What the job itself says.
  var ownPermissions: Permissions?
  var concurrency: TemplateToken?
  var kind: Kind

  enum Kind: Sendable {
    case runner(RunnerJob)
    case call(WorkflowCall)
  }

  struct RunnerJob: Sendable {
    var runsOn: TemplateToken?
    var timeoutMinutes: TemplateToken?
    var cancelTimeoutMinutes: TemplateToken?
    var continueOnError: TemplateToken?
    var container: TemplateToken?
    var services: TemplateToken?
    var env: TemplateToken?
    var environment: TemplateToken?
    var outputs: TemplateToken?
    var defaults: TemplateToken?
    var snapshot: TemplateToken?
    var steps: [TemplateStep] = []
  }

  /// A call of a reusable workflow, and what the called file says once it is loaded.
  struct WorkflowCall: Sendable {
    var reference: TemplateToken
    var inputValues: TemplateToken?
    var secretValues: TemplateToken?
    var inheritsSecrets = false
    var inputDefinitions: TemplateToken?
    var secretDefinitions: TemplateToken?
    var outputs: TemplateToken?
    var env: TemplateToken?
    var defaults: TemplateToken?
    var concurrency: TemplateToken?
    var jobs: [TemplateJob] = []
  }
}

/// One step of a template.
struct TemplateStep: Sendable {
  enum Kind: Sendable {
    case run(script: TemplateToken, workingDirectory: TemplateToken?, shell: TemplateToken?)
    case action(uses: TemplateToken, with: TemplateToken?)
    case wait(for: [TemplateToken])
    case waitForAll
    case cancel(TemplateToken)
  }

  var kind: Kind
  /// The author's, or the one that GitHub makes.
  var id: String?
  var hasOwnID = false
  var name: TemplateToken?
  var condition: TemplateToken?
  var writtenCondition: TemplateToken?
  var continueOnError: TemplateToken?
  var timeoutMinutes: TemplateToken?
  var env: TemplateToken?
  var isBackground = false
  var line: Int
  var column: Int
}

extension WorkflowTemplate {
  /// Reads a text, and the workflows that it calls where the options hold them; nil where it is no YAML. The collector knows whether the
  /// template may be used.
  static func read(_ text: String, _ collector: DiagnosticCollector, _ options: WorkflowOptions) -> WorkflowTemplate? {
    collector.stage = .yaml
    guard let node = YAMLReader.read(text, collector, options: options) else { return nil }
    collector.stage = .grammar
    let grammar = options.checksTriggers ? WorkflowGrammar.root : WorkflowGrammar.planning
    let root = TemplateReader(file: 1, collector: collector).read(node, as: grammar)
    let size = root.byteCount
    if size > options.maximumResultSize {
      collector.error("Maximum object size exceeded", line: 1, column: 1, rule: .limits)
      return nil
    }
    collector.stage = .conversion
    var template = WorkflowConverter(collector: collector, files: [collector.path]).convert(root)
    if !collector.hasErrors, template.jobs.count > options.maximumJobs {
      collector.error("The workflow may not contain more than \(options.maximumJobs) jobs", line: nil, column: nil, rule: .limits)
    }
    if !collector.hasErrors {
      collector.stage = .calls
      var calls = CalledWorkflows(
        collector: collector, options: options, texts: options.calledWorkflows, root: collector.path, size: size)
      template.jobs = calls.follow(template.jobs)
      template.files = options.sortsFiles ? calls.files.sorted() : calls.files
    }
    collector.stage = .later
    if options.checksTriggers, let on = template.on { TriggerCheck(collector: collector).check(on) }
    return template
  }
}
