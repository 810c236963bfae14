package import Domain
import Foundation
package import Logging

/// Copies the logs of running jobs from the engines to the blob store as they grow, so that they outlive containers and restarts.
///
/// The size of the blob is the position to go on from: nothing is remembered elsewhere, and nothing is written twice.
package struct LogCollector: Sendable {
  private let transactor: Transactor
  private let engines: EngineRoster
  private let blobs: any BlobStore
  private let logger: Logger
  private static let interval: TimeInterval = 0.5

  package init(transactor: Transactor, engines: EngineRoster, blobs: any BlobStore, logger: Logger) {
    self.transactor = transactor
    self.engines = engines
    self.blobs = blobs
    self.logger = logger
  }

  /// Name of the blob that holds an assignment's log.
  package static func blobName(of id: AssignmentID) -> String { "logs/\(id).log" }

  /// Follows all running assignments until cancelled.
  package func run() async throws {
    while !Task.isCancelled {
      do {
        for assignment in try await transactor.store.activeAssignments() where assignment.phase == .started || assignment.phase == .running
        {
          guard let container = try await transactor.store.container(assignment.containerID), let engine = engines.engines[container.engine]
          else { continue }
          await collect(assignment, from: engine)
        }
      } catch {
        logger.warning("logs could not be collected", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: .seconds(Self.interval))
    }
  }

  /// Copies what has grown since the last time. A failure is logged and made good by the next call.
  func collect(_ assignment: Assignment, from engine: any ContainerEngine) async {
    let name = Self.blobName(of: assignment.id)
    do {
      while true {
        let offset = try await blobs.size(of: name)
        let data = try await engine.log(of: assignment.containerID, use: assignment.use, from: offset)
        if data.isEmpty { return }
        try await blobs.append(data, to: name, at: offset)
      }
    } catch {
      logger.warning("a log could not be collected", metadata: ["assignment": "\(assignment.id)", "error": "\(error)"])
    }
  }
}
