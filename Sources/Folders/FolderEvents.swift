#if canImport(Glibc)
  internal import Dispatch
  internal import Glibc
  internal import Synchronization

  /// What the kernel tells of a few folders (`inotify(7)`). It tells nothing of changes that another machine makes on a network file system.
  /// Owned by one loop, and closed with it.
  package final class FolderEvents {
    package struct Failure: Error, CustomStringConvertible {
      package var description: String
    }

    /// What is watched, by the kernel's number: the names in it that count; empty: all do.
    private final class Watched: Sendable {
      let names = Mutex<[Int32: Set<String>]>([:])
    }

    private let descriptor: Int32
    private let source: any DispatchSourceRead
    private let watched = Watched()
    private static let mask = UInt32(
      IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

    /// - Parameter happened: called from a queue of its own after each change.
    package init(_ happened: @escaping @Sendable () -> Void) throws(Failure) {
      let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
      guard descriptor >= 0 else { throw Self.failure("events of files cannot be had") }
      self.descriptor = descriptor
      source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: DispatchQueue(label: "RunnerHub folder events"))
      source.setEventHandler { [watched] in
        if Self.take(from: descriptor, watched) { happened() }
      }
      // Only then does nothing read from it any more.
      source.setCancelHandler { close(descriptor) }
      source.activate()
    }

    deinit { source.cancel() }

    /// Watches these folders from now on, and no others. One that is not there is left out.
    /// - Parameter folders: by path, with the names in it that count; empty: all do.
    package func watch(_ folders: [String: Set<String>]) throws(Failure) {
      var names: [Int32: Set<String>] = [:]
      for (path, name) in folders {
        let number = inotify_add_watch(descriptor, path, Self.mask)
        if number >= 0 {
          // Two paths may lead to one folder.
          let known = names[number]
          names[number] = name.isEmpty || known?.isEmpty == true ? [] : name.union(known ?? [])
        } else if errno != ENOENT && errno != ENOTDIR {
          throw Self.failure("\(path) cannot be watched")
        }
      }
      if names.isEmpty { throw Failure(description: "there is no folder to watch") }
      let old = watched.names.withLock { old in
        defer { old = names }
        return old.keys
      }
      for number in old where names[number] == nil { _ = inotify_rm_watch(descriptor, number) }
    }

    /// Reads what has happened. Returns whether any of it counts.
    private static func take(from descriptor: Int32, _ watched: Watched) -> Bool {
      var buffer = [UInt8](repeating: 0, count: 16 << 10)
      var counts = false
      while true {
        let length = read(descriptor, &buffer, buffer.count)
        guard length > 0 else { return counts }
        var start = 0
        // struct inotify_event: wd, mask, cookie, len (32 bits each), then the name in len bytes, filled up with zeros.
        while start + 16 <= length {
          let (number, size) = buffer.withUnsafeBytes {
            ($0.loadUnaligned(fromByteOffset: start, as: Int32.self), Int($0.loadUnaligned(fromByteOffset: start + 12, as: UInt32.self)))
          }
          let end = min(length, start + 16 + size)
          let name = String(decoding: buffer[(start + 16)..<end].prefix { $0 != 0 }, as: UTF8.self)
          let wanted = watched.names.withLock { $0[number] }
          // Of a folder that is not watched any more: look rather once too often.
          if wanted.map({ $0.isEmpty || $0.contains(name) }) ?? true { counts = true }
          start = end
        }
      }
    }

    private static func failure(_ what: String) -> Failure {
      let code = errno
      let hint = code == ENOSPC || code == EMFILE ? "; see fs.inotify.max_user_watches and max_user_instances" : ""
      return Failure(description: "\(what): \(String(cString: strerror(code)))\(hint)")
    }
  }
#endif
