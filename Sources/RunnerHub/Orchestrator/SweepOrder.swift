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

/// Which repositories a search asks about first, and which of its findings matter. Pure.
package struct SweepOrder: Sendable {
  private var askedAt: [String: Date] = [:]

  package init() {}

  /// Those never asked about first, in the given order; then those that were not asked about for the longest. A repository counts once.
  package mutating func order(_ targets: [SweepTarget]) -> [SweepTarget] {
    var seen: Set<String> = []
    let distinct = targets.filter { seen.insert($0.repository.fullName).inserted }
    askedAt = askedAt.filter { seen.contains($0.key) }
    return distinct.enumerated().sorted { one, other in
      let (first, second) = (askedAt[one.element.repository.fullName], askedAt[other.element.repository.fullName])
      return (first ?? .distantPast, one.offset) < (second ?? .distantPast, other.offset)
    }.map(\.element)
  }

  package mutating func asked(_ target: SweepTarget, at now: Date) { askedAt[target.repository.fullName] = now }

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
