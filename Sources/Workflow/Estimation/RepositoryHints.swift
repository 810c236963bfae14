/// What a repository says of its jobs in `.github/runnerhub.yaml` on its default branch.
///
/// ```yaml
/// defaults: { cpus: 2, memory: 4g }
/// jobs:
///   build: { memory: 8g, minutes: 20, priority: HIGH }
///   release.yml/publish: { affinity: [cache] }
/// ```
/// A job is named by its key, or by the workflow's file and its key, which counts before the key alone.
public struct RepositoryHints: Sendable, Equatable {
  /// Where the file lies.
  public static let path = ".github/runnerhub.yaml"

  /// What is said of one job.
  public struct Hint: Sendable, Equatable {
    public var request = ResourceRequest()
    /// `CRITICAL`, `HIGH`, `NORMAL` or `LOW`.
    public var priority: String?
    /// Words that an affinity policy may look at.
    public var affinity: [String] = []

    public init() {}
  }

  public let defaults: Hint
  public let jobs: [String: Hint]

  /// Reads the file. Never traps; mistakes are findings, and what they are about is left out.
  public static func parse(_ text: String, path: String = RepositoryHints.path) -> (hints: RepositoryHints?, findings: [Diagnostic]) {
    let collector = DiagnosticCollector(path: path)
    guard let node = YAMLReader.read(text, collector) else { return (nil, collector.sorted) }
    let root = TemplateReader(file: 1, collector: collector).read(node, as: grammar)
    let reader = HintReader(collector: collector)
    let hints = RepositoryHints(
      defaults: root["defaults"].map(reader.hint) ?? Hint(),
      jobs: Dictionary(
        (root["jobs"]?.entries ?? []).map { ($0.key.authored, reader.hint($0.value)) }, uniquingKeysWith: { first, _ in first }))
    return (hints, collector.sorted)
  }

  /// What is said of a job, the defaults filled in.
  /// - Parameter workflow: the path of its file.
  public func hint(forJob key: String, in workflow: String) -> Hint {
    let file = workflow.split(separator: "/").last.map(String.init) ?? workflow
    let own = jobs["\(file)/\(key)"] ?? jobs[key] ?? Hint()
    var hint = own
    hint.request = own.request.completed(by: defaults.request)
    hint.priority = own.priority ?? defaults.priority
    hint.affinity = own.affinity.isEmpty ? defaults.affinity : own.affinity
    return hint
  }

  private static let grammar: Grammar = {
    let hint = Grammar.mapping([
      "cpus": .number, "memory": .oneOf(.nonEmptyString, .number), "disk": .oneOf(.nonEmptyString, .number), "gpus": .number,
      "minutes": .number, "priority": .constants("CRITICAL", "HIGH", "NORMAL", "LOW"), "affinity": .oneOrMore(.nonEmptyString),
    ])
    return .mapping(["defaults": hint, "jobs": .mapping(any: hint)])
  }()
}

/// Reads one hint.
private struct HintReader {
  let collector: DiagnosticCollector

  func hint(_ token: TemplateToken) -> RepositoryHints.Hint {
    var hint = RepositoryHints.Hint()
    for dimension in ResourceRequest.Dimension.allCases {
      guard let value = token[dimension.rawValue], value.string != nil || value.number != nil else { continue }
      if let complaint = hint.request.set(dimension, value.authored) { collector.error(complaint, at: value, rule: .unexpectedValue) }
    }
    hint.priority = token["priority"]?.string
    hint.affinity = (token["affinity"]?.oneOrMore ?? []).map(\.authored)
    return hint
  }
}

/// How far a repository may go: the host's rules.
public struct HintBounds: Sendable, Equatable {
  private static let priorities = ["LOW", "NORMAL", "HIGH", "CRITICAL"]

  public let largest: ResourceRequest
  /// The highest priority that a hint may give.
  public let highestPriority: String

  public init(largest: ResourceRequest, highestPriority: String = "HIGH") {
    self.largest = largest
    self.highestPriority = highestPriority
  }

  /// The same, and no more than one pool has; nil: that is not known.
  func within(_ room: ResourceRequest?) -> HintBounds {
    guard let room else { return self }
    return HintBounds(largest: largest.intersection(room), highestPriority: highestPriority)
  }

  /// The hint within the bounds, and what was cut off.
  public func bounded(_ hint: RepositoryHints.Hint) -> (hint: RepositoryHints.Hint, cuts: [String]) {
    var hint = hint
    var cuts = hint.request.cut(to: largest)
    if let priority = hint.priority, let asked = Self.priorities.firstIndex(of: priority),
      let bound = Self.priorities.firstIndex(of: highestPriority), asked > bound
    {
      hint.priority = highestPriority
      cuts.append("priority \(priority) cut to \(highestPriority) by the host")
    }
    return (hint, cuts)
  }
}
