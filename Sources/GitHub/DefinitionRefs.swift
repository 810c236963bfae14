/// Which commits may hold the version of a workflow file that a run executes. A run does not say so itself; its event decides.
///
/// Source: GitHub's documentation, "Events that trigger workflows" (`GITHUB_SHA` of each event).
enum DefinitionRefs {
  /// Events whose runs take the file from the merge of the pull request with its base.
  private static let ofMerge: Set<String> = ["pull_request", "pull_request_review", "pull_request_review_comment"]

  /// Events whose run's head is the very commit of the file. A `schedule` runs at the default branch's head of that moment, which its
  /// head SHA names and the branch itself does not any more a minute later.
  private static let ofHead: Set<String> = [
    "push", "workflow_dispatch", "schedule", "create", "deployment", "deployment_status", "merge_group", "release", "registry_package",
    "dynamic",
  ]

  /// Refs for `GET …/contents/{path}?ref=`, best first; never empty.
  static func candidates(event: String, headSHA: String, pullRequests: [WirePullRequest], defaultBranch: String?) -> [String] {
    if ofMerge.contains(event) {
      return unique(pullRequests.map { "refs/pull/\($0.number.value)/merge" } + [headSHA])
    }
    if ofHead.contains(event) { return [headSHA] }
    // All others (pull_request_target, issue_comment, workflow_run, …) run the trusted file of the base or default branch, while their
    // head may be a stranger's commit: that one is no candidate, or a fork could describe itself.
    let branches = [defaultBranch].compactMap(\.self) + pullRequests.compactMap { $0.base?.ref }
    return branches.isEmpty ? ["HEAD"] : unique(branches)
  }

  private static func unique(_ refs: [String]) -> [String] {
    refs.reduce(into: []) { kept, ref in if !kept.contains(ref) { kept.append(ref) } }
  }
}
