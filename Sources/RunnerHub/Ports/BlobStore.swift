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
}
