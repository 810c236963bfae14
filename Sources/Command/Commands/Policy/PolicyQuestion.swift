import ArgumentParser
import Domain
import Foundation
import GitHub
import Policies
import RunnerHub
import Workflow
import Yams

/// What `eval` and `explain` ask about: a delivery, and a fleet and containers from files.
struct PolicyQuestion: ParsableArguments {
  @Option(help: "File with the body of a workflow_job delivery; - for standard input.", completion: .file(extensions: ["json"]))
  var event: String?
  @Option(help: "The folder of policies.", completion: .directory) var policies = "policies"
  @Option(help: "The workflow file that defines the job.", completion: .file(extensions: ["yml", "yaml"])) var workflow: String?
  @Option(help: "What triggered the run: push, schedule, pull_request…") var trigger: String?
  @Option(help: "A fleet in the shape that policies see, JSON or YAML.", completion: .file(extensions: ["json", "yaml", "yml"]))
  var fleet: String?
  @Option(
    help: "A list of containers in the shape that policies see, JSON or YAML.", completion: .file(extensions: ["json", "yaml", "yml"]))
  var containers: String?
  @Option(help: "Scaling: only this pool.") var pool: String?

  static func decision(_ word: String) throws -> PolicyCommands.Decision {
    if let decision = PolicyCommands.Decision(rawValue: word) { return decision }
    let words = PolicyCommands.Decision.allCases.map(\.rawValue)
    let hint = Suggestion.nearest(to: word, among: words).map { " – did you mean \($0)?" } ?? ""
    throw ValidationError(
      "unknown decision \"\(word)\": expected \(words.dropLast().joined(separator: ", ")) or \(words.last ?? "")\(hint)")
  }

  static let completion = CompletionKind.list(PolicyCommands.Decision.allCases.map(\.rawValue))

  func question(for decision: PolicyCommands.Decision) throws -> PolicyCommands.Question {
    if event == nil, decision == .routing || decision == .priority {
      throw ValidationError("\(decision.rawValue) is asked about a job: name the body of its delivery by --event payload.json")
    }
    let now = Date()
    var job = PolicySamples.job
    if event != nil { job = PolicyJob(try self.job()) }
    do {
      let fleet = try self.fleet.map { try GivenInputs.fleet(try Self.value(of: $0, for: "--fleet"), now: now) } ?? Self.exampleFleet(now)
      let given = try containers.map { try GivenInputs.containers(try Self.value(of: $0, for: "--containers"), now: now) }
      return .init(job: job, fleet: fleet, containers: given ?? Self.exampleContainers(for: job, now), pool: pool)
    } catch let fault as GivenInputs.Fault {
      throw ValidationError(fault.description)
    }
  }

  private static func exampleFleet(_ now: Date) -> PolicyFleet {
    let pool = PolicyPool(name: "example", minimum: 0, maximum: 10, warm: 1, total: 2, idle: 1, busy: 1, pending: 1, active: 1)
    return PolicyFleet(now: now, pools: [pool], pending: 1, active: 1)
  }

  /// One that knows the repository, one that is warm, and a new one.
  private static func exampleContainers(for job: PolicyJob, _ now: Date) -> [PolicyContainer] {
    var own = PolicySamples.container
    own.id = "example-1"
    own.name = "served-it"
    own.repository = job.repository
    own.uses = 1
    own.createdAt = now - 600
    own.idleSince = now - 60
    var warm = own
    warm.id = "example-2"
    warm.name = "warm"
    warm.repository = nil
    warm.uses = 0
    var new = warm
    new.id = ""
    new.name = "new"
    new.isNew = true
    new.createdAt = nil
    new.idleSince = nil
    return [own, warm, new]
  }

  // MARK: - Files

  private func job() throws -> Job {
    let event = event ?? "-"
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
    let text = String(decoding: try Self.contents(of: path, for: "--workflow"), as: UTF8.self)
    let reading = WorkflowFile.parse(text, path: path)
    guard reading.file != nil else { throw ValidationError(reading.diagnostics.map(\.description).joined(separator: "\n")) }
    let finding = JobParser.definition(of: job, in: text, path: path, ref: job.headSHA)
    if case .unknown(let reason) = finding { throw ValidationError("\(path): \(reason)") }
    return finding
  }

  /// JSON is YAML too.
  private static func value(of path: String, for option: String) throws -> LuaValue {
    let text = String(decoding: try contents(of: path, for: option), as: UTF8.self)
    do {
      return LuaValue(yaml: try Yams.load(yaml: text))
    } catch {
      throw ValidationError("\(option) names \(path), which is no JSON or YAML: \(error)")
    }
  }
}

extension LuaValue {
  init(yaml: Any?) {
    switch yaml {
    case let value as Bool: self = .bool(value)
    case let value as Int: self = .integer(value)
    case let value as Double: self = .number(value)
    case let text as String: self = .text(text)
    case let values as [Any]: self = .list(values.map(LuaValue.init(yaml:)))
    case let values as [AnyHashable: Any]:
      self = .map(Dictionary(values.map { ("\($0.key)", LuaValue(yaml: $0.value)) }, uniquingKeysWith: { first, _ in first }))
    default: self = .none
    }
  }
}
