import Domain
package import Foundation
package import Logging
import ServiceLifecycle

/// The central coordination: runs every loop of a job's way as one service, and drains when it is asked to stop.
///
/// There is no recovery code. A loop's first turn takes what it finds in the store, whoever left it there.
package struct RunnerOrchestrator: Service {
  private let transactor: Transactor
  private let loops: [(name: String, run: @Sendable () async throws -> Void)]
  private let drain: DrainSwitch
  private let fallback: FallbackTurn?
  private let monitor: OrchestratorMonitor
  private let drainLimit: TimeInterval
  private let logger: Logger

  /// - Parameters:
  ///   - loops: run side by side until the drain has ended.
  ///   - fallback: leaves what waits to others as the drain begins.
  ///   - drainLimit: seconds that running jobs get to end after the signal to stop.
  package init(
    transactor: Transactor, loops: [(name: String, run: @Sendable () async throws -> Void)], drain: DrainSwitch,
    fallback: FallbackTurn? = nil, monitor: OrchestratorMonitor,
    drainLimit: TimeInterval, logger: Logger
  ) {
    self.transactor = transactor
    self.loops = loops
    self.drain = drain
    self.fallback = fallback
    self.monitor = monitor
    self.drainLimit = drainLimit
    self.logger = logger
  }

  package func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for loop in loops {
        group.addTask {
          do {
            try await loop.run()
          } catch is CancellationError {
            return
          } catch {
            logger.critical("the \(loop.name) loop ended", metadata: ["error": "\(error)"])
            throw error
          }
          // A loop that ends by itself would leave its step of the way unattended.
          if !Task.isCancelled { throw LoopEnded(name: loop.name) }
        }
      }
      group.addTask {
        try await gracefulShutdown()
        try await drainAll()
        throw CancellationError()
      }
      do {
        while try await group.next() != nil {}
      } catch is CancellationError {
        group.cancelAll()
      }
    }
    monitor.stopped()
  }

  struct LoopEnded: Error, CustomStringConvertible {
    var name: String
    var description: String { "the \(name) loop ended by itself" }
  }

  /// No new assignments; running jobs finish within the limit; idle containers end. What is left is found by the next start.
  private func drainAll() async throws {
    drain.turnOn()
    monitor.beganDraining()
    transactor.signals.changed()
    logger.notice("draining: no new assignments, running jobs get \(Int(drainLimit)) s to finish")
    do {
      // Here, since nothing may run and the drain be over before the loop's next turn.
      try await fallback?.leaveAll()
    } catch {
      logger.error("what waits could not be left to traditional runners", metadata: ["error": "\(error)"])
    }
    let deadline = transactor.currentTime.addingTimeInterval(drainLimit)
    while transactor.currentTime < deadline {
      do {
        if try await isDrained() {
          logger.notice("drained")
          return
        }
      } catch {
        logger.error("the drain could not read the store", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    let left = try await transactor.store.activeAssignments()
    logger.warning(
      "jobs still run at the end of the drain; the next start goes on with them", metadata: ["assignments": "\(left.map(\.id))"])
  }

  private func isDrained() async throws(StoreError) -> Bool {
    let containers = try await transactor.store.liveContainers()
    let idle = containers.filter { $0.assignment == nil && $0.state != .terminating }
    if !idle.isEmpty {
      try await transactor.transact(.idleDrained) { (unit) throws(StoreError) in
        for container in idle {
          guard var row = try await unit.container(container.id), row.assignment == nil else { continue }
          row.release(.terminate, cause: "RunnerHub drains", at: unit.now)
          unit.put(row)
        }
      }
      return false
    }
    guard containers.isEmpty else { return false }
    return try await transactor.store.activeAssignments().isEmpty
  }
}
