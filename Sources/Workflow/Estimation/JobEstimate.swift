/// What a job is expected to need, every part with its source.
public struct JobEstimate: Sendable, Equatable {
  /// What is known, from the strongest word to the weakest.
  public struct Evidence: Sendable {
    /// Sizes that the host gives to labels, such as `large-runner`.
    public var labelSizes: [String: ResourceRequest]
    public var labels: [String]?
    public var comment: RequestComment?
    public var hint: RepositoryHints.Hint?
    /// Nil where repositories may say what they like.
    public var bounds: HintBounds?
    public var history: JobHistory?
    /// What a job gets of which nothing is known.
    public var defaultSize: ResourceRequest

    public init(
      labelSizes: [String: ResourceRequest] = [:], labels: [String]? = nil, comment: RequestComment? = nil,
      hint: RepositoryHints.Hint? = nil, bounds: HintBounds? = nil, history: JobHistory? = nil,
      defaultSize: ResourceRequest = ResourceRequest(milliCPUs: 2_000, memoryBytes: 4 << 30)
    ) {
      self.labelSizes = labelSizes
      self.labels = labels
      self.comment = comment
      self.hint = hint
      self.bounds = bounds
      self.history = history
      self.defaultSize = defaultSize
    }
  }

  /// The parts joined.
  public private(set) var request = ResourceRequest()
  /// Where each part came from, such as `memory: label large-runner`, in the order of dimensions; then what was cut off.
  public private(set) var sources: [String] = []
  public private(set) var priority: String?
  public private(set) var affinity: [String] = []

  /// Pure: explicit requests, then the repository's hints within the host's bounds, then history, then the kind of job, then the default.
  public init(_ job: JobDefinition, _ evidence: Evidence) {
    var layers: [(name: String, request: ResourceRequest)] = []
    let requests = ResourceRequests(job, labels: evidence.labels, comment: evidence.comment)
    layers += requests.sources.map { ($0.name, $0.request) }
    for label in (evidence.labels ?? job.runsOn.labels).map({ $0.lowercased() }) {
      if let size = evidence.labelSizes[label] { layers.append(("label \(label)", size)) }
    }
    var cuts: [String] = []
    if var hint = evidence.hint {
      if let bounds = evidence.bounds { (hint, cuts) = bounds.bounded(hint) }
      layers.append((RepositoryHints.path, hint.request))
      priority = hint.priority
      affinity = hint.affinity
    }
    if let history = evidence.history { layers.append(("history of \(history.runs.count) runs: p90", Self.request(history))) }
    let kind = WorkflowKind(job)
    layers.append(("kind \(kind.rawValue)", kind.request))
    layers.append(("default size", evidence.defaultSize))
    join(layers)
    cut(job.timeoutMinutes)
    sources += cuts
  }

  /// A run may use a little more than the earlier ones did.
  private static func request(_ history: JobHistory) -> ResourceRequest {
    ResourceRequest(
      milliCPUs: history.peakMilliCPUs(percentile: 0.9).map { $0 + $0 / 5 },
      memoryBytes: history.peakMemoryBytes(percentile: 0.9).map { $0 + $0 / 5 }, seconds: history.duration(percentile: 0.9))
  }

  /// No job runs longer than GitHub lets it.
  private mutating func cut(_ timeoutMinutes: String?) {
    guard let minutes = timeoutMinutes.flatMap(Double.init), minutes.isFinite, minutes > 0, request.seconds ?? .infinity > minutes * 60
    else {
      return
    }
    request.seconds = minutes * 60
    sources.removeAll { $0.hasPrefix("duration: ") }
    sources.append("duration: timeout-minutes")
  }

  private mutating func join(_ layers: [(name: String, request: ResourceRequest)]) {
    take("CPUs", \.milliCPUs, layers)
    take("memory", \.memoryBytes, layers)
    take("disk", \.diskBytes, layers)
    take("GPUs", \.gpus, layers)
    take("duration", \.seconds, layers)
  }

  private mutating func take<Value>(
    _ name: String, _ dimension: WritableKeyPath<ResourceRequest, Value?>, _ layers: [(name: String, request: ResourceRequest)]
  ) {
    guard let layer = layers.first(where: { $0.request[keyPath: dimension] != nil }) else { return }
    request[keyPath: dimension] = layer.request[keyPath: dimension]
    sources.append("\(name): \(layer.name)")
  }

  /// `2 CPU, 4 GiB, 6 min`.
  public var summary: String {
    var parts: [String] = []
    if let milliCPUs = request.milliCPUs { parts.append("\(ExpressionNumber.text(Double(milliCPUs) / 1_000)) CPU") }
    if let memory = request.memoryBytes { parts.append(ByteSize.text(memory)) }
    if let disk = request.diskBytes { parts.append("\(ByteSize.text(disk)) disk") }
    if let gpus = request.gpus, gpus > 0 { parts.append("\(gpus) GPU") }
    if let seconds = request.seconds { parts.append(seconds < 60 ? "\(Int(seconds)) s" : "\(Int((seconds / 60).rounded())) min") }
    return parts.joined(separator: ", ")
  }
}
