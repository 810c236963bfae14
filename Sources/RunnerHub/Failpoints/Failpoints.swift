package import Logging
import Synchronization

/// Makes the process die at one moment, where the environment variable `RUNNERHUB_FAILPOINT` names it: for tests of what the next start does.
///
/// The ports are wrapped in the composition root, so no step knows of failpoints. Without the variable nothing is wrapped and nothing is paid.
package struct Failpoints: Sendable {
  package static let variable = "RUNNERHUB_FAILPOINT"
  private let trap: FailpointTrap?

  /// - Parameters:
  ///   - environment: of the process.
  ///   - die: ends the process at once, so that nothing is flushed or unwound.
  /// - Throws: `UnknownFailpoint` where the variable names none.
  package init(
    environment: [String: String], logger: Logger, die: @escaping @Sendable () -> Void
  ) throws(UnknownFailpoint) {
    guard let text = environment[Self.variable], !text.isEmpty else {
      trap = nil
      return
    }
    let order: FailpointOrder
    do {
      order = try FailpointOrder(text)
    } catch {
      throw UnknownFailpoint("\(Self.variable): \(error)")
    }
    logger.warning("a failpoint is armed: this process will kill itself there", metadata: ["failpoint": "\(order)"])
    trap = FailpointTrap(order, spring: die)
  }

  package func guarding(_ store: any Store) -> any Store { trap.map { FailingStore(store, $0) } ?? store }
  package func guarding(_ engine: any ContainerEngine) -> any ContainerEngine { trap.map { FailingEngine(engine, $0) } ?? engine }
  package func guarding(_ forge: any Forge & JobSearch) -> any Forge & JobSearch { trap.map { FailingForge(forge, $0) } ?? forge }
  package func guarding(_ roster: any NotifierRoster) -> any NotifierRoster { trap.map { FailingRoster(roster, $0) } ?? roster }
  package func guarding(_ blobs: any BlobStore) -> any BlobStore { trap.map { FailingBlobStore(blobs, $0) } ?? blobs }
}

/// Counts the hits of one failpoint and springs at the one that is ordered.
final class FailpointTrap: Sendable {
  private let order: FailpointOrder
  private let hits = Atomic<Int>(0)
  private let spring: @Sendable () -> Void

  init(_ order: FailpointOrder, spring: @escaping @Sendable () -> Void) {
    self.order = order
    self.spring = spring
  }

  /// Does a step between its two failpoints.
  func around<Value: Sendable, Failure: Error>(
    _ step: Failpoint.Step, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    pass(Failpoint(step, .before))
    let value = try await body()
    pass(Failpoint(step, .after))
    return value
  }

  private func pass(_ failpoint: Failpoint) {
    guard failpoint == order.failpoint else { return }
    if hits.add(1, ordering: .relaxed).newValue == order.hit { spring() }
  }
}
