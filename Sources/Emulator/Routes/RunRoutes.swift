import Foundation

/// Workflow runs and their jobs.
extension Route {
  private static let base = "/repos/{owner}/{repo}/actions"
  private static let read = Access.permission("actions", "read")
  private static let write = Access.permission("actions", "write")

  static let runs: [Route] = [
    Route("GET", "\(base)/runs", read) { call, github in
      let repository = try await github.repository(call)
      let shapes = await github.shapes
      let found = await github.runs(of: repository, matching: call)
      return .page(found.map { shapes.run($0, in: repository) }, "workflow_runs", for: call, baseURL: shapes.baseURL)
    },
    Route("GET", "\(base)/runs/{run_id}", read) { call, github in
      let repository = try await github.repository(call)
      let run = try await github.run(try call.id("run_id"), in: repository)
      return .json(await github.shapes.run(run, in: repository))
    },
    Route("GET", "\(base)/runs/{run_id}/jobs", read) { call, github in
      let run = try await github.run(try call.id("run_id"), in: try await github.repository(call))
      let attempts = call[query: "filter"] == "all" ? run.attempts : Array(run.attempts.suffix(1))
      return try await github.jobList(attempts.flatMap { $0 }, of: run, for: call)
    },
    Route("GET", "\(base)/runs/{run_id}/attempts/{attempt_number}/jobs", read) { call, github in
      let run = try await github.run(try call.id("run_id"), in: try await github.repository(call))
      guard let number = Int(call.text("attempt_number")), run.attempts.indices.contains(number - 1) else { throw Refusal.notFound }
      return try await github.jobList(run.attempts[number - 1], of: run, for: call)
    },
    Route("POST", "\(base)/runs/{run_id}/cancel", write) { call, github in
      guard github.configuration.heedsCancellations else { return .json([:], status: 202) }
      try await github.cancel(try call.id("run_id"), in: try await github.repository(call))
      return .json([:], status: 202)
    },
    Route("POST", "\(base)/runs/{run_id}/force-cancel", write) { call, github in
      try await github.cancel(try call.id("run_id"), in: try await github.repository(call))
      return .json([:], status: 202)
    },
    Route("POST", "\(base)/runs/{run_id}/rerun", write) { call, github in
      try await github.rerun(try call.id("run_id"), in: try await github.repository(call))
      return .json([:], status: 201)
    },
    Route("POST", "\(base)/runs/{run_id}/rerun-failed-jobs", write) { call, github in
      try await github.rerun(try call.id("run_id"), in: try await github.repository(call), failedOnly: true)
      return .json([:], status: 201)
    },
    Route("GET", "\(base)/jobs/{job_id}", read) { call, github in
      let repository = try await github.repository(call)
      let job = try await github.job(try call.id("job_id"), in: repository)
      let run = try await github.run(job.runID, in: repository)
      return .json(await github.shapes.job(job, of: run, in: repository))
    },
    Route("POST", "\(base)/jobs/{job_id}/rerun", write) { call, github in
      let repository = try await github.repository(call)
      let job = try await github.job(try call.id("job_id"), in: repository)
      try await github.rerun(job.runID, in: repository, only: job.id)
      return .json([:], status: 201)
    },
    Route("GET", "\(base)/jobs/{job_id}/logs", read) { call, github in
      let job = try await github.job(try call.id("job_id"), in: try await github.repository(call))
      guard job.progress == .completed, !job.logs.isEmpty else { throw Refusal.notFound }
      return Answer(status: 302, headers: [("Location", "\(await github.baseURL)/_emulator/logs/\(job.id)")])
    },
  ]
}

extension EmulatedGitHub {
  func repository(_ call: Call) throws(Refusal) -> RepositoryRecord { try repository(call.text("owner"), call.text("repo")) }

  /// Newest first, as the query asks.
  fileprivate func runs(of repository: RepositoryRecord, matching call: Call) -> [RunRecord] {
    runs.values.filter { run in
      run.repository == repository.fullName
        && (call[query: "status"].map { $0 == run.progress.rawValue || $0 == run.conclusion?.rawValue } ?? true)
        && (call[query: "event"].map { $0 == run.event } ?? true) && (call[query: "branch"].map { $0 == run.headBranch } ?? true)
        && (call[query: "head_sha"].map { $0 == run.commit.sha } ?? true)
    }.sorted { $0.id > $1.id }
  }

  fileprivate func jobList(_ ids: [Int64], of run: RunRecord, for call: Call) throws(Refusal) -> Answer {
    let repository = try repository(call)
    return .page(ids.compactMap { jobs[$0] }.map { shapes.job($0, of: run, in: repository) }, "jobs", for: call, baseURL: baseURL)
  }
}
