import Foundation

/// How an order reaches the stand-in runner: variables that its shell takes in.
enum StepOrder {
  static func fragment(_ order: JobExecution.Order, step: StepRecord?, paths: [String]) -> String {
    var fragment = ShellFragment()
    fragment.set("step_number", String(step?.number ?? 0))
    fragment.set("step_name", step?.name ?? "")
    fragment.set("step_paths", paths.joined(separator: ":"))
    for name in ["step_script", "step_shell", "step_directory", "step_timeout", "step_environment", "step_message", "step_result"] {
      fragment.set(name, "")
    }
    switch order {
    case .setUp: fragment.set("step_kind", "set-up")
    case .startedHook: fragment.set("step_kind", "started-hook")
    case .completedHook: fragment.set("step_kind", "completed-hook")
    case .complete: fragment.set("step_kind", "complete")
    case .checkout(let directory):
      fragment.set("step_kind", "checkout")
      fragment.set("step_directory", directory)
    case .pass(let message):
      fragment.set("step_kind", "pass")
      fragment.set("step_message", message)
    case .fail(let message):
      fragment.set("step_kind", "fail")
      fragment.set("step_message", message)
    case .run(let script): run(script, &fragment)
    case .finish(let conclusion):
      fragment.set("step_kind", "finish")
      fragment.set("step_result", result(conclusion))
    }
    return fragment.text
  }

  private static func run(_ script: JobExecution.Script, _ fragment: inout ShellFragment) {
    fragment.set("step_kind", "run")
    fragment.set("step_script", script.text)
    fragment.set("step_shell", script.shell ?? "")
    fragment.set("step_directory", script.directory)
    if let timeout = script.timeout { fragment.set("step_timeout", EmulatedGitHub.wholeSeconds(timeout)) }
    var environment = ShellFragment()
    // A name that no shell can hold is left out, as dash itself would drop it.
    for (name, value) in script.environment.sorted(by: { $0.key < $1.key }) where ShellFragment.isName(name) {
      environment.export(name, value)
    }
    fragment.set("step_environment", environment.text)
  }

  /// The runner's own words for a job's end.
  private static func result(_ conclusion: Conclusion) -> String {
    switch conclusion {
    case .success: "Succeeded"
    case .failure: "Failed"
    case .cancelled: "Canceled"
    case .skipped: "Skipped"
    }
  }

  /// Calls of `place PATH TEXT`, a function of the runner. Paths that would leave the workspace are left out.
  static func checkout(_ files: [String: String]) -> String {
    files.sorted { $0.key < $1.key }
      .filter { path, _ in !path.hasPrefix("/") && !path.split(separator: "/").contains("..") }
      .map { "place \(ShellFragment.quoted($0.key)) \(ShellFragment.quoted($0.value))\n" }
      .joined()
  }
}
