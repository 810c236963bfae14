package import Foundation

/// How one process of a provider ended, and what is kept of what it wrote.
package struct ProviderOutcome: Hashable, Sendable {
  package enum End: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    /// Its time was over: it and its process group were ended.
    case overdue
    /// Nobody wanted the answer any more.
    case unwanted
    case notStarted(String)
  }
  package var end: End
  /// The beginning of standard output, at most `ProviderLimits.output` bytes.
  package var output = Data()
  /// Whether there was more.
  package var isOutputCut = false
  /// What it wrote to standard error, for people.
  package var errors = ""

  package init(_ end: End) { self.end = end }
}

/// What a call may cost.
package struct ProviderLimits: Hashable, Sendable {
  /// Bytes of standard output that are kept; the rest is read and thrown away.
  package var output = 8 << 20
  /// Bytes of standard error that are told on.
  package var errors = 16 << 10

  package init() {}
}

/// Runs a provider's executable for one call.
package protocol ProviderExecution: Sendable {
  /// Ends with the process or with its time. Never throws: how it ended is part of the outcome.
  /// - Parameters:
  ///   - environment: all of it.
  ///   - limit: after which the whole process group is ended.
  ///   - isUnwanted: asked several times a second; true ends the process group. So does the task's cancellation.
  func run(environment: [String: String], input: Data, limit: Duration, isUnwanted: @escaping @Sendable () -> Bool) async -> ProviderOutcome
}
