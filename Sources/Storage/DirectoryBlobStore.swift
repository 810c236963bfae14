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
      if access(path + Self.ending, F_OK) == 0 { throw .conflict("blob \(name), which is compressed and grows no more,") }
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
      guard let file = try Self.openExisting(path) else { return try Self.compressedSize(path, name) ?? 0 }
      defer { close(file) }
      return try Self.size(file, path)
    }
  }

  /// Empty at and beyond the end, and where there is no such blob.
  package func read(_ name: String, from offset: Int64, limit: Int) async throws(StoreError) -> Data {
    let path = try path(of: name)
    guard offset >= 0 else { throw .damaged("blob \(name): the offset \(offset) is negative; this is a defect") }
    let most = min(max(0, limit), Self.largestRead)
    return try await perform { () throws(StoreError) in
      guard let file = try Self.openExisting(path) else { return try Self.readCompressed(path, name, from: offset, most: most) }
      defer { close(file) }
      return try Self.read(file, from: offset, count: Int(min(Int64(most), max(0, try Self.size(file, path) - offset))), path)
    }
  }

  // MARK: - Compressed

  /// Of the file that stands in a blob's place once it is compressed.
  private static let ending = ".rhz"

  package func compress(_ name: String) async throws(StoreError) {
    let path = try path(of: name)
    // Beside reads, and beside appends to others: a long log takes its time.
    let packed = try await perform { () throws(StoreError) -> Int64? in
      guard let file = try Self.openExisting(path) else { return nil }
      defer { close(file) }
      let temporary = path + Self.ending + ".new"
      let new = try Self.open(temporary, O_WRONLY | O_CREAT | O_TRUNC)
      defer { close(new) }
      var end: Int64 = 0
      let size = try CompressedBlob.write(name: name) { (offset, limit) throws(StoreError) in
        try Self.read(file, from: offset, count: limit, path)
      } write: { (data) throws(StoreError) in
        try Self.write(data, to: new, at: end, temporary)
        end += Int64(data.count)
      }
      // Whole on the disk before what it stands for goes.
      guard fsync(new) == 0 else { throw Self.failure("written", temporary) }
      return size
    }
    guard let packed else { return }
    try await perform(.barrier) { () throws(StoreError) in
      let temporary = path + Self.ending + ".new"
      guard let file = try Self.openExisting(path) else { return }
      defer { close(file) }
      guard try Self.size(file, path) == packed else { throw .conflict("blob \(name), which grew while it was compressed,") }
      guard rename(temporary, path + Self.ending) == 0 else { throw Self.failure("named", temporary) }
      guard unlink(path) == 0 || errno == ENOENT else { throw Self.failure("removed", path) }
    }
  }

  package func remove(_ name: String) async throws(StoreError) {
    let path = try path(of: name)
    try await perform(.barrier) { () throws(StoreError) in
      for file in [path, path + Self.ending] where unlink(file) != 0 && errno != ENOENT { throw Self.failure("removed", file) }
    }
  }

  package func list(_ folder: String) async throws(StoreError) -> [BlobEntry] {
    let path = try path(of: folder)
    return try await perform { () throws(StoreError) in
      guard let names = FileManager.default.enumerator(atPath: path) else { return [] }
      var entries: [String: BlobEntry] = [:]
      for case let file as String in names {
        var status = stat()
        // One that was removed meanwhile is none.
        guard lstat("\(path)/\(file)", &status) == 0, status.st_mode & S_IFMT == S_IFREG, !file.hasSuffix(".new") else { continue }
        let isCompressed = file.hasSuffix(Self.ending)
        let name = "\(folder)/\(isCompressed ? String(file.dropLast(Self.ending.count)) : file)"
        // Both are there after a crash between the two: what stands uncompressed is what counts.
        if isCompressed, entries[name] != nil { continue }
        entries[name] = BlobEntry(
          name: name, bytes: Int64(status.st_size), changedAt: Date(timeIntervalSince1970: TimeInterval(status.st_mtim.tv_sec)),
          isCompressed: isCompressed)
      }
      return Array(entries.values)
    }
  }

  /// Raw size of a compressed blob; nil where there is none.
  private static func compressedSize(_ path: String, _ name: String) throws(StoreError) -> Int64? {
    guard let file = try openExisting(path + ending) else { return nil }
    defer { close(file) }
    return try CompressedBlob.Index(name: name, fileSize: try size(file, path)) { (offset, count) throws(StoreError) in
      try read(file, from: offset, count: count, path)
    }.size
  }

  private static func readCompressed(_ path: String, _ name: String, from offset: Int64, most: Int) throws(StoreError) -> Data {
    guard let file = try openExisting(path + ending) else { return Data() }
    defer { close(file) }
    func reading(_ offset: Int64, _ count: Int) throws(StoreError) -> Data { try read(file, from: offset, count: count, path) }
    let index = try CompressedBlob.Index(name: name, fileSize: try size(file, path), read: reading)
    var data = Data()
    while data.count < most, offset + Int64(data.count) < index.size {
      let place = offset + Int64(data.count)
      let block = try index.block(Int(place / Int64(CompressedBlob.blockSize)), name: name, read: reading)
      data += block.dropFirst(Int(place % Int64(CompressedBlob.blockSize))).prefix(most - data.count)
    }
    return data
  }

  // MARK: - Files

  /// Fewer bytes where the file ends.
  private static func read(_ file: Int32, from offset: Int64, count wanted: Int, _ path: String) throws(StoreError) -> Data {
    var bytes = [UInt8](repeating: 0, count: max(0, wanted))
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes {
        pread(file, $0.baseAddress.map { $0 + count }, $0.count - count, off_t(offset) + off_t(count))
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw failure("read", path) }
      if got == 0 { break }
      count += got
    }
    return Data(bytes.prefix(count))
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
