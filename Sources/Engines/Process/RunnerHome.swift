internal import Foundation
internal import Glibc
internal import RunnerHub

/// Puts files into a runner's home, each whole or not at all, and never outside of it.
struct RunnerHome {
  /// The home, which jobs may have written to.
  let path: String
  /// A folder on the same file system where files are made, which jobs do not look into.
  let workshop: String
  /// Tells apart the files of two calls.
  let token: String

  func put(_ files: [RunnerFile]) throws(EngineError) {
    let parts = try files.map { file throws(EngineError) in try RunnerPath.components(of: file.path) }
    let home = try openFolder("home", at: AT_FDCWD, path: path)
    defer { close(home) }
    for (file, parts) in zip(files, parts) { try put(file, parts, home: home) }
  }

  private func put(_ file: RunnerFile, _ parts: [String], home: Int32) throws(EngineError) {
    let fresh = "\(workshop)/put.\(token)"
    try write(file, to: fresh)
    var folder = dup(home)
    defer { close(folder) }
    for name in parts.dropLast() {
      if mkdirat(folder, name, 0o755) < 0, errno != EEXIST { throw failure("make the folder", file.path) }
      let next = try openFolder(file.path, at: folder, path: name)
      close(folder)
      folder = next
    }
    // Replaces a link of that name itself, not what it points to.
    guard renameat(AT_FDCWD, fresh, folder, parts[parts.count - 1]) == 0 else {
      let error = failure("put", file.path)
      unlink(fresh)
      throw error
    }
  }

  private func write(_ file: RunnerFile, to fresh: String) throws(EngineError) {
    unlink(fresh)
    let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("make", file.path) }
    defer { close(descriptor) }
    let isWhole = file.contents.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return false }
        done += count
      }
      return true
    }
    // Not by the mode of open: the umask is the host's.
    guard isWhole, fchmod(descriptor, mode_t(file.mode & 0o777)) == 0 else {
      let error = failure("write", file.path)
      unlink(fresh)
      throw error
    }
  }

  private func openFolder(_ what: String, at folder: Int32, path name: String) throws(EngineError) -> Int32 {
    let descriptor = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if descriptor >= 0 { return descriptor }
    if errno == ELOOP || errno == ENOTDIR { throw .invalid("\(what): '\(name)' in \(path) is a link or a file, no folder") }
    throw failure("open the folder of", what)
  }

  private func failure(_ verb: String, _ file: String) -> EngineError {
    .unavailable("cannot \(verb) \(file) in \(path): \(systemError(errno))")
  }
}
