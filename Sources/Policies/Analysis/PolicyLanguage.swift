/// The names that a policy file finds without declaring them, and the words that some fields hold. A test compares them with the sandbox.
enum PolicyLanguage {
  static let functions: Set<String> = [
    "assert", "error", "getmetatable", "ipairs", "pairs", "pcall", "percent", "print", "rawequal", "require", "select", "setmetatable",
    "tonumber", "tostring", "type", "xpcall",
  ]
  /// Of RunnerHub's own.
  static let hostFunctions: Set<String> = ["percent"]
  static let values: Set<String> = ["_VERSION"]

  /// The global with the tables of `data/`.
  static let data = "data"

  static let libraries: [String: Set<String>] = [
    "string": ["byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper"],
    "table": ["concat", "insert", "move", "pack", "remove", "sort", "unpack"],
    "utf8": ["char", "charpattern", "codepoint", "codes", "len", "offset"],
    "math": [
      "abs", "ceil", "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max", "maxinteger", "min", "mininteger", "modf", "pi", "rad",
      "random", "sin", "sqrt", "tan", "tointeger", "type", "ult",
    ],
  ]

  /// Names of Lua that the sandbox leaves out.
  static let outside: Set<String> = [
    "io", "os", "debug", "load", "loadstring", "loadfile", "dofile", "package", "collectgarbage", "coroutine", "next", "rawget", "rawset",
    "rawlen", "_G",
  ]

  /// In `_test.lua` files only.
  static let harness: Set<String> = ["test", "expect", "job", "pool", "fleet", "container", "moment"]

  /// Where errors of what is called are caught or expected.
  static let guards: Set<String> = ["pcall", "xpcall", "expect"]

  /// Words that a field is compared with. GitHub adds events now and then, so an unknown one is told only where it looks like a slip.
  /// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
  static let events: Set<String> = [
    "branch_protection_rule", "check_run", "check_suite", "create", "delete", "deployment", "deployment_status", "discussion",
    "discussion_comment", "dynamic", "fork", "gollum", "image_version", "issue_comment", "issues", "label", "merge_group", "milestone",
    "page_build", "project", "project_card", "project_column", "public", "pull_request", "pull_request_review",
    "pull_request_review_comment", "pull_request_target", "push", "registry_package", "release", "repository_dispatch", "schedule",
    "status", "unknown", "watch", "workflow_call", "workflow_dispatch", "workflow_run",
  ]

  /// What the host gives to each function of a policy file, by the order of its parameters.
  static let parameters: [PolicyFile: [String: [String]]] = [
    .routing: ["route": ["job", "fleet"]],
    .priority: ["prioritise": ["job", "fleet"]],
    .affinity: ["filter": ["job", "container"], "score": ["job", "container"], "strategy": ["job"]],
    .scaling: ["scale": ["pool", "fleet"]],
  ]
}
