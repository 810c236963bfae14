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
    /// What runners of the job's labels can have. A guess stays within each that has what is asked for, a hint within the largest of these.
    /// Empty where that is not known.
    public var offers: [ResourceRequest]
    /// Whether what the file asks for is cut where no offer has it, so that it holds up no other job. What labels ask for is never cut.
    public var cutsRequests: Bool
    /// The job's `timeout-minutes`, where its definition is not at hand.
    public var timeoutMinutes: Double?

    public init(
      labelSizes: [String: ResourceRequest] = [:], labels: [String]? = nil, comment: RequestComment? = nil,
      hint: RepositoryHints.Hint? = nil, bounds: HintBounds? = nil, history: JobHistory? = nil,
      defaultSize: ResourceRequest = ResourceRequest(milliCPUs: 2_000, memoryBytes: 4 << 30), offers: [ResourceRequest] = [],
      cutsRequests: Bool = false, timeoutMinutes: Double? = nil
    ) {
      self.labelSizes = labelSizes
      self.labels = labels
      self.comment = comment
      self.hint = hint
      self.bounds = bounds
      self.history = history
      self.defaultSize = defaultSize
      self.offers = offers
      self.cutsRequests = cutsRequests
      self.timeoutMinutes = timeoutMinutes
    }
  }

  /// One word on what the job needs, stronger than those after it.
  private struct Layer {
    let name: String
    var request: ResourceRequest
    /// The file's own words: no label, which is the same for all jobs of a class.
    var isOfFile = false
    /// Nobody asked for it.
    var isGuess = false
  }

  /// The parts joined.
  public private(set) var request = ResourceRequest()
  /// Where each part came from, such as `CPUs, memory: label large-runner`, in the order of dimensions; then what was cut off.
  public private(set) var sources: [String] = []
  public private(set) var priority: String?
  public private(set) var affinity: [String] = []

  /// Pure: explicit requests, then the repository's hints within the host's bounds, then history, then the kind of job, then the default.
  ///
  /// - Parameter job: nil where its definition is not known; labels and history then say what they can.
  public init(_ job: JobDefinition?, _ evidence: Evidence) {
    let labels = evidence.labels ?? job?.runsOn.labels ?? []
    var layers = ResourceRequests(job, labels: labels, comment: evidence.comment).sources.map {
      Layer(name: $0.name, request: $0.request, isOfFile: !$0.isOfLabel)
    }
    if let size = Self.size(of: labels, evidence.labelSizes) { layers.append(size) }
    var cuts = evidence.cutsRequests ? Self.cut(&layers, among: evidence.offers) : []
    if var hint = evidence.hint {
      if let bounds = evidence.bounds {
        // One pool must have it with all else that is asked for: the forge gives a runner of the class any of its jobs.
        let room = Self.room(for: Self.asked(layers), among: evidence.offers) ?? Self.largest(of: evidence.offers)
        let bounded = bounds.within(room).bounded(hint)
        hint = bounded.hint
        cuts += bounded.cuts
      }
      layers.append(Layer(name: RepositoryHints.path, request: hint.request))
      priority = hint.priority
      affinity = hint.affinity
    }
    let capacity = Self.capacity(for: Self.asked(layers), among: evidence.offers)
    if let history = evidence.history {
      layers.append(Layer(name: "p90 of \(history.runs.count) earlier runs", request: Self.request(history), isGuess: true))
    }
    if let job {
      let kind = WorkflowKind(job)
      layers.append(Layer(name: "kind \(kind.rawValue)", request: kind.request, isGuess: true))
    }
    layers.append(Layer(name: "default size", request: evidence.defaultSize, isGuess: true))
    join(layers, within: capacity, timeoutMinutes: job?.timeoutMinutes.flatMap(Double.init) ?? evidence.timeoutMinutes)
    sources += cuts
  }

  /// Of several labels with a size the larger counts, dimension by dimension.
  private static func size(of labels: [String], _ sizes: [String: ResourceRequest]) -> Layer? {
    let found = labels.compactMap { label in sizes[label.lowercased()].map { (label, $0) } }
    guard let first = found.first else { return nil }
    let joined = found.dropFirst().reduce(first.1) { $0.union($1.1) }
    return Layer(name: (found.count > 1 ? "labels " : "label ") + found.map(\.0).joined(separator: ", "), request: joined)
  }

  /// Cuts what the file asks for to the largest offer that has what its labels ask for, where no offer has all of it.
  private static func cut(_ layers: inout [Layer], among offers: [ResourceRequest]) -> [String] {
    let asked = Self.asked(layers)
    if offers.contains(where: { $0.covers(asked) }) { return [] }
    // Where labels alone ask for too much, no job of the class can run anyhow.
    guard let room = Self.room(for: Self.asked(layers.filter { !$0.isOfFile }), among: offers) else { return [] }
    var sentences: [String] = []
    for index in layers.indices where layers[index].isOfFile {
      let cuts = layers[index].request.cut(to: room)
      sentences += cuts.map { "\(layers[index].name): \($0)" }
    }
    return sentences
  }

  private static func asked(_ layers: [Layer]) -> ResourceRequest {
    layers.reduce(ResourceRequest()) { $0.completed(by: $1.request) }
  }

  /// The largest offer that has all that is asked for.
  private static func room(for asked: ResourceRequest, among offers: [ResourceRequest]) -> ResourceRequest? {
    largest(of: offers.filter { $0.covers(asked) })
  }

  private static func largest(of offers: [ResourceRequest]) -> ResourceRequest? {
    func size(_ offer: ResourceRequest) -> (Int64, Int) { (offer.memoryBytes ?? .max, offer.milliCPUs ?? .max) }
    return offers.max { size($0) < size($1) }
  }

  /// What every offer has that has all that is asked for: a guess keeps a job from none of them.
  private static func capacity(for asked: ResourceRequest, among offers: [ResourceRequest]) -> ResourceRequest? {
    let fit = offers.filter { $0.covers(asked) }
    return fit.isEmpty ? nil : fit.reduce(ResourceRequest()) { $0.intersection($1) }
  }

  /// A run may use a little more than the earlier ones did.
  private static func request(_ history: JobHistory) -> ResourceRequest {
    ResourceRequest(
      milliCPUs: history.peakMilliCPUs(percentile: 0.9).map { $0 + $0 / 5 },
      memoryBytes: history.peakMemoryBytes(percentile: 0.9).map { $0 + $0 / 5 }, seconds: history.duration(percentile: 0.9))
  }

  private mutating func join(_ layers: [Layer], within capacity: ResourceRequest?, timeoutMinutes: Double?) {
    var parts: [(dimension: String, source: String)] = []
    func take<Value: Comparable>(_ name: String, _ dimension: WritableKeyPath<ResourceRequest, Value?>) {
      guard let layer = layers.first(where: { $0.request[keyPath: dimension] != nil }), var value = layer.request[keyPath: dimension] else {
        return
      }
      var source = layer.name
      if layer.isGuess, let most = capacity?[keyPath: dimension], value > most {
        value = most
        source += ", cut to what its pools have"
      }
      request[keyPath: dimension] = value
      parts.append((name, source))
    }
    take("CPUs", \.milliCPUs)
    take("memory", \.memoryBytes)
    take("disk", \.diskBytes)
    take("GPUs", \.gpus)
    take("duration", \.seconds)
    // No job runs longer than GitHub lets it.
    if let minutes = timeoutMinutes, minutes.isFinite, minutes > 0, request.seconds ?? .infinity > minutes * 60 {
      request.seconds = minutes * 60
      parts.removeAll { $0.dimension == "duration" }
      parts.append(("duration", "timeout-minutes"))
    }
    var order: [String] = []
    var dimensions: [String: [String]] = [:]
    for part in parts {
      if dimensions[part.source] == nil { order.append(part.source) }
      dimensions[part.source, default: []].append(part.dimension)
    }
    sources = order.map { "\(dimensions[$0, default: []].joined(separator: ", ")): \($0)" }
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
