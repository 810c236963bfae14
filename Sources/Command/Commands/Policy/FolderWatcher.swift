import Foundation
import UnixSignals

/// Does something again at each change of a folder, until Ctrl-C.
enum FolderWatcher {
  /// - Parameter body: is given what it returned last.
  static func watch<State: Sendable>(_ folder: String, after first: State, _ body: @escaping @Sendable (State) throws -> State) async throws
  {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in signals { return }
      }
      group.addTask {
        var state = first
        var seen = fingerprint(of: folder)
        while !Task.isCancelled {
          do {
            try await Task.sleep(for: .milliseconds(200))
          } catch is CancellationError {
            return
          }
          let now = fingerprint(of: folder)
          if now == seen { continue }
          seen = now
          state = try body(state)
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  /// Paths, sizes and times of the files below a folder.
  static func fingerprint(of folder: String) -> [String] {
    guard let files = FileManager.default.enumerator(at: URL(filePath: folder), includingPropertiesForKeys: nil) else { return [] }
    return files.compactMap { entry in
      guard let url = entry as? URL, ["lua", "yaml", "json"].contains(url.pathExtension) else { return nil }
      // One that went away meanwhile is seen at the next look.
      let facts = (try? FileManager.default.attributesOfItem(atPath: url.path(percentEncoded: false))) ?? [:]
      let time = (facts[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return "\(url.path(percentEncoded: false)) \(time) \(facts[.size] ?? 0) \(facts[.systemFileNumber] ?? 0)"
    }.sorted()
  }
}
