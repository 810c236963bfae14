package import Domain
package import Foundation

/// A repository that may have jobs of which no event told.
package struct SweepTarget: Hashable, Sendable {
  package var repository: Repository
  package var installationID: Int64?

  package init(repository: Repository, installationID: Int64?) {
    self.repository = repository
    self.installationID = installationID
  }
}

/// Which repositories and runs a search asks about first, and which of its findings matter. Pure.
package struct SweepOrder: Sendable {
  private struct Place {
    var repository: String
    var runID: Int64
  }
  private var askedAt: [String: Date] = [:]
  /// The run looked at last in a repository that is not done with. One is enough: the next search begins with it.
  private var place: Place?

  package init() {}

  /// The one in which the last search stopped; then those never asked about, in the given order; then those that were not asked about
  /// for the longest. A repository counts once.
  package mutating func order(_ targets: [SweepTarget]) -> [SweepTarget] {
    var seen: Set<String> = []
    let distinct = targets.filter { seen.insert($0.repository.fullName).inserted }
    askedAt = askedAt.filter { seen.contains($0.key) }
    if let stopped = place?.repository, !seen.contains(stopped) { place = nil }
    let first = place?.repository
    func rank(_ target: SweepTarget, _ offset: Int) -> (Date, Int) {
      let name = target.repository.fullName
      if name == first { return (.distantPast, -1) }
      return (askedAt[name] ?? .distantPast, offset)
    }
    return distinct.enumerated().sorted { rank($0.element, $0.offset) < rank($1.element, $1.offset) }.map(\.element)
  }

  /// The open runs that are still to be looked at, the newest first, each once: those older than where the last search stopped.
  package func remaining(_ runs: [RunReport], of target: SweepTarget) -> [RunReport] {
    let end: Int64 = if let place, place.repository == target.repository.fullName { place.runID } else { .max }
    var seen: Set<Int64> = []
    return runs.filter { run in run.id < end && seen.insert(run.id).inserted }.sorted { $0.id > $1.id }
  }

  /// A run was looked at; more of the repository may follow.
  package mutating func looked(at run: RunReport, of target: SweepTarget) {
    place = Place(repository: target.repository.fullName, runID: run.id)
  }

  /// A repository is done with.
  package mutating func asked(_ target: SweepTarget, at now: Date) {
    askedAt[target.repository.fullName] = now
    if place?.repository == target.repository.fullName { place = nil }
  }

  /// Whether the forge's word on a job is worth a commit: an end of a job that was never known here is nobody's demand.
  package static func matters(_ report: JobReport, known: Job?) -> Bool {
    guard let known else { return report.status != "completed" }
    if known.state.isFinal { return false }
    return switch report.status {
    case "completed": true
    case "in_progress": known.state != .running
    case "queued": known.state == .waiting
    default: false
    }
  }
}
