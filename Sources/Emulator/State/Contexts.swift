import Crypto
import Foundation
import Workflow

/// What workflows can read of a run: `github`, `needs`, `secrets` and the rest, and the variables that every step gets.
extension EmulatedGitHub {
  /// - Parameter needs: keys of the jobs that the asking job names.
  func contexts(of run: RunRecord, needs: [String]) -> [String: ExpressionValue] {
    let repository = repositories[run.repository.lowercased()]
    let pull = run.payload["pull_request"]
    let github = ExpressionObject([
      .init(key: "actor", value: .string(run.actor)), .init(key: "triggering_actor", value: .string(run.actor)),
      .init(key: "api_url", value: .string(baseURL)), .init(key: "server_url", value: .string(baseURL)),
      .init(key: "event", value: run.payload.expressionValue), .init(key: "event_name", value: .string(run.event)),
      .init(key: "ref", value: .string(run.ref)), .init(key: "ref_name", value: .string(run.refName)),
      .init(key: "ref_type", value: .string(run.ref.hasPrefix("refs/tags/") ? "tag" : "branch")),
      .init(key: "head_ref", value: .string(pull["head"]["ref"].string ?? "")),
      .init(key: "base_ref", value: .string(pull["base"]["ref"].string ?? "")),
      .init(key: "repository", value: .string(run.repository)), .init(key: "repository_owner", value: .string(repository?.owner ?? "")),
      .init(key: "repository_id", value: .string(String(repository?.id ?? 0))),
      .init(key: "run_id", value: .string(String(run.id))), .init(key: "run_number", value: .string(String(run.number))),
      .init(key: "run_attempt", value: .string(String(run.attempt))), .init(key: "sha", value: .string(run.commit.sha)),
      .init(key: "workflow", value: .string(run.name)),
      .init(key: "workflow_ref", value: .string("\(run.repository)/\(run.path)@\(run.ref)")),
      .init(key: "token", value: .string(configuration.secrets["GITHUB_TOKEN"] ?? "")),
    ])
    let results = results(of: run)
    let needed = needs.map { key -> ExpressionObject.Entry in
      let outputs = (run.attempts.last ?? []).compactMap { jobs[$0] }.filter { $0.definition.key.lowercased() == key.lowercased() }
        .reduce(into: [String: String]()) { all, job in all.merge(job.outputs) { _, new in new } }
      let result = results[key.lowercased()]?.rawValue ?? ""
      return .init(key: key, value: .object(["result": .string(result), "outputs": ExpressionValue(outputs)]))
    }
    return [
      "github": .object(github), "needs": .object(ExpressionObject(needed)), "matrix": .object([:]), "strategy": .object([:]),
      "secrets": ExpressionValue(configuration.secrets), "vars": .object([:]), "inputs": run.payload["inputs"].expressionValue,
    ]
  }

  /// `hashFiles`: the emulator has no file patterns, so it gives a digest of commit and patterns: stable, and new with each tree.
  func functions(of run: RunRecord) -> ExpressionFunctions {
    let tree = run.commit.treeSHA
    let hashFiles = ExpressionFunction("hashFiles", arity: 1...255) { patterns throws(ExpressionError) in
      .string(SHA256.hash(data: Data(([tree] + patterns.map(\.text)).joined(separator: "\0").utf8)).hexadecimal)
    }
    return ExpressionFunctions.standard.adding([hashFiles])
  }

  /// `GITHUB_*` and `RUNNER_*` as far as the server knows them; paths are the runner's own.
  func defaultEnvironment(of job: JobRecord, in run: RunRecord) -> [String: String] {
    [
      "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": run.actor, "GITHUB_TRIGGERING_ACTOR": run.actor, "GITHUB_API_URL": baseURL,
      "GITHUB_SERVER_URL": baseURL, "GITHUB_EVENT_NAME": run.event, "GITHUB_JOB": job.definition.key, "GITHUB_REF": run.ref,
      "GITHUB_REF_NAME": run.refName, "GITHUB_REF_TYPE": run.ref.hasPrefix("refs/tags/") ? "tag" : "branch",
      "GITHUB_HEAD_REF": run.payload["pull_request"]["head"]["ref"].string ?? "",
      "GITHUB_BASE_REF": run.payload["pull_request"]["base"]["ref"].string ?? "", "GITHUB_REPOSITORY": run.repository,
      "GITHUB_REPOSITORY_OWNER": String(run.repository.prefix { $0 != "/" }), "GITHUB_RUN_ID": String(run.id),
      "GITHUB_RUN_NUMBER": String(run.number), "GITHUB_RUN_ATTEMPT": String(run.attempt), "GITHUB_SHA": run.commit.sha,
      "GITHUB_WORKFLOW": run.name, "GITHUB_WORKFLOW_REF": "\(run.repository)/\(run.path)@\(run.ref)", "GITHUB_WORKFLOW_SHA": run.commit.sha,
      "RUNNER_NAME": job.runner?.name ?? "", "RUNNER_OS": "Linux", "RUNNER_ENVIRONMENT": "self-hosted",
    ]
  }
}

extension RunRecord {
  /// `main` of `refs/heads/main`, `7/merge` of `refs/pull/7/merge`.
  var refName: String {
    for prefix in ["refs/heads/", "refs/tags/", "refs/pull/"] where ref.hasPrefix(prefix) { return String(ref.dropFirst(prefix.count)) }
    return ref
  }
}

extension JSON {
  var expressionValue: ExpressionValue {
    switch self {
    case .null: .null
    case .bool(let value): .boolean(value)
    case .int(let value): .number(Double(value))
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .array(let values): .array(ExpressionArray(values.map(\.expressionValue)))
    case .object(let members):
      .object(ExpressionObject(members.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: $0.value.expressionValue) }))
    }
  }
}
