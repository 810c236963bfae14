/// The calls that leave RunnerHub and change something there, or that a step waits for. Each has a failpoint before and after it.
package enum OutwardCall: String, Sendable, CaseIterable {
  // MARK: To an engine
  case create, start, put, update, recycle, remove

  // MARK: To the forge
  case register
  case removeRunner = "remove-runner"
  case removeRunnerNamed = "remove-runner-named"
  case cancelRun = "cancel-run"
  case publish
  case run, file, job
  case searchRepositories = "search-repositories"
  case searchRuns = "search-runs"
  case searchJobs = "search-jobs"

  // MARK: To a notifier
  case notify

  // MARK: To the blob store
  case appendLog = "append-log"
}
