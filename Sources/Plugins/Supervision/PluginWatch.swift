internal import Folders
internal import Foundation
internal import Logging
internal import RunnerHub
internal import Synchronization

/// How changes of the plugins' files and of the configuration are seen: by events of the kernel, and by looks, which are rarer while it tells.
final class PluginWatch: Sendable {
  private struct State {
    #if canImport(Glibc)
      var events: FolderEvents?
    #endif
    var wasTold = false
    var isComplete = false
  }

  private let folder: URL
  private let file: URL?
  private let pace: PluginPace
  private let wake: WakeUp
  private let logger: Logger
  private let state = Mutex(State())
  /// Folders that are watched at most; what is below others is seen by looks.
  private static let limit = 512

  /// - Parameters:
  ///   - folder: of all plugins.
  ///   - file: the configuration.
  ///   - wake: rung after each event.
  init(folder: URL, file: URL?, pace: PluginPace, wake: WakeUp, logger: Logger) {
    self.folder = folder
    self.file = file
    self.pace = pace
    self.wake = wake
    self.logger = logger
  }

  /// Seconds until the next look at the latest.
  var interval: TimeInterval { state.withLock { $0.isComplete } ? pace.backstop : pace.look }

  /// Whether the kernel has told of something since the last question.
  func takeNews() -> Bool {
    state.withLock { state in
      defer { state.wasTold = false }
      return state.wasTold
    }
  }

  #if canImport(Glibc)
    /// Opens it; without, or where the kernel gives none, there are looks only.
    func open() {
      state.withLock { state in
        do {
          state.events = try FolderEvents { [weak self] in self?.tell() }
        } catch {
          logger.notice("the plugins are looked at every \(pace.look) seconds", metadata: ["reason": "\(error)"])
        }
      }
    }

    func close() {
      state.withLock { state in
        state.events = nil
        state.isComplete = false
      }
    }

    /// Watches the folders that are there now. What came below one before that was watched has told nobody: so they are listed again until the list is
    /// the same, and looked at where it does not become so.
    func follow() {
      var listed = folders
      for _ in 0..<5 {
        guard watch(listed.folders) else { return }
        guard listed.isAll else { break }
        let again = folders
        if again.isAll, again.folders == listed.folders {
          state.withLock { $0.isComplete = true }
          return
        }
        listed = again
      }
      state.withLock { $0.isComplete = false }
    }

    /// - Returns: whether the kernel tells of anything.
    private func watch(_ folders: [String: Set<String>]) -> Bool {
      state.withLock { state in
        guard let events = state.events else { return false }
        do {
          try events.watch(folders)
          return true
        } catch {
          state.events = nil
          state.isComplete = false
          logger.notice("the plugins are looked at every \(pace.look) seconds", metadata: ["reason": "\(error)"])
          return false
        }
      }
    }
  #else
    func open() {}
    func close() {}
    func follow() {}
  #endif

  private func tell() {
    state.withLock { $0.wasTold = true }
    wake.notify()
  }

  /// By path, with the names in it that count. Not all: there are too many, or one of those that are always watched is not there.
  private var folders: (folders: [String: Set<String>], isAll: Bool) {
    var folders: [String: Set<String>] = [:]
    // Above it only it itself counts: it may be swapped, or made later. So it is with the configuration.
    for part in [folder, file].compactMap({ $0 }) {
      folders[part.deletingLastPathComponent().path(percentEncoded: false), default: []].insert(part.lastPathComponent)
    }
    folders[folder.path(percentEncoded: false)] = []
    let isThere = folders.keys.allSatisfy { FileManager.default.fileExists(atPath: $0) }
    var open = children(of: folder).filter { PluginManifest.isName($0.lastPathComponent) }
    while let next = open.popLast() {
      guard folders.count < Self.limit else { return (folders, false) }
      folders[next.path(percentEncoded: false)] = []
      open += children(of: next)
    }
    return (folders, isThere)
  }

  /// Folders in a folder, but hidden ones and what interpreters compile. A link is followed in the folder of plugins only: a circle of links would have no end.
  private func children(of parent: URL) -> [URL] {
    let isTop = parent == folder
    let keys: Set<URLResourceKey> = [.isDirectoryKey, .isSymbolicLinkKey]
    // What cannot be listed has none.
    let all =
      (try? FileManager.default.contentsOfDirectory(at: parent, includingPropertiesForKeys: Array(keys), options: .skipsHiddenFiles)) ?? []
    return all.filter { url in
      guard url.lastPathComponent != "__pycache__", let facts = try? url.resourceValues(forKeys: keys) else { return false }
      return facts.isDirectory == true || (isTop && facts.isSymbolicLink == true)
    }
  }
}
