/// The grammar of `jobs`: `job-factory` and `workflow-job` of `workflow-v1.0.json`.
enum JobGrammar {
  static let jobs = Grammar.mapping(any: job)

  private static let job = Grammar.oneOf(runnerJob, call)

  private static let runnerJob = Grammar.mapping(
    [
      "needs": needs, "if": condition, "strategy": strategy, "name": .string.allowing(.beforeRunner), "runs-on": runsOn,
      "timeout-minutes": .number.allowing(.beforeRunner), "cancel-timeout-minutes": .number.allowing(.beforeRunner),
      "continue-on-error": .boolean.allowing(.beforeRunner), "container": container, "services": services,
      "env": .mapping(any: .string).allowing([.beforeRunner, .secrets]), "environment": environment,
      "permissions": WorkflowGrammar.permissions, "concurrency": concurrency,
      "outputs": .mapping(any: .string.allowing([.onRunner, .secrets])), "defaults": defaults, "steps": StepGrammar.steps,
      "snapshot": snapshot,
    ], required: ["runs-on"])

  private static let call = Grammar.mapping(
    [
      "name": .string.allowing(.beforeRunner), "uses": .nonEmptyString, "with": .mapping(any: .scalar.allowing(.beforeRunner)),
      "secrets": .oneOf(.mapping(any: .scalar.allowing([.beforeRunner, .secrets])), .constants("inherit")), "needs": needs, "if": condition,
      "permissions": WorkflowGrammar.permissions, "concurrency": concurrency, "strategy": strategy,
    ], required: ["uses"])

  private static let needs = Grammar.oneOrMore(.nonEmptyString)
  private static let condition = Grammar.string.allowing([.beforeMatrix, .jobStatus])
  private static let concurrency = Grammar.oneOf(.nonEmptyString, WorkflowGrammar.concurrency).allowing(.beforeRunner)

  private static let strategy = Grammar.mapping(["fail-fast": .boolean, "max-parallel": .number, "matrix": matrix]).allowing(.beforeMatrix)
  private static let matrix: Grammar = {
    let filter = Grammar.sequence(of: .mapping(any: .any))
    return .mapping(["include": filter, "exclude": filter], any: .sequence(of: .any))
  }()

  private static let runsOn = Grammar.oneOf(
    .oneOrMore(.nonEmptyString), .mapping(["group": .nonEmptyString, "labels": .oneOrMore(.nonEmptyString)])
  ).allowing(.beforeRunner)

  private static let snapshot = Grammar.oneOf(
    .nonEmptyString,
    .mapping(
      ["image-name": .nonEmptyString, "if": .string.allowing(.beforeRunner), "version": .nonEmptyString], required: ["image-name"]))

  private static let environment = Grammar.oneOf(
    .string,
    .mapping(["name": .string.allowing(.beforeRunner), "url": .string.allowing(.onRunner), "deployment": .boolean], required: ["name"])
  ).allowing(.beforeRunner)

  private static let defaults = Grammar.mapping([
    "run": .mapping(["shell": .nonEmptyString, "working-directory": .nonEmptyString]).allowing([.beforeRunner, .env])
  ])

  // MARK: Containers

  private static let container = Grammar.oneOf(
    .string,
    .mapping([
      "image": .nonEmptyString, "options": .string, "env": containerEnv, "ports": .sequence(of: .nonEmptyString),
      "volumes": .sequence(of: .nonEmptyString), "credentials": credentials,
    ])
  ).allowing(.beforeRunner)

  private static let services = Grammar.mapping(
    any: .oneOf(
      .nonEmptyString,
      .mapping([
        "image": .nonEmptyString, "options": .string, "env": containerEnv, "ports": .sequence(of: .nonEmptyString),
        "volumes": .sequence(of: .nonEmptyString), "credentials": credentials, "entrypoint": .string, "command": .string,
      ])
    ).allowing(.beforeRunner)
  ).allowing(.beforeRunner)

  private static let containerEnv = Grammar.mapping(any: .string.allowing([.onRunner, .secrets]))
  private static let credentials = Grammar.mapping(["username": .nonEmptyString, "password": .nonEmptyString])
    .allowing([.beforeJobs, .secrets, .env])
}
