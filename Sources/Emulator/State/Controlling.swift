import Foundation
import Workflow

/// Cancelling and running again.
extension EmulatedGitHub {
  func run(_ id: Int64, in repository: RepositoryRecord) throws(Refusal) -> RunRecord {
    guard let run = runs[id], run.repository == repository.fullName else { throw .notFound }
    return run
  }

  func job(_ id: Int64, in repository: RepositoryRecord) throws(Refusal) -> JobRecord {
    guard let job = jobs[id], job.repository == repository.fullName else { throw .notFound }
    return job
  }

  /// Ends what waits, and asks runners to cancel what runs.
  ///
  /// - Throws: 409 for a run that has ended.
  func cancel(_ runID: Int64, in repository: RepositoryRecord) throws(Refusal) {
    let run = try run(runID, in: repository)
    guard run.progress != .completed else { throw Refusal(409, "Cannot cancel a workflow run that is completed.") }
    runs[runID]?.isCancelled = true
    for id in run.attempts.last ?? [] {
      guard let job = jobs[id], job.progress != .completed else { continue }
      cancel(job)
    }
    advance(runID)
  }

  /// Starts the next attempt of an ended run: of all jobs, of one with those that need it, or of the failed ones with those that need them.
  ///
  /// - Throws: 403 while the run is active.
  func rerun(_ runID: Int64, in repository: RepositoryRecord, only jobID: Int64? = nil, failedOnly: Bool = false) throws(Refusal) {
    var run = try run(runID, in: repository)
    guard run.progress == .completed else { throw Refusal(403, "This workflow is already running") }
    let last = (run.attempts.last ?? []).compactMap { jobs[$0] }
    var again: Set<String>
    if let jobID {
      guard let job = jobs[jobID], job.runID == runID else { throw .notFound }
      again = [job.definition.key.lowercased()]
    } else if failedOnly {
      again = Set(last.filter { $0.conclusion != .success }.map { $0.definition.key.lowercased() })
      guard !again.isEmpty else { throw Refusal(403, "The workflow run containing this job has no failed jobs") }
    } else {
      again = Set(run.file.jobs.map { $0.key.lowercased() })
    }
    var grown = true
    while grown {
      grown = false
      for job in run.file.jobs where !again.contains(job.key.lowercased()) && job.needs.contains(where: { again.contains($0.lowercased()) })
      {
        again.insert(job.key.lowercased())
        grown = true
      }
    }
    run.attempt += 1
    run.attempts.append(last.filter { !again.contains($0.definition.key.lowercased()) }.map(\.id))
    run.pendingKeys = run.file.jobs.map(\.key).filter { again.contains($0.lowercased()) }
    run.progress = .queued
    run.conclusion = nil
    run.isCancelled = false
    run.attemptStartedAt = now()
    run.updatedAt = run.attemptStartedAt
    runs[runID] = run
    announce(runID, "requested")
    advance(runID)
    dispatch()
  }
}
