/// What decided a job's route: the classes under which reports and metrics count it. The reason beside it is for people.
package enum RouteCause: String, Sendable, Codable, CaseIterable {
  /// The routing policy.
  case policy
  /// No pool offers its labels.
  case noPool = "no-pool"
  /// It is expected to need more than a container of any of its pools has.
  case tooLarge = "too-large"
  /// RunnerHub takes no new work.
  case draining
  /// No container came within the limit.
  case waitedTooLong = "waited-too-long"
  /// A runner took it before anything was decided, or in spite of it.
  case takenFirst = "taken-first"
}
