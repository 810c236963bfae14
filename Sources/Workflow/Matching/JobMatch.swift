/// Which definition a job of a run comes from, and how sure that is.
public enum JobMatch: Sendable, Equatable {
  /// The file alone predicts exactly this name.
  case exact(ExpandedJob)
  /// One definition fits when its expressions are taken as wildcards; `candidates` are those of its combinations that fit, none where an
  /// expression decides the matrix.
  case pattern(JobDefinition, candidates: [ExpandedJob])
  /// The job runs inside a called workflow; the key is the caller's. Its definition is in another file.
  case reusable(String)
  /// More than one definition fits: their keys.
  case ambiguous([String])
  case none
}

extension WorkflowFile {
  /// Finds the definition of a `workflow_job` by its name, with its labels as a filter.
  ///
  /// - Parameters:
  ///   - jobName: `workflow_job.name`: the name that GitHub shows.
  ///   - labels: `workflow_job.labels`; empty where they are not known. Compared without case or order.
  public func match(jobName: String, labels: [String]) -> JobMatch {
    guard jobName.count <= 1_000 else { return .none }
    let wanted = WantedJob(name: jobName, labels: labels)
    let candidates = jobs.map { JobCandidate(job: $0) }
    let own = candidates.filter(\.job.hasRunner)
    return exactMatch(own, wanted) ?? reusableMatch(candidates, wanted, allowsPatterns: false) ?? patternMatch(own, wanted)
      ?? reusableMatch(candidates, wanted, allowsPatterns: true) ?? .none
  }

  private func exactMatch(_ candidates: [JobCandidate], _ wanted: WantedJob) -> JobMatch? {
    let found = candidates.map { ($0, $0.expansions.filter { wanted.isNamed($0) && wanted.accepts($0.labels) }) }.filter { !$0.1.isEmpty }
    guard let (candidate, expansions) = found.first else { return nil }
    if found.count > 1 { return .ambiguous(found.map(\.0.job.key)) }
    return expansions.count == 1 ? .exact(expansions[0]) : .pattern(candidate.job, candidates: expansions)
  }

  private func patternMatch(_ candidates: [JobCandidate], _ wanted: WantedJob) -> JobMatch? {
    let found = candidates.filter { $0.fits(wanted) }
    guard let candidate = found.first else { return nil }
    if found.count > 1 { return .ambiguous(found.map(\.job.key)) }
    return .pattern(candidate.job, candidates: candidate.expansions.filter { candidate.fits(wanted, $0) })
  }

  /// `caller / callee`: the part before a slash names the caller, which may itself have slashes.
  private func reusableMatch(_ candidates: [JobCandidate], _ wanted: WantedJob, allowsPatterns: Bool) -> JobMatch? {
    let callers = candidates.filter { candidate in
      !candidate.job.hasRunner
        && wanted.callerNames.contains { name in
          let caller = WantedJob(name: name, labels: [])
          return candidate.expansions.contains(where: caller.isNamed) || (allowsPatterns && candidate.fits(caller))
        }
    }
    guard let first = callers.first else { return nil }
    return callers.count == 1 ? .reusable(first.job.key) : .ambiguous(callers.map(\.job.key))
  }
}

/// What the forge says of a job.
struct WantedJob {
  let name: String
  private let labels: Set<String>

  init(name: String, labels: [String]) {
    self.name = name
    self.labels = Set(labels.map { $0.lowercased() })
  }

  func isNamed(_ expansion: ExpandedJob) -> Bool { name == expansion.displayName || name == expansion.literalDisplayName }

  /// Unknown labels on either side rule nothing out.
  func accepts(_ offered: [String]?) -> Bool {
    guard let offered, !offered.isEmpty, !labels.isEmpty else { return true }
    return Set(offered.map { $0.lowercased() }) == labels
  }

  /// What stands before each ` / `.
  var callerNames: [String] {
    let parts = name.components(separatedBySlash: " / ")
    return parts.indices.dropFirst().map { parts[..<$0].joined(separator: " / ") }
  }
}

extension String {
  fileprivate func components(separatedBySlash separator: String) -> [String] {
    var parts: [String] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return parts + [String(rest)]
  }
}
