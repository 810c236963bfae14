package import Domain
package import Foundation
package import RunnerHub

/// What the administration listener can tell of RunnerHub.
package protocol StatusSource: Sendable {
  /// Whether work is accepted: started, and not draining.
  var isReady: Bool { get }
  /// Rises with each change, so that pages need not ask again for what they have.
  var revision: UInt64 { get }
  /// May be a moment old: its `revision` says what it knows of.
  /// - Parameter jobs: at most so many rows.
  func overview(jobs: Int) async throws(StoreError) -> Overview
  /// Newest first.
  func jobs(limit: Int) async throws(StoreError) -> [JobRow]
  /// nil: no such job.
  func job(_ id: JobID) async throws(StoreError) -> JobStory?
  /// Bytes of a job's log from an offset; nil: no such job.
  func log(of id: JobID, from offset: Int64, limit: Int) async throws(StoreError) -> Data?
  func containers(limit: Int) async throws(StoreError) -> [ContainerRow]
  func deliveries(limit: Int) async throws(StoreError) -> [DeliveryRow]
  func health() async -> HealthDocument
}
