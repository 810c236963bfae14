import Foundation
import Workflow

/// The emulator's own doors: pushing, approving, and what judges read. GitHub has none of these.
extension Route {
  static let administration: [Route] = [
    Route("POST", "/_emulator/push", .own) { call, github in
      let body = try call.json()
      guard let repository = body["repository"].string else { throw Refusal.invalid("Push", "repository", code: "missing_field") }
      var push = Push(repository: repository, files: (body["files"].object ?? [:]).compactMapValues(\.string))
      if let ref = body["ref"].string { push.ref = ref }
      if let event = body["event"].string { push.event = event }
      if let message = body["message"].string { push.message = message }
      push.workflow = body["workflow"].string
      push.fork = body["fork"].string
      if body["payload"].object != nil { push.payload = body["payload"] }
      let outcome = try await github.push(push)
      return .json(
        [
          "sha": .string(outcome.sha), "runs": .array(outcome.runs.map { .int($0) }),
          "invalid": .object(outcome.invalid.mapValues(JSON.texts)),
        ], status: 201)
    },
    Route("POST", "/_emulator/jobs/{job_id}/approve", .own) { call, github in
      try await github.approve(try call.id("job_id"))
      return .empty(204)
    },
    Route("GET", "/_emulator/ledger", .own) { _, github in .json(await github.ledger()) },
    Route("GET", "/_emulator/exchanges", .own) { _, github in .json(.array(await github.recordedExchanges())) },
    Route("GET", "/_emulator/logs/{job_id}", .own) { call, github in .text(try await github.log(of: try call.id("job_id"))) },
  ]
}

extension EmulatedGitHub {
  /// The log of a job: its steps' logs, one after the other.
  package func log(of job: Int64) throws(Refusal) -> String {
    guard let job = jobs[job] else { throw .notFound }
    return job.logs.map(\.text).joined()
  }

  /// Everything that has happened, for judges: jobs with all their states, registrations with their fates, deliveries with their answers.
  package func ledger() -> JSON {
    [
      "runs": .array(
        runs.values.sorted { $0.id < $1.id }.map { run in
          [
            "id": .int(run.id), "repository": .string(run.repository), "path": .string(run.path), "attempt": .int(Int64(run.attempt)),
            "status": .string(run.progress.rawValue), "conclusion": .text(run.conclusion?.rawValue),
          ]
        }),
      "jobs": .array(
        jobs.values.sorted { $0.id < $1.id }.map { job in
          [
            "id": .int(job.id), "run_id": .int(job.runID), "attempt": .int(Int64(job.attempt)), "repository": .string(job.repository),
            "key": .string(job.definition.key), "name": .string(job.name), "labels": .texts(job.labels),
            "status": .string(job.progress.rawValue),
            "conclusion": .text(job.conclusion?.rawValue), "runner_name": .text(job.runner?.name), "created_at": .time(job.createdAt),
            "started_at": .time(job.timesStarted > 0 ? job.startedAt : nil), "completed_at": .time(job.completedAt),
            "times_started": .int(Int64(job.timesStarted)), "times_ended": .int(Int64(job.timesEnded)), "note": .text(job.note),
            "states": .array(job.transitions.map { ["state": .string($0.state), "at": .number($0.at.timeIntervalSince1970)] }),
          ]
        }),
      "registrations": .array(
        registrations.values.sorted { $0.id < $1.id }.map { runner in
          [
            "id": .int(runner.id), "name": .string(runner.name), "labels": .texts(runner.labels), "state": .string(runner.state.rawValue),
            "created_at": .time(runner.createdAt), "fate": .text(runner.fate), "refused_uses": .int(Int64(runner.refusedUses)),
          ]
        }),
      "deliveries": .array(deliveries.map { $0.item.merging(["created_at": .number($0.createdAt.timeIntervalSince1970)]) }),
      "check_runs": .array(
        checkRuns.values.sorted { $0.id < $1.id }.map { $0.fields.merging(["id": .int($0.id), "head_sha": .string($0.headSHA)]) }),
      "faults": .array(strikes.map { ["kind": .string($0.kind.rawValue), "what": .string($0.what)] }),
      "statuses": .array(statuses.sorted { $0.key < $1.key }.flatMap(\.value)),
    ]
  }
}
