import Foundation
import Policies
import UnixSignals

/// Does something again at each change of a policies folder, until Ctrl-C.
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
        var seen = FolderPrint(folder)
        while !Task.isCancelled {
          do {
            try await Task.sleep(for: .milliseconds(200))
          } catch is CancellationError {
            return
          }
          let now = FolderPrint(folder)
          if now == seen { continue }
          seen = now
          state = try body(state)
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }
}
