internal import Metrics
internal import Synchronization

/// The connection to a plugin whatever process of it runs: it outlives restarts and upgrades, and says `notRunning` in between.
package final class SteadyConnection: PluginConnection {
  private struct State {
    var current: ProcessConnection?
    var reason = "it has not been started"
    var calls = 0
    var errors = 0
  }

  package let name: String
  private let state = Mutex(State())
  private let calls: Counter
  private let errors: Counter
  private let seconds: Metrics.Timer

  package init(name: String) {
    self.name = name
    calls = Counter(label: "runnerhub_plugin_calls_total", dimensions: [("plugin", name)])
    errors = Counter(label: "runnerhub_plugin_call_errors_total", dimensions: [("plugin", name)])
    seconds = Metrics.Timer(label: "runnerhub_plugin_call_seconds", dimensions: [("plugin", name)])
  }

  /// How many calls were made, and how many of them failed, since the start of RunnerHub.
  var counts: (calls: Int, errors: Int) { state.withLock { ($0.calls, $0.errors) } }

  func lead(to connection: ProcessConnection) { state.withLock { $0.current = connection } }

  /// - Parameter reason: what callers are told.
  func interrupt(_ reason: String) {
    state.withLock { state in
      state.current = nil
      state.reason = reason
    }
  }

  package func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration?, progress: (@Sendable (PluginProgress) -> Void)?
  ) async throws(PluginError) -> Result {
    let (current, reason) = state.withLock { state in
      state.calls += 1
      return (state.current, state.reason)
    }
    calls.increment()
    let begin = ContinuousClock.now
    do throws(PluginError) {
      guard let current else { throw .notRunning(reason) }
      let result: Result = try await current.call(method, parameters, limit: limit, progress: progress)
      seconds.recordNanoseconds(Int64((ContinuousClock.now - begin) / .nanoseconds(1)))
      return result
    } catch {
      // Who takes back a call has got what was wanted.
      if case .refused(.cancelled, _) = error { throw error }
      state.withLock { $0.errors += 1 }
      errors.increment()
      throw error
    }
  }
}
