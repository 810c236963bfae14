import Foundation
import Workflow

/// Runs, jobs, steps and workflows as REST and webhooks show them.
extension Shapes {
  func run(_ run: RunRecord, in repository: RepositoryRecord) -> JSON {
    let url = "\(baseURL)/repos/\(repository.fullName)/actions/runs/\(run.id)"
    let head = minimalRepository(repository)
    let isFork = run.headRepository.lowercased() != repository.fullName.lowercased()
    return [
      "id": .int(run.id), "name": .string(run.name), "node_id": .string(Self.nodeID("WorkflowRun", run.id)),
      "check_suite_id": .int(run.checkSuiteID), "check_suite_node_id": .string(Self.nodeID("CheckSuite", run.checkSuiteID)),
      "head_branch": .text(run.headBranch), "head_sha": .string(run.commit.sha), "path": .string(run.path),
      "run_number": .int(Int64(run.number)),
      "run_attempt": .int(Int64(run.attempt)), "referenced_workflows": [], "event": .string(run.event),
      "status": .string(run.progress.rawValue),
      "conclusion": .text(run.conclusion?.rawValue), "workflow_id": .int(run.workflowID), "url": .string(url),
      "html_url": "\(baseURL)/\(repository.fullName)/actions/runs/\(run.id)", "pull_requests": [], "created_at": .time(run.createdAt),
      "updated_at": .time(run.updatedAt), "actor": user(run.actor), "triggering_actor": user(run.actor),
      "run_started_at": .time(run.attemptStartedAt),
      "jobs_url": "\(url)/jobs", "logs_url": "\(url)/logs",
      "check_suite_url": "\(baseURL)/repos/\(repository.fullName)/check-suites/\(run.checkSuiteID)",
      "artifacts_url": "\(url)/artifacts", "cancel_url": "\(url)/cancel", "rerun_url": "\(url)/rerun",
      "previous_attempt_url": run.attempt > 1 ? "\(url)/attempts/\(run.attempt - 1)" : nil,
      "workflow_url": "\(baseURL)/repos/\(repository.fullName)/actions/workflows/\(run.workflowID)", "head_commit": commit(run.commit),
      "repository": minimalRepository(repository), "head_repository": isFork ? fork(run.headRepository, of: repository) : head,
      "display_title": .string(run.file.runName ?? run.commit.message),
    ]
  }

  /// The fork that a pull request came from: another repository with another owner.
  private func fork(_ fullName: String, of repository: RepositoryRecord) -> JSON {
    let parts = fullName.split(separator: "/", maxSplits: 1).map(String.init)
    let record = RepositoryRecord(
      id: Self.identifier(of: fullName), owner: parts.first ?? "", name: parts.last ?? "", isPrivate: false,
      defaultBranch: repository.defaultBranch, createdAt: repository.createdAt)
    return minimalRepository(record).merging(["fork": true])
  }

  func commit(_ commit: Commit) -> JSON {
    let person: JSON = ["name": "Octocat", "email": "octocat@example.invalid"]
    return [
      "id": .string(commit.sha), "tree_id": .string(commit.treeSHA), "message": .string(commit.message), "timestamp": .time(commit.date),
      "author": person, "committer": person,
    ]
  }

  func workflow(_ run: RunRecord, in repository: RepositoryRecord) -> JSON {
    let url = "\(baseURL)/repos/\(repository.fullName)/actions/workflows/\(run.workflowID)"
    return [
      "id": .int(run.workflowID), "node_id": .string(Self.nodeID("Workflow", run.workflowID)), "name": .string(run.name),
      "path": .string(run.path),
      "state": "active", "created_at": .time(repository.createdAt), "updated_at": .time(run.createdAt), "url": .string(url),
      "html_url": "\(baseURL)/\(repository.fullName)/blob/\(repository.defaultBranch)/\(run.path)",
      "badge_url": "\(baseURL)/\(repository.fullName)/workflows/\(run.workflowID)/badge.svg",
    ]
  }

  func job(_ job: JobRecord, of run: RunRecord, in repository: RepositoryRecord) -> JSON {
    let url = "\(baseURL)/repos/\(repository.fullName)"
    return [
      "id": .int(job.id), "run_id": .int(job.runID), "workflow_name": .string(run.name), "head_branch": .text(run.headBranch),
      "run_url": "\(url)/actions/runs/\(job.runID)", "run_attempt": .int(Int64(job.attempt)),
      "node_id": .string(Self.nodeID("CheckRun", job.id)),
      "head_sha": .string(run.commit.sha), "url": "\(url)/actions/jobs/\(job.id)",
      "html_url": "\(baseURL)/\(repository.fullName)/actions/runs/\(job.runID)/job/\(job.id)", "status": .string(job.progress.rawValue),
      "conclusion": .text(job.conclusion?.rawValue), "created_at": .time(job.createdAt), "started_at": .time(job.startedAt),
      "completed_at": .time(job.completedAt), "name": .string(job.name), "steps": .array(job.steps.map(step)),
      "check_run_url": "\(url)/check-runs/\(job.id)", "labels": .texts(job.labels), "runner_id": .id(job.runner?.id),
      "runner_name": .text(job.runner?.name), "runner_group_id": .id(job.runner?.groupID),
      "runner_group_name": .text(job.runner?.groupName),
    ]
  }

  private func step(_ step: StepRecord) -> JSON {
    [
      "name": .string(step.name), "status": .string(step.progress.rawValue), "conclusion": .text(step.conclusion?.rawValue),
      "number": .int(Int64(step.number)), "started_at": .time(step.startedAt), "completed_at": .time(step.completedAt),
    ]
  }

  func runner(_ runner: RegistrationRecord) -> JSON {
    [
      "id": .int(runner.id), "name": .string(runner.name), "os": .string(runner.operatingSystem),
      "status": .string(runner.state == .offline ? "offline" : "online"), "busy": .bool(runner.state == .busy), "ephemeral": true,
      "runner_group_id": .int(runner.group.id), "version": "0.0.0",
      "labels": .array(
        runner.labels.enumerated().map {
          ["id": .int(Int64($0 + 1)), "name": .string($1), "type": $1 == "self-hosted" ? "read-only" : "custom"]
        }),
    ]
  }

  func runnerGroup(_ group: EmulatorConfiguration.RunnerGroup) -> JSON {
    let url = "\(baseURL)/orgs/\(configuration.organisation)/actions/runner-groups/\(group.id)"
    return [
      "id": .int(group.id), "name": .string(group.name), "visibility": group.repositories == nil ? "all" : "selected",
      "default": .bool(group.id == 1), "runners_url": "\(url)/runners", "inherited": false, "allows_public_repositories": false,
      "workflow_restrictions_read_only": false, "restricted_to_workflows": false, "selected_workflows": [],
    ]
  }
}
