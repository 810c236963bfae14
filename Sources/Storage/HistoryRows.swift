package import RunnerHub

extension SQLiteStore: JobHistoryReader {
  package func earlierRuns(of lineage: JobLineage, limit: Int) async throws(StoreError) -> [EarlierRun] {
    try await read { db in
      try db.rows(Self.earlierRuns, [lineage.repository, lineage.workflow, lineage.name, max(0, limit)]).map { row in
        let place = "a row of job_outcomes"
        return EarlierRun(receivedAt: try row.readTime("received_at", place), seconds: try row.read("run_seconds", place))
      }
    }
  }

  /// Answered by the index `job_outcomes_by_job` alone.
  static let earlierRuns = """
    SELECT received_at, run_seconds FROM job_outcomes
    WHERE repository = ? AND workflow = ? AND name = ? AND outcome = 'succeeded' AND run_seconds IS NOT NULL
    ORDER BY received_at DESC LIMIT ?
    """
}
