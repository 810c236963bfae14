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
  /// Bytes of one log that are kept.
  private let largest: Int64
  private let logger: Logger

  /// - Parameter largest: of one log; what a job says beyond it is at the forge only.
  package init(
    transactor: Transactor, engines: EngineRoster, blobs: any BlobStore, largest: ByteCount = ByteCount(mebibytes: 256), logger: Logger
  ) {
    self.transactor = transactor
    self.engines = engines
    self.blobs = blobs
    self.largest = largest.bytes
    self.logger = logger
  }

  /// Name of the blob that holds an assignment's log.
  package static func blobName(of id: AssignmentID) -> String { "logs/\(id).log" }

  /// The last line of a log that was longer.
  package static func cut(at largest: ByteCount) -> String {
    "##[runnerhub] the log is cut here, at \(largest) (logs.largest); GitHub has all of it"
  }

  /// Follows all running assignments until cancelled.
  package func run() async throws {
    var schedule = LogSchedule()
    var running: [AssignmentID: (assignment: Assignment, engine: any ContainerEngine)] = [:]
    var seen: UInt64?
    while !Task.isCancelled {
      let revision = transactor.signals.assignmentRevision.current
      if revision != seen {
        do {
          running = try await self.running()
          seen = revision
        } catch {
          logger.warning("logs could not be collected", metadata: ["error": "\(error)"])
        }
        schedule.follow(running.keys, at: transactor.currentTime)
      }
      for (id, offset) in schedule.due(at: transactor.currentTime) {
        guard let (assignment, engine) = running[id] else { continue }
        let end = await collect(assignment, from: engine, offset: offset)
        schedule.looked(at: id, end: end, at: transactor.currentTime)
      }
      try await Task.sleep(for: .seconds(LogSchedule.shortest))
    }
  }

  /// Assignments whose runner may say something, and where.
  private func running() async throws(StoreError) -> [AssignmentID: (assignment: Assignment, engine: any ContainerEngine)] {
    var hosts: [ContainerID: any ContainerEngine] = [:]
    for container in try await transactor.store.liveContainers() { hosts[container.id] = engines.engines[container.engine] }
    var running: [AssignmentID: (assignment: Assignment, engine: any ContainerEngine)] = [:]
    for assignment in try await transactor.store.activeAssignments() where assignment.phase == .started || assignment.phase == .running {
      if let engine = hosts[assignment.containerID] { running[assignment.id] = (assignment, engine) }
    }
    return running
  }

  /// Copies what has grown since the last time. A failure is logged and made good by the next call.
  /// - Parameter offset: where the copy is known to end, which spares asking the blob store of a log that is quiet.
  /// - Returns: the end of the copy; nil where it is not known.
  @discardableResult
  func collect(_ assignment: Assignment, from engine: any ContainerEngine, offset known: Int64? = nil) async -> Int64? {
    let name = Self.blobName(of: assignment.id)
    do {
      var offset = if let known { known } else { try await blobs.size(of: name) }
      while true {
        if offset >= largest { return offset }
        // Each byte is asked for once: an engine goes on where the call before has stopped.
        var data = try await engine.log(of: assignment.containerID, use: assignment.use, from: offset)
        if data.isEmpty { return offset }
        if offset + Int64(data.count) >= largest {
          data = data.prefix(Int(largest - offset)) + Data("\n\(Self.cut(at: ByteCount(bytes: largest)))\n".utf8)
        }
        try await blobs.append(data, to: name, at: offset)
        offset += Int64(data.count)
      }
    } catch {
      logger.warning("a log could not be collected", metadata: ["assignment": "\(assignment.id)", "error": "\(error)"])
      return nil
    }
  }
}
