/// What a workflow file itself says a job needs, each with its place in the file's own words.
public struct ResourceRequests: Sendable, Equatable {
  /// One way of asking, such as `env RUNNERHUB_CPUS`.
  public struct Source: Sendable, Equatable {
    public let name: String
    public let request: ResourceRequest
    /// Whether a label asks, which is the same for all jobs that wait for one kind of runner.
    public let isOfLabel: Bool
  }

  /// The strongest first: where two ask for the same thing, the earlier one counts.
  public private(set) var sources: [Source] = []
  /// Requests that cannot be understood.
  public private(set) var complaints: [String] = []

  /// Reads labels (`cpu-4`, `mem-8g`, `disk-50g`, `gpu-1`), `env` (`RUNNERHUB_CPUS`, `RUNNERHUB_MEMORY`, `RUNNERHUB_DISK`, `RUNNERHUB_GPUS`,
  /// `RUNNERHUB_MINUTES`), and the container's `options` (`--cpus`, `--memory`, `--gpus`), services added to it. A comment counts before all.
  ///
  /// - Parameters:
  ///   - labels: those of the job that runs, where they are known; else the file's.
  ///   - comment: see ``RequestComment``.
  public init(_ job: JobDefinition?, labels: [String]? = nil, comment: RequestComment? = nil) {
    if let comment {
      add("comment", comment.request)
      complaints += comment.complaints
    }
    for label in labels ?? job?.runsOn.labels ?? [] {
      if let request = Self.request(label: label.lowercased()) { add("label \(label)", request, isOfLabel: true) }
    }
    guard let job else { return }
    readEnvironment(job)
    readOptions(job)
  }

  /// All together.
  public var total: ResourceRequest { sources.reduce(ResourceRequest()) { $0.completed(by: $1.request) } }

  private mutating func add(_ name: String, _ request: ResourceRequest, isOfLabel: Bool = false) {
    if !request.isEmpty { sources.append(Source(name: name, request: request, isOfLabel: isOfLabel)) }
  }

  private static func request(label: String) -> ResourceRequest? {
    guard let dash = label.firstIndex(of: "-") else { return nil }
    let value = String(label[label.index(after: dash)...])
    let dimension: ResourceRequest.Dimension
    switch label[..<dash] {
    case "cpu", "cpus": dimension = .cpus
    case "mem", "memory": dimension = .memory
    case "disk": dimension = .disk
    case "gpu", "gpus": dimension = .gpus
    default: return nil
    }
    var request = ResourceRequest()
    // A label such as `gpu-large` is a name, no request.
    return request.set(dimension, value) == nil ? request : nil
  }

  private mutating func readEnvironment(_ job: JobDefinition) {
    for dimension in ResourceRequest.Dimension.allCases {
      let name = "RUNNERHUB_\(dimension.rawValue.uppercased())"
      guard let text = job.env[name], !ExpressionTemplate.containsExpression(text) else { continue }
      var request = ResourceRequest()
      if let complaint = request.set(dimension, text) { complaints.append("env \(name): \(complaint)") }
      add("env \(name)", request)
    }
  }

  /// The job's container and its services share the runner, so what they ask for adds up.
  private mutating func readOptions(_ job: JobDefinition) {
    var sum = ResourceRequest()
    for (owner, options) in [("container", job.container?.options)] + job.services.map({ ("service \($0.name)", $0.container.options) }) {
      guard let options, !ExpressionTemplate.containsExpression(options) else { continue }
      let words = ContainerOptions(options)
      var request = ResourceRequest()
      for (dimension, names) in [(ResourceRequest.Dimension.cpus, ["--cpus"]), (.memory, ["--memory", "-m"]), (.gpus, ["--gpus"])] {
        guard let text = names.lazy.compactMap({ words.values(of: $0).last }).first else { continue }
        if let complaint = request.set(dimension, text) { complaints.append("\(owner) options: \(complaint)") }
      }
      sum.add(request)
    }
    add("container options", sum)
  }
}

extension ResourceRequest {
  fileprivate mutating func add(_ other: ResourceRequest) {
    if let value = other.milliCPUs { milliCPUs = (milliCPUs ?? 0) + value }
    if let value = other.memoryBytes { memoryBytes = (memoryBytes ?? 0) + value }
    if let value = other.gpus { gpus = (gpus ?? 0) + value }
  }
}
