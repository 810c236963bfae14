import Domain
import Foundation

/// The files that RunnerHub puts into a runner's home besides its credentials. Pure.
struct RunnerFiles {
  /// A refused job that any runner of its class may get: its started hook fails it.
  struct RefusedJob: Hashable, Sendable {
    var runID: Int64
    /// The job's key in its file; nil: every job of the run that nobody knows better.
    var key: String?
    var reason: String
  }

  var job: Job
  var assignment: Assignment
  var container: Container
  /// The runner's home as the runner sees it.
  var home: String
  var refused: [RefusedJob]
  var baseURL: String?

  /// Hook, environment and introduction; the marker that starts PID 1 comes last and on its own.
  var files: [RunnerFile] {
    [
      RunnerFile(path: ".runnerhub/started.sh", contents: Data(startedHook.utf8), mode: 0o755),
      RunnerFile(path: ".env", contents: Data("ACTIONS_RUNNER_HOOK_JOB_STARTED=\(home)/.runnerhub/started.sh\n".utf8), mode: 0o600),
      RunnerFile(path: ".setup_info", contents: setupInfo, mode: 0o644),
    ]
  }

  /// What PID 1 waits for.
  var marker: RunnerFile {
    RunnerFile(path: ".runnerhub-go", contents: Data("\(assignment.use)\n".utf8), mode: 0o600)
  }

  /// Printed by the runner in every job's log under "Set up job".
  private var setupInfo: Data {
    var detail = "container \(container.name) of pool \(container.pool), use \(assignment.use)\nrunner \(assignment.id)"
    if let estimate = job.estimate {
      detail +=
        "\nestimate \(estimate.sentence)"
    }
    if let reason = job.placementReason { detail += "\nplaced because \(reason)" }
    if let baseURL { detail += "\n\(baseURL)/jobs/\(job.id)" }
    let groups = [["group": "RunnerHub", "detail": detail]]
    // A dictionary of strings always encodes; an empty introduction is the honest answer should it not.
    return (try? JSONEncoder().encode(groups)) ?? Data("[]".utf8)
  }

  /// Runs before the job's first step, and fails the job when it is one that was refused.
  private var startedHook: String {
    var lines = ["#!/bin/sh", "# Put here by RunnerHub for this job; a non-zero end fails the job before its first step."]
    if !refused.isEmpty {
      lines.append("case \"${GITHUB_RUN_ID:-}:${GITHUB_JOB:-}\" in")
      for job in refused {
        let pattern = job.key.map { Self.quoted("\(job.runID):\($0)") } ?? Self.quoted("\(job.runID):") + "*"
        lines.append("\(pattern))")
        lines.append("  printf '%s\\n' \(Self.quoted("::error::RunnerHub refuses this job: \(job.reason)"))")
        lines.append("  exit 1 ;;")
      }
      lines.append("esac")
    }
    lines.append("printf '%s\\n' \(Self.quoted("RunnerHub: \(container.name), use \(assignment.use), runner \(assignment.id)"))")
    return lines.joined(separator: "\n") + "\n"
  }

  /// One word of POSIX shell, whatever the text holds.
  static func quoted(_ text: String) -> String {
    let oneLine = text.replacing("\n", with: " ").replacing("\r", with: " ")
    return "'" + oneLine.replacing("'", with: "'\\''") + "'"
  }
}
