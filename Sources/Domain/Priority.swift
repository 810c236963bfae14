/// How urgent a job is. The raw values are those of the column `container_assignments.priority`.
package enum Priority: Int, Sendable, Codable, CaseIterable, Comparable {
  case critical = 1
  case high = 2
  case normal = 3
  case low = 4

  /// More urgent is greater.
  package static func < (a: Priority, b: Priority) -> Bool { a.rawValue > b.rawValue }

  /// The range of a weight, which orders within a level: minutes of waiting by which a job goes ahead of others of its level.
  package static let weights = -30.0...30.0

  /// The word that policies, pages and tables use: `CRITICAL`, `HIGH`, `NORMAL`, `LOW`.
  package var word: String {
    switch self {
    case .critical: "CRITICAL"
    case .high: "HIGH"
    case .normal: "NORMAL"
    case .low: "LOW"
    }
  }

  /// The priority of a word in any case, or nil.
  package init?(word: String) {
    guard let match = Self.allCases.first(where: { $0.word == word.uppercased() }) else { return nil }
    self = match
  }
}

/// Who runs a job.
package enum Route: String, Sendable, Codable, CaseIterable {
  /// A container of RunnerHub.
  case orchestrator
  /// A runner that RunnerHub does not own; the job is only observed.
  case traditional
}
