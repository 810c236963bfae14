import Foundation
import Workflow

/// One job on one runner: which step comes next, what it is told, and what the job's end is. All expressions are worked out here. Pure.
struct JobExecution: Sendable {
  /// What the runner said of itself when it began.
  struct Site: Sendable {
    var workspace: String
    var temporary: String
    var hasStartedHook: Bool
    var hasCompletedHook: Bool
    var runnerName: String
    var architecture: String
  }

  /// What the runner must do now.
  enum Order: Sendable, Equatable {
    case setUp
    case startedHook
    case run(Script)
    /// Put the commit's files into the workspace.
    case checkout(directory: String)
    /// An action that stands for nothing here; the text goes into the log.
    case pass(String)
    /// A step that cannot be run; the text goes into the log.
    case fail(String)
    case completedHook
    case complete
    /// All steps are done.
    case finish(Conclusion)
  }

  struct Script: Sendable, Equatable {
    var text: String
    /// As written; nil where the workflow does not say, so that the runner chooses.
    var shell: String?
    var directory: String
    var environment: [String: String]
    /// In seconds; nil means the job's own limit alone.
    var timeout: Double?
  }

  /// How the runner says that a step ended.
  enum Ending: String, Sendable { case exited, cancelled, timedOut = "timed_out", jobTimedOut = "job_timed_out" }

  private enum Kind: Sendable { case setUp, startedHook, unsupported(String), user(Step), completedHook, complete }

  private struct Entry: Sendable {
    let kind: Kind
    var continuesOnError = false
  }

  private let entries: [Entry]
  private let defaults: RunDefaults
  private let workflowDefaults: RunDefaults
  private let baseContexts: [String: ExpressionValue]
  private let functions: ExpressionFunctions
  private let site: Site
  private var position = 0
  private var current: Int?
  private var stepContext: [ExpressionObject.Entry] = []
  private(set) var steps: [StepRecord]
  private(set) var status = JobStatus.success
  private(set) var isCancelled = false
  /// What workflow, job and `GITHUB_ENV` have set, in that order.
  private(set) var environment: [String: String] = [:]
  /// What `GITHUB_PATH` has added, last first.
  private(set) var paths: [String] = []
  /// What went wrong in expressions and environment files, for the ledger and the log.
  private(set) var remarks: [String] = []

  /// - Parameters:
  ///   - contexts: `github`, `matrix`, `needs`, `strategy`, `secrets`, `vars` and `inputs`.
  init(job: JobDefinition, file: WorkflowFile, contexts: [String: ExpressionValue], functions: ExpressionFunctions, site: Site) {
    self.site = site
    self.functions = functions
    defaults = job.defaults
    workflowDefaults = file.defaults
    var contexts = contexts
    contexts["runner"] = .object([
      "name": .string(site.runnerName), "os": "Linux", "arch": .string(site.architecture), "temp": .string(site.temporary),
      "environment": "self-hosted", "debug": "",
    ])
    contexts["github"] = Self.adding([("workspace", .string(site.workspace)), ("job", .string(job.key))], to: contexts["github"])
    baseContexts = contexts

    var entries = [Entry(kind: .setUp)]
    if site.hasStartedHook { entries.append(Entry(kind: .startedHook)) }
    if job.container != nil || !job.services.isEmpty {
      entries.append(
        Entry(kind: .unsupported("The stand-in runner has no containers: 'container:' and 'services:' of a job need GitHub's own runner.")))
    }
    entries += job.steps.map { Entry(kind: .user($0)) }
    if site.hasCompletedHook { entries.append(Entry(kind: .completedHook)) }
    entries.append(Entry(kind: .complete))
    self.entries = entries
    steps = []
    for (set, label) in [(file.env, "env of the workflow"), (job.env, "env of the job")] {
      for (name, value) in set.sorted(by: { $0.key < $1.key }) { environment[name] = interpolate(value, label) }
    }
    steps = entries.enumerated().map { StepRecord(number: $0 + 1, name: title(of: $1)) }
  }

  /// Steps of the workflow that no longer run are passed over with their reason, and the next one is begun.
  mutating func next(at now: Date) -> Order {
    while position < entries.count {
      let entry = entries[position]
      guard isWanted(entry) else {
        steps[position].progress = .completed
        steps[position].conclusion = .skipped
        steps[position].startedAt = now
        steps[position].completedAt = now
        remember(entry, outcome: .skipped, conclusion: .skipped, outputs: [:])
        position += 1
        continue
      }
      current = position
      steps[position].progress = .inProgress
      steps[position].startedAt = now
      return order(for: entry)
    }
    return .finish(conclusion)
  }

  /// A step that was begun has ended.
  ///
  /// - Parameter outputs: the raw text of its `GITHUB_OUTPUT`; likewise the others.
  mutating func finish(
    exitCode: Int, ending: Ending, outputs: String = "", environment added: String = "", paths addedPaths: String = "", at now: Date
  ) {
    guard let index = current, index < entries.count else { return }
    current = nil
    position = index + 1
    var outcome: Conclusion = ending == .exited && exitCode == 0 ? .success : .failure
    if ending == .cancelled || ending == .jobTimedOut { outcome = .cancelled }
    var values: [(name: String, value: String)] = []
    do {
      values = try CommandFiles.assignments(outputs)
      for (name, value) in try CommandFiles.assignments(added) where !["GITHUB_", "RUNNER_"].contains(where: { name.hasPrefix($0) }) {
        environment[name] = value
      }
      paths = CommandFiles.paths(addedPaths).reversed() + paths
    } catch {
      remarks.append("step \(index + 1): \(error)")
      outcome = .failure
    }
    let entry = entries[index]
    var ended = outcome
    if outcome == .failure, continuesOnError(entry) { ended = .success }
    steps[index].progress = .completed
    steps[index].conclusion = ended
    steps[index].completedAt = now
    remember(entry, outcome: outcome, conclusion: ended, outputs: Dictionary(values, uniquingKeysWith: { _, last in last }))
    if outcome == .cancelled { cancel() }
    if ended == .failure, status == .success { status = .failure }
  }

  /// The job was cancelled: only `always()` and `cancelled()` steps begin from now on.
  mutating func cancel() {
    isCancelled = true
    status = .cancelled
  }

  var conclusion: Conclusion {
    switch status {
    case .success: .success
    case .failure: .failure
    case .cancelled: .cancelled
    }
  }

  /// The job's outputs, evaluated after its last step.
  func outputs(_ definitions: [String: String]) -> [String: String] {
    definitions.compactMapValues { try? ExpressionTemplate.interpolate($0, contexts: contexts(), functions: functions) }
  }
}

extension JobExecution {
  private func contexts(env: [String: String]? = nil) -> [String: ExpressionValue] {
    var all = baseContexts
    all["env"] = ExpressionValue(env ?? environment)
    all["steps"] = .object(ExpressionObject(stepContext))
    all["job"] = .object(["status": .string(status.rawValue)])
    return all
  }

  private static func adding(_ members: [(String, ExpressionValue)], to value: ExpressionValue?) -> ExpressionValue {
    guard case .object(let object) = value else { return .object(ExpressionObject(members.map { .init(key: $0.0, value: $0.1) })) }
    return .object(ExpressionObject(object.entries + members.map { .init(key: $0.0, value: $0.1) }))
  }

  /// The text with its expressions worked out; what cannot be is left empty, and a remark says so.
  private mutating func interpolate(_ text: String, _ place: String, env: [String: String]? = nil) -> String {
    do {
      return try ExpressionTemplate.interpolate(text, contexts: contexts(env: env), functions: functions)
    } catch {
      remarks.append("\(place): \(error)")
      return ""
    }
  }

  private mutating func title(of entry: Entry) -> String {
    switch entry.kind {
    case .setUp: "Set up job"
    case .startedHook: "Set up runner"
    case .unsupported: "Initialize containers"
    case .completedHook: "Complete runner"
    case .complete: "Complete job"
    case .user(let step):
      if let name = step.name {
        interpolate(name, "name of a step")
      } else if let uses = step.uses {
        "Run \(uses)"
      } else {
        "Run " + String((step.run ?? "").split(whereSeparator: \.isNewline).first ?? "")
      }
    }
  }

  private mutating func isWanted(_ entry: Entry) -> Bool {
    switch entry.kind {
    case .setUp, .complete, .completedHook: return true
    case .startedHook, .unsupported: return status == .success
    case .user(let step):
      do {
        return try ExpressionTemplate.evaluateCondition(step.condition, contexts: contexts(), status: status, functions: functions)
      } catch {
        remarks.append("if of step \(position + 1): \(error)")
        status = status == .success ? .failure : status
        return false
      }
    }
  }

  private mutating func order(for entry: Entry) -> Order {
    switch entry.kind {
    case .setUp: return .setUp
    case .startedHook: return .startedHook
    case .unsupported(let message): return .fail(message)
    case .completedHook: return .completedHook
    case .complete: return .complete
    case .user(let step):
      let refused = remarks.count
      let place = "step \(position + 1)"
      var env = environment
      for (name, value) in step.env.sorted(by: { $0.key < $1.key }) { env[name] = interpolate(value, "env of \(place)") }
      if let uses = step.uses { return action(uses, with: step.with, place: place) }
      let directory = step.workingDirectory ?? defaults.workingDirectory ?? workflowDefaults.workingDirectory ?? "."
      let script = Script(
        text: interpolate(step.run ?? "", place, env: env), shell: (step.shell ?? defaults.shell ?? workflowDefaults.shell),
        directory: interpolate(directory, "working-directory of \(place)", env: env), environment: env,
        timeout: timeout(of: step, place: place))
      if remarks.count > refused { return .fail("Error: " + remarks[refused...].joined(separator: "\n")) }
      return .run(script)
    }
  }

  private mutating func action(_ uses: String, with inputs: [String: String], place: String) -> Order {
    let name = uses.split(separator: "@").first.map { $0.lowercased() } ?? uses.lowercased()
    if name == "actions/checkout" { return .checkout(directory: interpolate(inputs["path"] ?? ".", "path of \(place)")) }
    let passed = ["actions/cache", "actions/cache/restore", "actions/cache/save", "actions/upload-artifact", "actions/download-artifact"]
    if passed.contains(name) || name.hasPrefix("actions/setup-") {
      return .pass("\(uses): nothing is done by the stand-in runner, which takes what the image has.")
    }
    return .fail("Error: the stand-in runner cannot run '\(uses)': it runs 'run:' steps alone. GitHub's own runner runs every action.")
  }

  private mutating func timeout(of step: Step, place: String) -> Double? {
    guard let raw = step.timeoutMinutes else { return nil }
    guard let minutes = Double(interpolate(raw, "timeout-minutes of \(place)")), minutes > 0 else { return nil }
    return minutes * 60
  }

  private mutating func continuesOnError(_ entry: Entry) -> Bool {
    guard case .user(let step) = entry.kind, let raw = step.continueOnError else { return false }
    return interpolate(raw, "continue-on-error") == "true"
  }

  private mutating func remember(_ entry: Entry, outcome: Conclusion, conclusion: Conclusion, outputs: [String: String]) {
    guard case .user(let step) = entry.kind, let id = step.id else { return }
    stepContext.append(
      .init(
        key: id,
        value: .object([
          "outputs": ExpressionValue(outputs), "outcome": .string(outcome.rawValue), "conclusion": .string(conclusion.rawValue),
        ])))
  }
}
