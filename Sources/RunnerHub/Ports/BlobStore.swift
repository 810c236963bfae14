package import Foundation

/// Large values by name: logs and artifacts.
package protocol BlobStore: Sendable {
  /// Appends at an offset: bytes that are there already are not written twice, so an interrupted writer can go on.
  /// - Parameter name: relative path of `[A-Za-z0-9._/-]`, no `..`: `logs/29679449526.log`.
  func append(_ data: Data, to name: String, at offset: Int64) async throws(StoreError)
  /// Size in bytes; 0 where there is none.
  func size(of name: String) async throws(StoreError) -> Int64
  /// Bytes from an offset, at most `limit`.
  func read(_ name: String, from offset: Int64, limit: Int) async throws(StoreError) -> Data
  /// Keeps a blob that grows no more in less room; it is read as before. Absent, or done already, is success. To append to it is a conflict.
  func compress(_ name: String) async throws(StoreError)
  /// Absent is success.
  func remove(_ name: String) async throws(StoreError)
  /// All blobs whose names begin with a folder (`logs`), in no order. Costs by their number.
  func list(_ folder: String) async throws(StoreError) -> [BlobEntry]
}

/// A blob as it is kept.
package struct BlobEntry: Hashable, Sendable {
  package var name: String
  /// Bytes that it takes.
  package var bytes: Int64
  package var changedAt: Date
  package var isCompressed: Bool

  package init(name: String, bytes: Int64, changedAt: Date, isCompressed: Bool) {
    self.name = name
    self.bytes = bytes
    self.changedAt = changedAt
    self.isCompressed = isCompressed
  }
}
