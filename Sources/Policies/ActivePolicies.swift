package import RunnerHub
internal import Synchronization

/// The bundle that acts in this process: gives out engines for it. Which one that is, `PolicyKeeper` decides.
package final class ActivePolicies: PolicySource, Sendable {
  private struct State {
    var bundle: PolicyBundle?
    var status = PolicyStatus(bundle: "built-in")
  }

  private let builtIn: BuiltInPolicy
  private let limits: LuaLimits
  private let state = Mutex(State())

  /// - Parameter bundle: acts from the start, where no archive says what does: for tools and benchmarks.
  package init(bundle: PolicyBundle? = nil, builtIn: BuiltInPolicy = BuiltInPolicy(), limits: LuaLimits = .decision) {
    self.builtIn = builtIn
    self.limits = limits
    if let bundle {
      state.withLock {
        $0.bundle = bundle
        $0.status = PolicyStatus(bundle: bundle.digest)
      }
    }
  }

  package var activeBundle: String { state.withLock { $0.status.bundle } }
  package var status: PolicyStatus { state.withLock { $0.status } }

  package func makeEngine() -> any PolicyEngine {
    let (bundle, refusal) = state.withLock { ($0.bundle, $0.status.refusal) }
    guard let bundle else { return StandInPolicy(builtIn: builtIn, cause: refusal ?? "no bundle is loaded") }
    return LuaPolicyEngine(bundle: bundle, builtIn: builtIn, limits: limits)
  }

  /// Puts a bundle into place, in one step. Engines made before go on with their own, so no decision waits.
  /// - Parameter event: that says so in the archive. Of two that come at once the later one holds, as in the archive.
  func put(_ bundle: PolicyBundle, event: PolicyEvent) {
    state.withLock { state in
      if let known = state.status.event, known.id > event.id { return }
      state.bundle = bundle
      state.status = PolicyStatus(
        bundle: bundle.digest, loadedAt: event.at, refusal: nil, reloads: state.status.reloads + 1, event: event)
    }
  }

  /// Says why the folder's newest revision does not act; nil: it does.
  /// - Returns: whether that is news.
  @discardableResult
  func setRefusal(_ refusal: String?) -> Bool {
    state.withLock { state in
      defer { state.status.refusal = refusal }
      return state.status.refusal != refusal
    }
  }
}
