/// The grammar of a workflow file: `workflow-root-strict` of `workflow-v1.0.json`.
enum WorkflowGrammar {
  static let root = root(on: TriggerGrammar.strict, requiresTrigger: true)

  /// `workflow-root`: what the service demands of `on` when it plans the jobs; the triggers themselves are read by another part of it.
  static let planning = root(on: TriggerGrammar.planning, requiresTrigger: false)

  private static func root(on: Grammar, requiresTrigger: Bool) -> Grammar {
    .mapping(
      [
        "on": on, "name": .string, "description": .string,
        "run-name": .string.allowing(.beforeJobs),
        "defaults": .mapping(["run": .mapping(["shell": .nonEmptyString, "working-directory": .nonEmptyString])]),
        "env": .mapping(any: .string).allowing([.beforeJobs, .secrets]),
        "permissions": permissions,
        "concurrency": .oneOf(.string, concurrency).allowing(.beforeJobs),
        "jobs": JobGrammar.jobs,
      ], required: requiresTrigger ? ["on", "jobs"] : ["jobs"])
  }

  static let concurrency = Grammar.mapping(
    ["group": .nonEmptyString, "cancel-in-progress": .boolean, "queue": .constants("single", "max")], required: ["group"])

  static let permissions: Grammar = {
    let any = Grammar.constants("read", "write", "none")
    let reading = Grammar.constants("read", "none")
    let writing = Grammar.constants("write", "none")
    return .oneOf(
      .mapping([
        "actions": any, "artifact-metadata": any, "attestations": any, "checks": any, "code-quality": any, "contents": any,
        "copilot-requests": writing, "deployments": any, "discussions": any, "drives": any, "id-token": writing, "issues": any,
        "models": reading, "packages": any, "pages": any, "pull-requests": any, "repository-projects": any, "security-events": any,
        "statuses": any, "vulnerability-alerts": reading,
      ]),
      .constants("read-all", "write-all"))
  }()
}
