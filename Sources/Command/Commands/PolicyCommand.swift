import ArgumentParser
import Domain
import Foundation
import GitHub
import Policies
import RunnerHub
import Workflow

/// `runnerhub policy`
struct PolicyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "Check, test and try Lua policies.",
    subcommands: [
      Check.self, Test.self, Eval.self, PolicyReloadCommand.self, PolicyRollbackCommand.self, PolicyHistoryCommand.self,
      PolicyShadowCommand.self, PolicyCanaryCommand.self, PolicyPromoteCommand.self, PolicyDifferencesCommand.self,
    ])

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Syntax, shapes and fields of every file.", discussion: "Example: runnerhub policy check policies")
    @Argument(help: "The folder of policies.") var folder = "policies"

    func run() async throws { try PolicyCommand.show(PolicyCommands.check(folder)) }
  }

  struct Test: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run the _test.lua beside each policy.", discussion: "Example: runnerhub policy test policies")
    @Argument(help: "The folder of policies.") var folder = "policies"

    func run() async throws { try PolicyCommand.show(PolicyCommands.test(folder)) }
  }

  struct Eval: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ask one policy about a real webhook payload.",
      discussion: """
        Examples:
          runnerhub policy eval routing --event payload.json
          runnerhub policy eval priority --event payload.json --workflow .github/workflows/release.yml
        The payload is the body of a workflow_job delivery. What only the workflow file or the run tells (environment, triggering event) is
        unknown unless it is given.
        """)
    @Argument(help: "routing or priority.") var decision: String
    @Option(help: "File with the body of a workflow_job delivery; - for standard input.") var event: String
    @Option(help: "The folder of policies.") var policies = "policies"
    @Option(help: "The workflow file that defines the job.") var workflow: String?
    @Option(help: "What triggered the run: push, schedule, pull_request…") var trigger: String?
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      guard let decision = PolicyCommands.Decision(rawValue: decision) else {
        let words = PolicyCommands.Decision.allCases.map(\.rawValue)
        let hint = Suggestion.nearest(to: decision, among: words).map { " – did you mean \($0)?" } ?? ""
        throw ValidationError("unknown decision \"\(decision)\": expected \(words.joined(separator: " or "))\(hint)")
      }
      let job = PolicyJob(try self.job())
      let pool = PolicyPool(name: "example", minimum: 0, maximum: 10, warm: 1, total: 2, idle: 1, busy: 1, pending: 1, active: 1)
      let report = PolicyCommands.eval(
        decision, job: job, fleet: PolicyFleet(now: Date(), pools: [pool], pending: 1, active: 1), folder: policies)
      try PolicyCommand.show(report, json: json)
    }

    private func job() throws -> Job {
      let body = event == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try Self.contents(of: event, for: "--event")
      let delivery = Delivery(guid: "eval", hookID: "", event: "workflow_job", body: body, receivedAt: Date())
      let meaning: ForgeEvent
      do {
        meaning = try GitHubDeliveryDecoder().decode(delivery)
      } catch {
        throw ValidationError("\(event) is not the body of a workflow_job delivery: \(error)")
      }
      guard case .job(let report) = meaning else { throw ValidationError("\(event) is not the body of a workflow_job delivery") }
      var job = Job(report, at: Date())
      if let trigger { job.run = RunContext(event: trigger, path: workflow, headRepositoryID: nil, actor: nil) }
      if let workflow { job.definition = try definition(of: job, in: workflow) }
      return job
    }

    private static func contents(of path: String, for option: String) throws -> Data {
      do {
        return try Data(contentsOf: URL(filePath: path))
      } catch {
        throw ValidationError("\(option) names \(path), which cannot be read: \(error.localizedDescription)")
      }
    }

    private func definition(of job: Job, in path: String) throws -> DefinitionFinding {
      let reading = WorkflowFile.parse(String(decoding: try Self.contents(of: path, for: "--workflow"), as: UTF8.self), path: path)
      guard reading.file != nil else { throw ValidationError(reading.diagnostics.map(\.description).joined(separator: "\n")) }
      let finding = JobParser.definition(of: job, in: reading, path: path, ref: job.headSHA)
      if case .unknown(let reason) = finding { throw ValidationError("\(path): \(reason)") }
      return finding
    }
  }

  private static func show(_ report: PolicyCommands.Report, json: Bool = false) throws {
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(report.values), as: UTF8.self))
    } else {
      print(report.text)
    }
    if !report.isSuccess { throw ExitCode.failure }
  }
}
