package import Domain

/// Isolates what fails often enough in a row, and trusts it again only after enough good checks in a row, so that nothing flaps.
package struct HealthHysteresis: Hashable, Sendable, Codable {
  /// Failed checks in a row that isolate; at least 1.
  package var isolateAfter: Int
  /// Good checks in a row that reintegrate; at least 1.
  package var reintegrateAfter: Int

  package init(isolateAfter: Int = 3, reintegrateAfter: Int = 2) {
    self.isolateAfter = max(1, isolateAfter)
    self.reintegrateAfter = max(1, reintegrateAfter)
  }

  /// What a check leads to.
  package enum Outcome: Hashable, Sendable {
    case unchanged
    /// It has now failed often enough: `ContainerEvent.becameUnhealthy`.
    case isolate
    /// It has now passed often enough: `ContainerEvent.recovered`.
    case reintegrate
  }

  /// Counts one check.
  /// - Parameter failure: what was wrong; nil: the check passed.
  package func record(failure: String?, on status: HealthStatus) -> (status: HealthStatus, outcome: Outcome) {
    switch (status.isHealthy, failure) {
    case (true, nil):
      return (HealthStatus(), .unchanged)
    case (true, let failure?):
      let failures = max(0, min(status.failures, isolateAfter - 1)) + 1
      let isIsolated = failures >= isolateAfter
      let owed = isIsolated ? reintegrateAfter : failures
      return (HealthStatus(isHealthy: !isIsolated, failures: owed, detail: failure), isIsolated ? .isolate : .unchanged)
    case (false, let failure?):
      return (HealthStatus(isHealthy: false, failures: reintegrateAfter, detail: failure), .unchanged)
    case (false, nil):
      let owed = min(status.failures, reintegrateAfter) - 1
      return owed <= 0
        ? (HealthStatus(), .reintegrate)
        : (HealthStatus(isHealthy: false, failures: owed, detail: status.detail), .unchanged)
    }
  }
}
