import Dispatch
package import Foundation
package import RunnerHub

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Blobs as files of a folder, readable by their owner only.
///
/// Appends are in order and not synced to disk: after a power cut `size(of:)` says from where to go on. Files are worked on in a queue of its
/// own, so that no thread of Swift's pool waits for a disk.
package final class DirectoryBlobStore: BlobStore {
  /// Bytes that one read gives at most, whatever its limit.
  package static let largestRead = 8 << 20

  private let root: String
  /// Reads run beside each other, an append alone.
  private let queue = DispatchQueue(label: "RunnerHub blobs", attributes: .concurrent)

  /// - Parameter root: the folder; made with its parents where it is missing.
  package init(root: URL) throws(StoreError) {
    self.root = root.path
    try Self.makeFolder(root.path)
  }

  /// - Throws: `StoreError.conflict` where the blob ends before the offset: ask for its size and go on from there.
  package func append(_ data: Data, to name: String, at offset: Int64) async throws(StoreError) {
    let path = try path(of: name)
    guard offset >= 0 else { throw .damaged("blob \(name): the offset \(offset) is negative; this is a defect") }
    try await perform(.barrier) { () throws(StoreError) in
      try Self.makeFolder((path as NSString).deletingLastPathComponent)
      let file = try Self.open(path, O_WRONLY | O_CREAT)
      defer { close(file) }
      let size = try Self.size(file, path)
      guard offset <= size else { throw .conflict("blob \(name), which ends at \(size) and not at \(offset),") }
      let present = size - offset
      guard present < Int64(data.count) else { return }
      try Self.write(data.dropFirst(Int(present)), to: file, at: size, path)
    }
  }

  package func size(of name: String) async throws(StoreError) -> Int64 {
    let path = try path(of: name)
    return try await perform { () throws(StoreError) in
      guard let file = try Self.openExisting(path) else { return 0 }
      defer { close(file) }
      return try Self.size(file, path)
    }
  }

  /// Empty at and beyond the end, and where there is no such blob.
  package func read(_ name: String, from offset: Int64, limit: Int) async throws(StoreError) -> Data {
    let path = try path(of: name)
    guard offset >= 0 else { throw .damaged("blob \(name): the offset \(offset) is negative; this is a defect") }
    return try await perform { () throws(StoreError) in
      guard let file = try Self.openExisting(path) else { return Data() }
      defer { close(file) }
      let wanted = min(Int64(min(max(0, limit), Self.largestRead)), max(0, try Self.size(file, path) - offset))
      var bytes = [UInt8](repeating: 0, count: Int(wanted))
      var count = 0
      while count < bytes.count {
        let got = bytes.withUnsafeMutableBytes {
          pread(file, $0.baseAddress.map { $0 + count }, $0.count - count, off_t(offset) + off_t(count))
        }
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { throw Self.failure("read", path) }
        if got == 0 { break }
        count += got
      }
      return Data(bytes.prefix(count))
    }
  }

  private func perform<Value: Sendable>(
    _ flags: DispatchWorkItemFlags = [], _ work: @escaping @Sendable () throws(StoreError) -> Value
  ) async throws(StoreError) -> Value {
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      queue.async(flags: flags) { continuation.resume(returning: Result { () throws(StoreError) in try work() }) }
    }
    return try result.get()
  }

  /// The file of a name. A name that could leave the folder is refused.
  private func path(of name: String) throws(StoreError) -> String {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isValid =
      name.utf8.count <= 512
      && parts.allSatisfy { part in
        !part.isEmpty && part.utf8.count <= 200 && part != "." && !part.contains("..")
          && part.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
          }
      }
    guard isValid else {
      throw .damaged("`\(name)` is no name of a blob: parts of [A-Za-z0-9._-] joined by /, without `..`, 512 bytes at most")
    }
    return root + "/" + name
  }

  private static func makeFolder(_ path: String) throws(StoreError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw .unavailable("the folder \(path) cannot be made; check the rights of its parent: \(error)")
    }
  }

  private static func open(_ path: String, _ flags: Int32) throws(StoreError) -> Int32 {
    #if canImport(Glibc)
      let file = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
    #else
      let file = Darwin.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
    #endif
    guard file >= 0 else { throw failure("opened", path) }
    return file
  }

  private static func openExisting(_ path: String) throws(StoreError) -> Int32? {
    if access(path, F_OK) != 0 && errno == ENOENT { return nil }
    return try open(path, O_RDONLY)
  }

  private static func size(_ file: Int32, _ path: String) throws(StoreError) -> Int64 {
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("measured", path) }
    return Int64(status.st_size)
  }

  private static func write(_ data: Data, to file: Int32, at offset: Int64, _ path: String) throws(StoreError) {
    let bytes = [UInt8](data)
    var count = 0
    while count < bytes.count {
      let put = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress.map { $0 + count }, $0.count - count, off_t(offset) + off_t(count)) }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw failure("written", path) }
      count += put
    }
  }

  private static func failure(_ verb: String, _ path: String) -> StoreError {
    .unavailable("the blob \(path) cannot be \(verb): \(String(cString: strerror(errno)))")
  }
}
