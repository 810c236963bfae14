package import Domain
package import Foundation

/// What an operator can set of the core. Durations are seconds where they meet dates.
package struct Settings: Sendable {
  /// Where runners are registered.
  package enum Scope: Hashable, Sendable {
    case organization(String)
    /// In each job's own repository.
    case repository
  }

  package var scope: Scope
  /// In the order in which they are tried.
  package var pools: [Pool]
  /// Containers over all pools together.
  package var containerPoolSize: Int
  package var maximumConcurrentJobs: Int
  package var strategy: LoadBalancingStrategy
  /// Sizes that labels ask for: `large-runner` → 4 CPUs, 8 GiB.
  package var sizes: [String: Resources]
  /// What a job without a size label is expected to need.
  package var defaultSize: Resources
  /// How workflow files are judged, and what repositories may say of their jobs.
  package var workflow: WorkflowSettings
  /// How long a job waits for its definition at most.
  package var definitionTimeLimit: Duration
  /// From handing a runner its files to the forge's word that it works.
  package var startTimeLimit: TimeInterval
  /// From the forge's word that the job ended to the runner's own end.
  package var endTimeLimit: TimeInterval
  /// Failed starts after which a job is given up.
  package var maximumTries: Int
  package var healthCheckInterval: Duration
  package var scalingInterval: Duration
  /// Failed checks in a row that isolate a container, and good ones that bring it back.
  package var unhealthyAfter: Int
  package var healthyAfter: Int
  /// A running or starting job of which nothing was heard for so long is asked for at the forge.
  package var reconcileAfter: TimeInterval
  /// A job that waits, or that others run, is asked for at the forge each time so long has passed without news.
  package var askAgainAfter: TimeInterval
  /// Between two searches for jobs that no event told of; zero: none.
  package var sweepInterval: Duration
  /// Questions to the forge in one search.
  package var sweepQuestions: Int
  /// Repositories of which no job was seen for so long are not searched.
  package var sweepMemory: TimeInterval
  /// Whether results are written to the forge as check runs or commit statuses.
  package var reportsStatuses: Bool
  /// For links in check runs and logs; nil where RunnerHub has no address that others can reach.
  package var baseURL: String?
  /// How many times a host's cores may be promised to containers; 1 or more.
  package var cpuOvercommitment: Int
  /// Runner starts under way at once. A registration takes GitHub about 150 ms, so that 32 make some 200 starts a second.
  package var maximumStarts: Int
  /// Containers that an engine makes at once; no entry: as many as there are starts.
  package var startsByEngine: [String: Int]
  /// What is known of traditional runners.
  package var migration: MigrationSettings
  /// For how long decisions and their inputs are kept.
  package var decisionRetention: TimeInterval
  /// Decisions that are kept at most; the oldest go first.
  package var maximumDecisions: Int
  /// For how long alerts that are over are kept, with what was told of them.
  package var alertRetention: TimeInterval

  /// For how long logs of jobs are kept, all of them together at most, and each of them at most.
  package var logRetention: TimeInterval
  package var maximumLogs: ByteCount
  package var largestLog: ByteCount

  package init(scope: Scope, pools: [Pool]) {
    self.scope = scope
    self.pools = pools
    containerPoolSize = 200
    maximumConcurrentJobs = 100
    strategy = .leastLoaded
    defaultSize = Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1), disk: ByteCount(gibibytes: 1))
    sizes = [
      "large-runner": Resources(milliCPUs: 4000, memory: ByteCount(gibibytes: 8), disk: ByteCount(gibibytes: 20)),
      "xlarge-runner": Resources(milliCPUs: 8000, memory: ByteCount(gibibytes: 16), disk: ByteCount(gibibytes: 40)),
    ]
    workflow = WorkflowSettings()
    definitionTimeLimit = .seconds(2)
    startTimeLimit = 120
    logRetention = 30 * 86_400
    maximumLogs = ByteCount(gibibytes: 20)
    largestLog = ByteCount(mebibytes: 256)
    endTimeLimit = 30
    maximumTries = 5
    healthCheckInterval = .seconds(30)
    scalingInterval = .seconds(5)
    unhealthyAfter = 3
    healthyAfter = 2
    reconcileAfter = 60
    askAgainAfter = 600
    sweepInterval = .seconds(300)
    sweepQuestions = 100
    sweepMemory = 7 * 86_400
    reportsStatuses = true
    cpuOvercommitment = 4
    maximumStarts = 32
    startsByEngine = [:]
    migration = MigrationSettings()
    decisionRetention = 30 * 86_400
    maximumDecisions = 1_000_000
    alertRetention = 90 * 86_400
  }

  /// The class of a job: what its forge looks at when it hands it out.
  package func jobClass(of job: Job) -> JobClass {
    guard let source = job.source else { return jobClass(repository: job.repository, labels: job.labels) }
    return JobClass(scope: "\(source):\(job.scope ?? job.repository.fullName)", labels: Labels(job.labels))
  }

  /// The class of a job of GitHub's.
  package func jobClass(repository: Repository, labels: [String], group: String = "") -> JobClass {
    switch scope {
    case .organization(let name): JobClass(scope: name, group: group, labels: Labels(labels))
    case .repository: JobClass(scope: repository.fullName, group: "", labels: Labels(labels))
    }
  }
}
