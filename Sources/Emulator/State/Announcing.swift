import Foundation

/// The webhooks of runs and jobs, in GitHub's shapes.
extension EmulatedGitHub {
  func announce(_ runID: Int64, _ action: String) {
    guard let run = runs[runID], let repository = repositories[run.repository.lowercased()] else { return }
    deliver(
      "workflow_run", action: action, repository: run.repository,
      payload: ["workflow_run": shapes.run(run, in: repository), "workflow": shapes.workflow(run, in: repository)])
  }

  func announce(job id: Int64, _ action: String) {
    guard let job = jobs[id], let run = runs[job.runID], let repository = repositories[run.repository.lowercased()] else { return }
    deliver("workflow_job", action: action, repository: run.repository, payload: ["workflow_job": shapes.job(job, of: run, in: repository)])
  }
}
