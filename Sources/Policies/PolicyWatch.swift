internal import Folders
internal import Foundation
package import Logging
internal import RunnerHub

/// Watches the policies folder, and has the keeper look at it once a change has settled.
///
/// The kernel tells of changes; a slow look beside it finds what it does not tell of (network file systems, a link above the folder). Where it tells
/// nothing at all, the look is each second.
package struct PolicyWatch: Sendable {
  package enum Mode: String, Sendable, CaseIterable {
    /// Events of the kernel, and looks where it gives none.
    case auto
    /// Looks only.
    case poll
    /// A bundle is taken at the start and by `runnerhub policy reload` only.
    case off
  }

  /// Seconds.
  package struct Pace: Sendable {
    /// Between two looks where no events come, and where they do.
    var poll = 1.0
    var look = 10.0
    /// For which nothing may change before a bundle is read: files come one after the other.
    var stillness = 0.1
    package init() {}
    init(poll: Double, look: Double, stillness: Double) { (self.poll, self.look, self.stillness) = (poll, look, stillness) }
  }

  private let path: String
  private let mode: Mode
  private let keeper: PolicyKeeper
  private let pace: Pace
  private let logger: Logger
  /// Looks after which a folder that never keeps still is read all the same.
  private static let patience = 20

  package init(folder path: String, mode: Mode, keeper: PolicyKeeper, pace: Pace = Pace(), logger: Logger) {
    // A link as the last part is to be watched itself.
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    self.mode = mode
    self.keeper = keeper
    self.pace = pace
    self.logger = logger
  }

  /// Watches until cancelled.
  package func run() async throws {
    let wakeUp = WakeUp()
    var events = mode == .auto ? openEvents { wakeUp.notify() } : nil
    // nil: look now. The folder may have changed between the start and the first event.
    var known: FolderPrint?
    while !Task.isCancelled {
      if mode == .off {
        await wakeUp.wait()
        continue
      }
      if let open = events, !isWatching(open) { events = nil }
      let seen = FolderPrint(path)
      if seen != known { known = await look(at: seen) }
      let seconds = events == nil || known == nil ? pace.poll : pace.look
      await wakeUp.wait(until: Date().addingTimeInterval(seconds))
    }
  }

  /// Returns what the keeper has seen; nil: it could not, and is to look again.
  private func look(at seen: FolderPrint) async -> FolderPrint? {
    do {
      let settled = try await settled(from: seen)
      _ = try await keeper.lookAgain()
      return settled
    } catch is CancellationError {
      return nil
    } catch {
      logger.error("the policies folder could not be looked at; it is tried again", metadata: ["folder": "\(path)", "error": "\(error)"])
      return nil
    }
  }

  private func settled(from first: FolderPrint) async throws -> FolderPrint {
    var last = first
    for _ in 0..<Self.patience {
      try await Task.sleep(for: .seconds(pace.stillness))
      let next = FolderPrint(path)
      if next == last { break }
      last = next
    }
    return last
  }

  #if canImport(Glibc)
    private func openEvents(_ happened: @escaping @Sendable () -> Void) -> FolderEvents? {
      do {
        return try FolderEvents(happened)
      } catch {
        logger.notice("the policies folder is looked at each second", metadata: ["folder": "\(path)", "reason": "\(error)"])
        return nil
      }
    }

    /// Follows links anew, since they may lead elsewhere now.
    private func isWatching(_ events: FolderEvents) -> Bool {
      let url = URL(filePath: path)
      // In the folder above only the link or folder itself counts: it may be swapped, or made later.
      var folders: [String: Set<String>] = [url.deletingLastPathComponent().path(percentEncoded: false): [url.lastPathComponent]]
      for part in PolicyBundle.watchedFolders.map(\.path) { folders[part.isEmpty ? path : path + "/" + part.prefix { $0 != "/" }] = [] }
      do {
        try events.watch(folders)
        return true
      } catch {
        logger.notice("the policies folder is looked at each second", metadata: ["folder": "\(path)", "reason": "\(error)"])
        return false
      }
    }
  #else
    private func openEvents(_ happened: @escaping @Sendable () -> Void) -> Never? { nil }
    private func isWatching(_ events: Never) -> Bool {}
  #endif
}
