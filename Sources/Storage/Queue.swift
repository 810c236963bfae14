package import Domain
import GRDB
package import RunnerHub

/// The queue by class. Which classes wait, and how many jobs each, is kept by triggers in `row_counts`; the rest are seeks in partial indexes
/// of the queued rows. So a turn costs by classes and heads, never by waiting jobs.
enum Queue {
  static let waitingClasses = "SELECT key, total FROM row_counts WHERE subject = 'queue' AND total > 0 ORDER BY key"

  static let heads =
    "SELECT id, version, metadata FROM orchestrator_jobs WHERE status = 'queued' AND class_key = ? ORDER BY order_key, id LIMIT ?"

  static let needs = largest(of: "queued")
  static let leftNeeds = largest(of: "forwarded")

  static let leftRepositories = """
    SELECT
      (SELECT min(repository) FROM orchestrator_jobs WHERE status = 'forwarded' AND class_key = ?1) AS first,
      (SELECT max(repository) FROM orchestrator_jobs WHERE status = 'forwarded' AND class_key = ?1) AS last
    """

  /// The state is written out, since that is how SQLite finds the partial index.
  private static func largest(of state: String) -> String {
    """
    SELECT
      (SELECT max(milli_cpus) FROM orchestrator_jobs WHERE status = '\(state)' AND class_key = ?1) AS milli_cpus,
      (SELECT max(memory_bytes) FROM orchestrator_jobs WHERE status = '\(state)' AND class_key = ?1) AS memory_bytes,
      (SELECT max(disk_bytes) FROM orchestrator_jobs WHERE status = '\(state)' AND class_key = ?1) AS disk_bytes,
      (SELECT max(gpus) FROM orchestrator_jobs WHERE status = '\(state)' AND gpus > 0 AND class_key = ?1) AS gpus,
      EXISTS (SELECT 1 FROM orchestrator_jobs WHERE status = '\(state)' AND is_fork = 1 AND class_key = ?1) AS holds_fork
    """
  }

  static func classes(heads limit: Int, _ cache: RowCache<Job>, in db: Database) throws -> [ClassQueue] {
    try db.rows(waitingClasses).map { row in
      let key: String = try row.read("key", "row_counts of queue")
      // At least one, since it names the class.
      let jobs = try db.values(cache, heads, [key, max(1, limit)])
      guard let jobClass = jobs.first?.jobClass else {
        throw RowCoding.damage("the queue of class \(key)", "row_counts has jobs of it, orchestrator_jobs has none")
      }
      let (holdsForkJob, largest) = try read(needs, of: key, in: db)
      return ClassQueue(
        jobClass: jobClass, count: try row.read("total", "row_counts of queue"), heads: Array(jobs.prefix(max(0, limit))),
        holdsForkJob: holdsForkJob, largest: largest, left: try left(in: key, db))
    }
  }

  private static func left(in key: String, _ db: Database) throws -> LeftJobs {
    let place = "the jobs of class \(key) that were left to others"
    guard let row = try db.row(leftRepositories, [key]), let first: String = try row.readOptional("first", place) else { return LeftJobs() }
    let (holdsForkJob, largest) = try read(leftNeeds, of: key, in: db)
    return LeftJobs(holdsForkJob: holdsForkJob, largest: largest, repositories: [first, try row.read("last", place)])
  }

  private static func read(_ sql: String, of key: String, in db: Database) throws -> (holdsForkJob: Bool, largest: Resources?) {
    let place = "the queue of class \(key)"
    guard let row = try db.row(sql, [key]) else { throw RowCoding.damage(place, "no answer") }
    let holdsForkJob: Bool = try row.read("holds_fork", place)
    guard let milliCPUs: Int = try row.readOptional("milli_cpus", place) else { return (holdsForkJob, nil) }
    return (
      holdsForkJob,
      Resources(
        milliCPUs: milliCPUs, memory: ByteCount(bytes: try row.read("memory_bytes", place)),
        disk: ByteCount(bytes: try row.read("disk_bytes", place)), gpus: try row.readOptional("gpus", place) ?? 0)
    )
  }
}

extension SQLiteStore: PlanningReader {
  package func fleetMarks() async throws(StoreError) -> FleetMarks { try await read { db in try Self.fleetMarks(in: db) } }

  static func fleetMarks(in db: Database) throws -> FleetMarks {
    guard let row = try db.row("SELECT value FROM memory WHERE key = ?", [fleetMarksKey]) else { return FleetMarks() }
    return try RowCoding.value(FleetMarks.self, try row.read("value", fleetMarksKey), of: fleetMarksKey)
  }

  /// Their place in the table `memory`.
  static let fleetMarksKey = "fleet-marks"

  package func planningView(heads: Int) async throws(StoreError) -> PlanningView {
    let (jobs, assignments, containers) = (jobs, assignments, containers)
    let bound = [JobState.assigned, .starting].map(\.rawValue)
    return try await read { db in
      var view = PlanningView(
        queue: try Queue.classes(heads: heads, jobs, in: db), refusals: try db.values(jobs, Self.refusedJobs, [max(0, heads)]),
        containers: [], assignments: [], bound: [])
      if view.queue.isEmpty && view.refusals.isEmpty { return view }
      view.containers = try db.values(containers, Self.liveContainers)
      view.assignments = try db.values(assignments, Self.activeAssignments)
      // All: one that is left out could get a second registration.
      view.marks = try Self.fleetMarks(in: db)
      view.bound = try db.values(jobs, Self.jobsByState(count: bound.count), bound + [Int.max])
      return view
    }
  }
}
