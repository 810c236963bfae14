package import Domain
package import Foundation

/// One job of a trace: what was known of it when it came, and how it went. A line of a trace file.
package struct TraceJob: Hashable, Sendable, Codable {
  package var id: Int64
  package var runID: Int64
  /// When GitHub made it.
  package var createdAt: Date
  package var repository: String
  package var isPrivate: Bool
  package var workflow: String?
  package var name: String
  package var labels: [String]
  package var event: String?
  package var branch: String?
  /// Of the job's definition, where it was known.
  package var environment: String?
  package var isFromFork: Bool
  /// nil: the simulation estimates as the product does.
  package var estimate: Estimate?
  /// Seconds from the runner's start of the job to its end.
  package var duration: Double
  package var conclusion: Conclusion?

  package init(
    id: Int64, runID: Int64, createdAt: Date, repository: String, isPrivate: Bool = true, workflow: String? = nil, name: String,
    labels: [String], event: String? = nil, branch: String? = nil, environment: String? = nil, isFromFork: Bool = false,
    estimate: Estimate? = nil, duration: Double, conclusion: Conclusion? = .success
  ) {
    self.id = id
    self.runID = runID
    self.createdAt = createdAt
    self.repository = repository
    self.isPrivate = isPrivate
    self.workflow = workflow
    self.name = name
    self.labels = labels
    self.event = event
    self.branch = branch
    self.environment = environment
    self.isFromFork = isFromFork
    self.estimate = estimate
    self.duration = duration
    self.conclusion = conclusion
  }

  /// A job of GitHub's that has run; nil where it has not, or its times make no sense. The simulation plays GitHub only.
  package init?(_ job: Job) {
    guard job.source == nil, let startedAt = job.startedAt, let completedAt = job.completedAt, completedAt >= startedAt else { return nil }
    self.init(
      id: job.forgeID, runID: job.runID, createdAt: job.createdAt, repository: job.repository.fullName,
      isPrivate: job.repository.isPrivate, workflow: job.workflow, name: job.name, labels: job.labels, event: job.run?.event,
      branch: job.headBranch, environment: job.definition?.definition?.environment, isFromFork: job.isFromFork, estimate: job.estimate,
      duration: completedAt.timeIntervalSince(startedAt), conclusion: job.conclusion)
  }

  private enum CodingKeys: String, CodingKey {
    case id, repository, workflow, name, labels, event, branch, environment, estimate, conclusion
    case runID = "run_id"
    case createdAt = "created_at"
    case isPrivate = "private"
    case isFromFork = "fork"
    case duration = "duration_seconds"
  }

  package init(from decoder: any Decoder) throws {
    let row = try decoder.container(keyedBy: CodingKeys.self)
    id = try row.decode(Int64.self, forKey: .id)
    runID = try row.decodeIfPresent(Int64.self, forKey: .runID) ?? id
    createdAt = try row.decode(Date.self, forKey: .createdAt)
    repository = try row.decode(String.self, forKey: .repository)
    isPrivate = try row.decodeIfPresent(Bool.self, forKey: .isPrivate) ?? true
    workflow = try row.decodeIfPresent(String.self, forKey: .workflow)
    name = try row.decode(String.self, forKey: .name)
    labels = try row.decode([String].self, forKey: .labels)
    event = try row.decodeIfPresent(String.self, forKey: .event)
    branch = try row.decodeIfPresent(String.self, forKey: .branch)
    environment = try row.decodeIfPresent(String.self, forKey: .environment)
    isFromFork = try row.decodeIfPresent(Bool.self, forKey: .isFromFork) ?? false
    estimate = try row.decodeIfPresent(WireEstimate.self, forKey: .estimate)?.estimate
    duration = try row.decode(Double.self, forKey: .duration)
    conclusion = try row.decodeIfPresent(Conclusion.self, forKey: .conclusion)
    guard duration.isFinite, (0...Self.longest).contains(duration) else {
      throw DecodingError.dataCorruptedError(
        forKey: .duration, in: row, debugDescription: "\(duration): expected seconds from 0 to \(Int(Self.longest))")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var row = encoder.container(keyedBy: CodingKeys.self)
    try row.encode(id, forKey: .id)
    try row.encode(runID, forKey: .runID)
    try row.encode(createdAt, forKey: .createdAt)
    try row.encode(repository, forKey: .repository)
    try row.encode(isPrivate, forKey: .isPrivate)
    try row.encodeIfPresent(workflow, forKey: .workflow)
    try row.encode(name, forKey: .name)
    try row.encode(labels, forKey: .labels)
    try row.encodeIfPresent(event, forKey: .event)
    try row.encodeIfPresent(branch, forKey: .branch)
    try row.encodeIfPresent(environment, forKey: .environment)
    if isFromFork { try row.encode(true, forKey: .isFromFork) }
    try row.encodeIfPresent(estimate.map(WireEstimate.init), forKey: .estimate)
    try row.encode(duration, forKey: .duration)
    try row.encodeIfPresent(conclusion, forKey: .conclusion)
  }

  /// GitHub ends a job on a self-hosted runner after five days.
  package static let longest = 5 * 86_400.0
}

/// An estimate in a trace file.
private struct WireEstimate: Codable {
  var milliCPUs: Int
  var memoryBytes: Int64
  var diskBytes: Int64
  var gpus: Int?
  var durationSeconds: Double?

  enum CodingKeys: String, CodingKey {
    case milliCPUs = "milli_cpus"
    case memoryBytes = "memory_bytes"
    case diskBytes = "disk_bytes"
    case gpus
    case durationSeconds = "duration_seconds"
  }

  init(_ estimate: Estimate) {
    milliCPUs = estimate.resources.milliCPUs
    memoryBytes = estimate.resources.memory.bytes
    diskBytes = estimate.resources.disk.bytes
    gpus = estimate.resources.gpus == 0 ? nil : estimate.resources.gpus
    durationSeconds = estimate.durationSeconds
  }

  var estimate: Estimate {
    Estimate(
      resources: Resources(
        milliCPUs: milliCPUs, memory: ByteCount(bytes: memoryBytes), disk: ByteCount(bytes: diskBytes), gpus: gpus ?? 0),
      durationSeconds: durationSeconds, sources: ["trace"])
  }
}

/// Jobs in the order of their creation.
package struct Trace: Hashable, Sendable {
  package let name: String
  package let jobs: [TraceJob]
  /// Seconds of traffic: to the last creation, or as long as the workload goes on.
  package let span: Double

  /// - Parameter span: nil: to the last creation.
  package init(name: String, jobs: [TraceJob], span: Double? = nil) {
    self.name = name
    let sorted = jobs.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    let last = if let first = sorted.first, let last = sorted.last { last.createdAt.timeIntervalSince(first.createdAt) } else { 0.0 }
    self.jobs = sorted
    self.span = max(span ?? last, last)
  }

  /// When the clock of the simulation begins.
  package var start: Date { jobs.first?.createdAt ?? Date(timeIntervalSince1970: 0) }
  package var repositories: Int { Set(jobs.map(\.repository)).count }
}
