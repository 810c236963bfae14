import ArgumentParser
import Domain
import Foundation
import Policies
import RunnerHub
import Workflow

/// `runnerhub workflow show`
struct WorkflowShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "The jobs that a workflow file becomes, what they wait for and need, and what the policies would say.",
    discussion: """
      Examples:
        runnerhub workflow show .github/workflows/ci.yml
        runnerhub workflow show ci.yml --policies policies --event pull_request --json
        runnerhub workflow show ci.yml --svg > needs.svg
      Matrices are expanded, and workflows of the same repository followed. What only a run decides is shown as ?. Estimates name their
      sources: comments, labels, env, container options, .github/runnerhub.yaml beside the workflows, and the kind of job; with --config
      also its sizes of labels, within its pools. Without a folder of policies the built-in rules answer.
      Ends with 1 where GitHub does not run the file, and with 64 where it was called wrongly.
      """)
  @Argument(help: "A workflow file.", completion: .file(extensions: ["yml", "yaml"])) var file: String
  @Option(help: "The folder of policies (default: policies, where it exists).", completion: .directory) var policies: String?
  @Option(help: "A configuration of RunnerHub.", completion: .file(extensions: ["yaml", "yml"])) var config: String?
  @Option(help: "What triggers the run (default: the file's first trigger).") var event: String?
  @Option(help: "The repository that policies see.") var repository = "acme/storefront"
  @Option(help: "The branch that policies see.") var branch = "main"
  @Flag(help: "As JSON.") var json = false
  @Flag(help: "Only the graph of needs, as SVG.") var svg = false

  func validate() throws {
    if json, svg { throw ValidationError("--json and --svg exclude each other") }
  }

  func run() async throws {
    let source = try WorkflowSources.read(file)
    let options = WorkflowOptions(calledWorkflows: WorkflowSources.calledWorkflows(from: source))
    let reading = WorkflowFile.parse(source.text, path: file, options: options)
    guard let workflow = reading.file else {
      let excerpt = SourceExcerpt(source.text)
      let text = (reading.errors.map(excerpt.text) + ["GitHub does not run this file"]).joined(separator: "\n")
      FileHandle.standardError.write(Data((text + "\n").utf8))
      throw ExitCode.failure
    }
    if svg { return print(NeedsDrawing(workflow.jobs).svg, terminator: "") }
    let preview = try preview(of: workflow, source)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(preview), as: UTF8.self))
    } else {
      print(preview.text(graph: NeedsDrawing(workflow.jobs).text, width: Terminal.size?.columns))
    }
  }

  private func preview(of workflow: WorkflowFile, _ source: WorkflowSources.File) throws -> WorkflowPreview {
    let settings = try config.map { try WorkflowHost(configuration: $0).settings }
    let estimator = ResourceEstimator(settings: settings ?? Settings(scope: .repository, pools: []))
    let folder = policies ?? (FileManager.default.fileExists(atPath: "policies") ? "policies" : nil)
    let asker = try PolicyAsker(
      folder: folder, repository: repository, branch: branch, event: event ?? workflow.on.first?.event ?? "push", workflow: workflow)
    let comments = RequestComments(source.text)
    let hints = settings?.workflow.readsHints == false ? nil : try WorkflowSources.hints(beside: source)
    let jobs = workflow.plan().map { planned in
      let definition = planned.definition
      let (estimate, detail) = estimator.estimate(
        labels: planned.combination?.labels,
        ResourceEstimator.Knowledge(
          definition: definition, comment: planned.isCalled ? nil : comments.comment(of: definition),
          hint: hints?.hint(forJob: definition.key, in: source.path)))
      return WorkflowPreview.Row(planned, detail, definition.hasRunner ? asker.ask(about: planned, estimate) : nil)
    }
    return WorkflowPreview(file: file, name: workflow.name, triggers: workflow.on.map(\.event), jobs: jobs)
  }
}
