internal import Domain
internal import RunnerHub

/// A parameter or a result of a function that policies have or use.
struct PolicyValue: Hashable, Sendable {
  let name: String
  /// In LuaLS annotations.
  let type: String
  let doc: String

  init(_ name: String, _ type: String, _ doc: String = "") {
    self.name = name
    self.type = type
    self.doc = doc
  }
}

/// A function that the host asks for, or that it offers. Annotations and the reference page follow from it.
struct PolicyFunction: Hashable, Sendable {
  let name: String
  let doc: String
  let parameters: [PolicyValue]
  let results: [PolicyValue]
  let isOptional: Bool

  init(_ name: String, _ doc: String, takes parameters: [PolicyValue], gives results: [PolicyValue] = [], isOptional: Bool = false) {
    self.name = name
    self.doc = doc
    self.parameters = parameters
    self.results = results
    self.isOptional = isOptional
  }

  /// `fun(job: Job, fleet: Fleet): "orchestrator"|"traditional", string?`
  var annotation: String {
    let taken = parameters.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
    let given = results.map(\.type).joined(separator: ", ")
    return "fun(\(taken))" + (given.isEmpty ? "" : ": \(given)")
  }

  /// `route(job, fleet)`
  var signature: String { "\(name)(\(parameters.map(\.name).joined(separator: ", ")))" }
}

/// What each policy file offers: what it is asked, and what it may answer.
enum PolicyFunctions {
  private static let job = PolicyValue("job", "Job")
  private static let fleet = PolicyValue("fleet", "Fleet")
  private static let container = PolicyValue("container", "Container")
  private static let why = PolicyValue(
    "why", "string?", "Why, in a few words; of more than \(PolicyAnswer.reasonLimit) bytes the first are kept.")

  /// The class of a file's table in the annotations, what it decides, and its functions.
  static func of(_ file: PolicyFile) -> (className: String, doc: String, functions: [PolicyFunction]) {
    switch file {
    case .routing: ("Routing", "Which jobs run here, and which stay on traditional runners. Asked once for each job.", [route])
    case .priority: ("PriorityPolicy", "Which jobs go first. Asked once for each job that runs here.", [prioritise])
    case .affinity:
      (
        "Affinity",
        "Which container fits a job best. Asked in each turn in which a job waits and there is room for it; of a pool's unused containers, "
          + "which are alike, at most sixteen are shown.", [filter, score, strategy]
      )
    case .scaling: ("Scaling", "How large a pool is. Asked every few seconds for each pool.", [scale])
    }
  }

  private static func words(_ words: [String]) -> String { words.map { "\"\($0)\"" }.joined(separator: "|") }

  private static let route = PolicyFunction(
    "route", "Who runs the job. The host's rules stand above it: without a pool that offers the labels, a job stays traditional.",
    takes: [job, fleet], gives: [PolicyValue("route", words(Route.allCases.map(\.rawValue)), "Here, or where it is."), why])

  private static let prioritise = PolicyFunction(
    "prioritise", "How urgent the job is. What it says is a place in the queue, which does not change while the job waits.",
    takes: [job, fleet],
    gives: [
      PolicyValue(
        "level", words(Priority.allCases.map(\.word)),
        "`CRITICAL` goes four hours ahead of `NORMAL`, `HIGH` one hour; `LOW` goes one hour behind it."), why,
      PolicyValue(
        "weight", "number?",
        "Orders within the level: minutes of waiting by which the job goes ahead, \(Int(Priority.weights.lowerBound)) to "
          + "\(Int(Priority.weights.upperBound)); 0 if it is left out."),
    ])

  private static let filter = PolicyFunction(
    "filter",
    "Whether the job may have the container. Where all are left out, the job waits and is asked for again a few seconds later, so that "
      + "`false` also means \"not yet\".", takes: [job, container],
    gives: [PolicyValue("allowed", "boolean", "Without the function, all are."), why], isOptional: true)

  private static let score = PolicyFunction(
    "score", "How well the container fits. Within five points what can begin soonest goes first, and then the strategy decides.",
    takes: [job, container], gives: [PolicyValue("points", "number", "0 to 100."), why])

  private static let strategy = PolicyFunction(
    "strategy", "How ties are broken for this job.", takes: [job],
    gives: [PolicyValue("strategy", words(LoadBalancingStrategy.allCases.map(\.rawValue)) + "|nil", "nil: the configured one.")],
    isOptional: true)

  private static let scale = PolicyFunction(
    "scale",
    "How many containers the pool should have in all. The host keeps it between minimum and maximum, and never below the busy ones and the "
      + "pool's `warm`: set `warm: 0` where the policy is to decide alone.", takes: [PolicyValue("pool", "Pool"), fleet],
    gives: [PolicyValue("wanted", "integer", "A whole number from 0."), why])

  // MARK: What policies can use

  /// Beside Lua's own `math`, `string`, `table`, `utf8` and basic functions.
  static let sandbox = [
    PolicyFunction(
      "percent",
      "Where the texts fall between 0 and 100: always the same for the same texts, on every machine, and spread evenly. "
        + "`percent(job.repository, job.workflow_path or \"\") < 10` is a tenth of all workflows, and stays that tenth.",
      takes: [PolicyValue("text", "string"), PolicyValue("...", "string")], gives: [PolicyValue("percent", "number", "0 ≤ x < 100.")]),
    PolicyFunction(
      "require", "A module of `lib/`: `require(\"lib.words\")` is `lib/words.lua`. Tests may require the policy files too.",
      takes: [PolicyValue("name", "string")], gives: [PolicyValue("module", "any")]),
  ]

  static let data = PolicyValue(
    "data", "table<string, any>",
    "The tables of the bundle's `data/*.yaml`, read-only: `data.teams` is `data/teams.yaml`. An unknown name is an error.")

  /// In `_test.lua` files only.
  static let harness = [
    PolicyFunction("test", "A test. Its name is a sentence.", takes: [PolicyValue("name", "string"), PolicyValue("body", "fun()")]),
    PolicyFunction(
      "expect", "What is to hold of a value: `equals`, `contains`, `between`, `fails`.", takes: [PolicyValue("value", "any")],
      gives: [PolicyValue("expectation", "Expectation")]),
    builder("job", "Job", "`clock = \"2025-01-06 09:00\"` sets the moment at which it is asked for."),
    builder("pool", "Pool"),
    builder("fleet", "Fleet", "`clock = \"2025-01-06 09:00\"` or `now` sets both."),
    builder("container", "Container"),
    PolicyFunction(
      "moment", "Seconds since 1970 of a time in UTC.", takes: [PolicyValue("text", "string", "`2025-01-06 09:00`.")],
      gives: [PolicyValue("seconds", "integer")]),
  ]

  private static func builder(_ name: String, _ type: String, _ more: String = "") -> PolicyFunction {
    PolicyFunction(
      name, "An input as the host would make it. What is left out is filled." + (more.isEmpty ? "" : " " + more),
      takes: [PolicyValue("given", "table?")], gives: [PolicyValue(name, type)])
  }
}
