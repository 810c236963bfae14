/// What a request is for, the most urgent first: when little of a limit is left, it is spent in this order.
enum Purpose: Sendable, Hashable, CaseIterable {
  case registration, removal, repair, report, sweep

  /// Share of a primary limit that is kept from it for what is more urgent.
  var reserve: Double {
    switch self {
    case .registration, .removal: 0
    case .repair: 0.05
    case .report: 0.1
    case .sweep: 0.2
    }
  }
}

/// The limit that a request counts against. Registrations have a primary limit of their own; content (checks, statuses) has secondary ones.
///
/// Source: "Rate limits for the REST API".
enum Bucket: Sendable, Hashable, CaseIterable {
  case registration, content, core

  /// What has to be silent after a refusal.
  /// - Parameter isPrimary: nothing remains of the primary limit; else a secondary limit refused.
  func silenced(isPrimary: Bool) -> Set<Bucket> {
    switch self {
    // A secondary limit does not say what it is of: GitHub wants silence.
    case .registration: isPrimary ? [.registration] : Set(Self.allCases)
    // Checks and statuses spend the primary limit that all other calls have. A secondary limit that they meet is that of content, which has
    // no say in registrations.
    case .content: isPrimary ? [.content, .core] : [.content]
    case .core: isPrimary ? [.content, .core] : Set(Self.allCases)
    }
  }
}
