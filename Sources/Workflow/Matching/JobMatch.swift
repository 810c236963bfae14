/// Which definition a job of a run comes from, and how sure that is.
public indirect enum JobMatch: Sendable, Equatable {
  /// The file alone predicts exactly this name.
  case exact(ExpandedJob)
  /// One definition fits when its expressions are taken as wildcards; `candidates` are those of its combinations that fit, none where an
  /// expression decides the matrix.
  case pattern(JobDefinition, candidates: [ExpandedJob])
  /// The job runs inside a called workflow whose text is not known; the key is the caller's. Its definition is in another file.
  case reusable(String)
  /// The job runs inside a called workflow: the caller's key, and what is found there.
  case called(String, JobMatch)
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
    guard jobName.count <= Self.maximumNameLength else { return .none }
    return JobMatcher(jobs: jobs).match(WantedJob(name: jobName, labels: labels))
  }

  private static let maximumNameLength = 1_000
}

/// Matches among the jobs of one file.
private struct JobMatcher {
  private let candidates: [JobCandidate]
  private let own: [JobCandidate]

  init(jobs: [JobDefinition]) {
    candidates = jobs.map { JobCandidate(job: $0) }
    own = candidates.filter(\.job.hasRunner)
  }

  func match(_ wanted: WantedJob) -> JobMatch {
    exactMatch(own, wanted) ?? calledMatch(candidates, wanted, allowsPatterns: false) ?? patternMatch(own, wanted)
      ?? calledMatch(candidates, wanted, allowsPatterns: true) ?? .none
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
  private func calledMatch(_ candidates: [JobCandidate], _ wanted: WantedJob, allowsPatterns: Bool) -> JobMatch? {
    var found: [(key: String, match: JobMatch)] = []
    for candidate in candidates where !candidate.job.hasRunner {
      let calls = wanted.calls.filter { call in
        let caller = WantedJob(name: call.caller, labels: [])
        return candidate.expansions.contains(where: caller.isNamed) || (allowsPatterns && candidate.fits(caller))
      }
      if calls.isEmpty { continue }
      guard !candidate.job.calledJobs.isEmpty else {
        found.append((candidate.job.key, .reusable(candidate.job.key)))
        continue
      }
      let matcher = JobMatcher(jobs: candidate.job.calledJobs)
      let inner = calls.lazy.map { matcher.match(WantedJob(name: $0.callee, like: wanted)) }.first { $0 != .none }
      if let inner { found.append((candidate.job.key, .called(candidate.job.key, inner))) }
    }
    guard let first = found.first else { return nil }
    return found.count == 1 ? first.match : .ambiguous(found.map(\.key))
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

  init(name: String, like other: WantedJob) {
    self.name = name
    labels = other.labels
  }

  /// The ways to take the name apart at a ` / `.
  var calls: [(caller: String, callee: String)] {
    let parts = name.components(separatedBySlash: " / ")
    return parts.indices.dropFirst().map { index in
      (parts[..<index].joined(separator: " / "), parts[index...].joined(separator: " / "))
    }
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
