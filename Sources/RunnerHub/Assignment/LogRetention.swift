import Domain
import Foundation
package import Logging

/// Keeps the logs of jobs within their bounds: compresses those that grow no more, and removes what is too old or, the oldest first, too much.
package struct LogRetention: Sendable {
  private let transactor: Transactor
  private let blobs: any BlobStore
  private let age: TimeInterval
  private let maximum: ByteCount
  private let logger: Logger
  /// Logs that one turn compresses or removes at most.
  private static let step = 64
  /// Seconds without a change after which a log of a job that has ended grows no more.
  private static let rest: TimeInterval = 60
  private static let pause: Duration = .milliseconds(200)
  private static let interval: Duration = .seconds(60)

  package init(transactor: Transactor, blobs: any BlobStore, settings: Settings, logger: Logger) {
    self.transactor = transactor
    self.blobs = blobs
    age = settings.logRetention
    maximum = settings.maximumLogs
    self.logger = logger
  }

  /// Looks at once and then each minute, until cancelled.
  package func run() async throws {
    while !Task.isCancelled {
      var isMore = false
      do {
        isMore = try await turn()
      } catch {
        logger.error("logs could not be looked after", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: isMore ? Self.pause : Self.interval)
    }
  }

  /// One step.
  /// - Returns: whether there may be more to do.
  package func turn() async throws(StoreError) -> Bool {
    // Names before the list: an assignment that ends in between is looked at next time.
    let growing = Set(try await transactor.store.activeAssignments().map { LogCollector.blobName(of: $0.id) })
    let now = transactor.currentTime
    let logs = try await blobs.list("logs").filter { !growing.contains($0.name) }.sorted {
      ($0.changedAt, $0.name) < ($1.changedAt, $1.name)
    }
    var left = Self.step
    var total = logs.reduce(0) { $0 + $1.bytes }
    for log in logs {
      if left == 0 { return true }
      if now.timeIntervalSince(log.changedAt) > age || total > maximum.bytes {
        try await blobs.remove(log.name)
        logger.debug("an old log removed", metadata: ["log": "\(log.name)"])
        total -= log.bytes
        left -= 1
      } else if !log.isCompressed, now.timeIntervalSince(log.changedAt) >= Self.rest {
        try await blobs.compress(log.name)
        left -= 1
      }
    }
    return false
  }
}
