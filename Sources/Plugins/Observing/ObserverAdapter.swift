import Foundation
package import Logging
package import RunnerHub
import Synchronization

/// Plugins of kind `observer`: each is told the events whose kinds it was granted, in batches, one at a time.
///
/// A plugin keeps its place while it restarts; what it was not told when it is removed, or when RunnerHub ends, is not told later.
package final class ObserverAdapter: PluginAdapter {
  private struct State {
    var observers: [String: PluginObserver] = [:]
    /// Whose loop is not begun yet.
    var newcomers: [PluginObserver] = []
  }
  private let feed: EventFeed
  private let logger: Logger
  private let state = Mutex(State())
  private let arrivals = WakeUp()

  package init(feed: EventFeed, logger: Logger) {
    self.feed = feed
    self.logger = logger
  }

  package var kind: PluginKind { .observer }

  package func service(for plugin: PluginManifest) -> any PluginService { NoPluginRequests() }

  package func started(_ plugin: RunningPlugin) async {
    let kinds = Set(plugin.abilities.compactMap { if case .events(let kind) = $0 { kind } else { nil } })
    let former: PluginObserver? = state.withLock { state in
      if let known = state.observers[plugin.manifest.name], known.kinds == kinds {
        known.retry()
        return nil
      }
      let observer = PluginObserver(connection: plugin.connection, kinds: kinds, feed: feed, logger: logger)
      state.newcomers.append(observer)
      return state.observers.updateValue(observer, forKey: plugin.manifest.name)
    }
    former?.leave()
    arrivals.notify()
  }

  /// What happens meanwhile waits for it.
  package func interrupted(_ name: String, reason: String) async {}

  package func removed(_ name: String) async { state.withLock { $0.observers.removeValue(forKey: name) }?.leave() }

  /// Tells the observers until cancelled.
  package func run() async throws {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        let newcomers = state.withLock { state in
          defer { state.newcomers = [] }
          return state.newcomers
        }
        for observer in newcomers { group.addTask { await observer.run() } }
        await arrivals.wait()
      }
      group.cancelAll()
    }
  }
}
