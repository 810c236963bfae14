package import Domain
package import Workflow

/// What a job is expected to need, joined from its file, its repository, its history and the host's own sizes.
package struct ResourceEstimator: Sendable {
  /// What is known of one job beside its labels.
  package struct Knowledge: Sendable {
    /// Its text in the workflow file.
    package var definition: JobDefinition?
    package var comment: RequestComment?
    /// What its repository says of it.
    package var hint: RepositoryHints.Hint?
    package var history: JobHistory?
    /// Where the definition comes without a text.
    package var timeoutMinutes: Double?

    package init(
      definition: JobDefinition? = nil, comment: RequestComment? = nil, hint: RepositoryHints.Hint? = nil, history: JobHistory? = nil,
      timeoutMinutes: Double? = nil
    ) {
      self.definition = definition
      self.comment = comment
      self.hint = hint
      self.history = history
      self.timeoutMinutes = timeoutMinutes
    }
  }

  private let sizes: [String: ResourceRequest]
  private let bounds: HintBounds
  private let defaultSize: Resources
  private let offers: [(pool: Pool, request: ResourceRequest)]
  private let migration: MigrationSettings

  package init(settings: Settings) {
    sizes = settings.sizes.mapValues { size in
      var request = ResourceRequest(size)
      // A size that names no GPU says nothing of GPUs.
      if request.gpus == 0 { request.gpus = nil }
      return request
    }
    migration = settings.migration
    defaultSize = settings.defaultSize
    offers = settings.pools.filter { $0.maximum > 0 }.map { ($0, ResourceRequest($0.resources)) }
    let largest = settings.pools.reduce(into: Resources(milliCPUs: 0, memory: ByteCount(bytes: 0), disk: ByteCount(bytes: 0))) {
      $0 = $0.union($1.resources)
    }
    bounds = HintBounds(
      largest: settings.pools.isEmpty ? ResourceRequest() : ResourceRequest(largest),
      highestPriority: settings.workflow.highestPriority.word)
  }

  /// Pure.
  package func estimate(_ job: Job, _ knowledge: Knowledge = Knowledge()) -> Estimate {
    estimate(labels: job.labels, source: job.source, isFromFork: job.isFromFork, knowledge).estimate
  }

  /// The same for a job that has not run yet, with its parts in full.
  /// - Parameters:
  ///   - labels: nil where only a run decides them.
  ///   - source: the CI platform that it comes from; nil: GitHub.
  ///   - isFromFork: only pools that accept forks are for it then.
  package func estimate(
    labels: [String]?, source: String? = nil, isFromFork: Bool = false, _ knowledge: Knowledge
  ) -> (estimate: Estimate, detail: JobEstimate) {
    let wanted = Labels(labels ?? knowledge.definition?.runsOn.labels ?? [])
    let offers = offers.filter { $0.pool.offers(wanted, of: source) && ($0.pool.acceptsForks || !isFromFork) }.map(\.request)
    // A job too large for every pool is left to a traditional runner. Where there is none it would wait, and its class with it; and a
    // stranger's words do not choose the runner.
    let isLeft = !isFromFork && source == nil && migration.offers(wanted)
    let detail = JobEstimate(
      knowledge.definition,
      JobEstimate.Evidence(
        labelSizes: sizes, labels: labels, comment: knowledge.comment, hint: knowledge.hint, bounds: bounds, history: knowledge.history,
        defaultSize: ResourceRequest(defaultSize), offers: offers, cutsRequests: !isLeft,
        timeoutMinutes: knowledge.timeoutMinutes))
    let request = detail.request
    let resources = Resources(
      milliCPUs: request.milliCPUs ?? defaultSize.milliCPUs, memory: request.memoryBytes.map { ByteCount(bytes: $0) } ?? defaultSize.memory,
      disk: request.diskBytes.map { ByteCount(bytes: $0) } ?? defaultSize.disk, gpus: request.gpus ?? defaultSize.gpus)
    let estimate = Estimate(
      resources: resources, durationSeconds: request.seconds, sources: detail.sources,
      priorityHint: detail.priority.flatMap(Priority.init(word:)), affinityHints: detail.affinity.isEmpty ? nil : detail.affinity)
    return (estimate, detail)
  }
}

extension ResourceRequest {
  package init(_ resources: Resources) {
    self.init(
      milliCPUs: resources.milliCPUs, memoryBytes: resources.memory.bytes, diskBytes: resources.disk.bytes, gpus: resources.gpus)
  }
}
