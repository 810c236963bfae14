import Foundation
package import RunnerHub

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The right to orchestrate on a database: one process at a time. Held as long as the object lives, and given back by the kernel when the
/// process ends, however it ends (`flock(2)` on a file beside the database).
///
///     let lock = try StoreLock(databasePath: "data/runnerhub.sqlite")
package final class StoreLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock, or fails at once.
  /// - Throws: `StoreError.unavailable` where another process has it, or the file cannot be made.
  package init(databasePath: String) throws(StoreError) {
    let path = databasePath + ".lock"
    // Closed on exec: a detached runner that inherited it would hold the lock after our end.
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unavailable("the lock file \(path) cannot be opened: \(String(cString: strerror(errno)))") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      let holder = Self.holder(descriptor)
      close(descriptor)
      guard reason == EWOULDBLOCK else {
        throw .unavailable("the lock file \(path) cannot be locked: \(String(cString: strerror(reason)))")
      }
      throw .unavailable("another RunnerHub (process \(holder)) runs on \(databasePath); end it, or choose another database")
    }
    let note = Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, note, note.count, 0) == note.count else {
      let reason = errno
      close(descriptor)
      throw .unavailable("the lock file \(path) cannot be written: \(String(cString: strerror(reason)))")
    }
  }

  deinit { close(descriptor) }

  /// The process that the file names, for people.
  private static func holder(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 20)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let digits = bytes.prefix(max(0, count)).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return digits.isEmpty ? "unknown" : String(decoding: digits, as: UTF8.self)
  }
}
