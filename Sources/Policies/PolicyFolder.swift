internal import Domain
package import Foundation
package import Logging
package import RunnerHub
internal import Synchronization

/// The watched policies folder: gives out engines for the last bundle that was found fit, and says why a newer one was refused.
///
/// `run()` looks at the folder every second; a change that has settled is read as a whole, checked and tested, and then becomes active in one
/// step. Engines made before go on with their own bundle, so no decision waits for a reload.
package final class PolicyFolder: PolicySource, Sendable {
  private struct State {
    var bundle: PolicyBundle?
    var status: PolicyStatus
    /// Digest of the bundle that was last refused: it is not tested again until it changes.
    var refusedDigest: String?
  }

  private let path: String
  private let builtIn: BuiltInPolicy
  private let limits: LuaLimits
  private let interval: Duration
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let state: Mutex<State>

  /// Reads the folder at once. One that is missing or broken leaves the built-in rule active, with the refusal in `status`.
  /// - Parameters:
  ///   - interval: time between two looks at the folder.
  ///   - now: the time, for `status.loadedAt`.
  package init(
    path: String, builtIn: BuiltInPolicy = BuiltInPolicy(), limits: LuaLimits = .decision, interval: Duration = .seconds(1),
    logger: Logger = Logger(label: "runnerhub.policies"), now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.path = path
    self.builtIn = builtIn
    self.limits = limits
    self.interval = interval
    self.logger = logger
    self.now = now
    state = Mutex(State(bundle: nil, status: PolicyStatus(bundle: "built-in"), refusedDigest: nil))
    reload()
  }

  package var activeBundle: String { state.withLock { $0.status.bundle } }
  package var status: PolicyStatus { state.withLock { $0.status } }

  package func makeEngine() -> any PolicyEngine {
    let (bundle, refusal) = state.withLock { ($0.bundle, $0.status.refusal) }
    guard let bundle else { return StandInPolicy(builtIn: builtIn, cause: refusal ?? "no bundle is loaded") }
    return LuaPolicyEngine(bundle: bundle, builtIn: builtIn, limits: limits)
  }

  /// Reads the folder, and makes its bundle active if it is fit. Costs what the bundle's tests cost.
  /// - Returns: whether another bundle is active now.
  @discardableResult
  package func reload() -> Bool {
    let bundle: PolicyBundle
    do {
      bundle = try PolicyBundle(folder: path)
    } catch {
      refuse("\(error)", digest: nil)
      return false
    }
    let (active, refused) = state.withLock { ($0.bundle?.digest, $0.refusedDigest) }
    if bundle.digest == refused { return false }
    if bundle.digest == active {
      // The folder is again what it was before a refused change.
      state.withLock {
        $0.status.refusal = nil
        $0.refusedDigest = nil
      }
      return false
    }
    let check = BundleCheck(bundle)
    if let problem = check.summary {
      refuse(problem, digest: bundle.digest)
      return false
    }
    state.withLock {
      $0.bundle = bundle
      $0.refusedDigest = nil
      $0.status = PolicyStatus(bundle: bundle.digest, loadedAt: now(), refusal: nil, reloads: $0.status.reloads + 1)
    }
    logger.info("policies loaded", metadata: ["bundle": "\(bundle.digest)", "tests": "\(check.tests.count)"])
    for file in check.missing { logger.warning("\(file.fileName) is missing: the built-in rule answers", metadata: ["folder": "\(path)"]) }
    return true
  }

  /// Watches the folder until its task is cancelled.
  package func run() async throws {
    var watch = FolderWatch(initial: Self.fingerprint(of: path))
    while !Task.isCancelled {
      do {
        try await Task.sleep(for: interval)
      } catch is CancellationError {
        return
      }
      if watch.shouldReload(Self.fingerprint(of: path)) { reload() }
    }
  }

  private func refuse(_ problem: String, digest: String?) {
    let (isNew, active) = state.withLock { state in
      defer {
        state.status.refusal = problem
        state.refusedDigest = digest
      }
      return (state.status.refusal != problem, state.status.bundle)
    }
    if isNew { logger.error("policies refused; \(active) stays", metadata: ["folder": "\(path)", "problem": "\(problem)"]) }
  }

  /// Names, sizes, times and identities of the Lua files: what changes when one is written, replaced or removed.
  private static func fingerprint(of path: String) -> [String] {
    [path, path + "/lib"].flatMap { folder -> [String] in
      // A folder that cannot be listed looks empty here; reading it then says why.
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.filter { $0.hasSuffix(".lua") }.sorted().map { name in
        let file = URL(filePath: folder + "/" + name).resolvingSymlinksInPath().path(percentEncoded: false)
        let facts = (try? FileManager.default.attributesOfItem(atPath: file)) ?? [:]
        let time = (facts[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return "\(folder)/\(name) \(time) \(facts[.size] ?? 0) \(facts[.systemFileNumber] ?? 0)"
      }
    }
  }
}

/// When to read a folder again: once it differs from what was read, and has been still for one look. Pure.
struct FolderWatch {
  private var read: [String]
  private var last: [String]

  init(initial: [String]) {
    read = initial
    last = initial
  }

  mutating func shouldReload(_ seen: [String]) -> Bool {
    defer { last = seen }
    guard seen != read, seen == last else { return false }
    read = seen
    return true
  }
}

/// The built-in rule where no bundle could be loaded: each verdict says why.
final class StandInPolicy: PolicyEngine {
  private let builtIn: BuiltInPolicy
  private let cause: String

  init(builtIn: BuiltInPolicy, cause: String) {
    self.builtIn = builtIn
    self.cause = cause
  }

  func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> { explained(builtIn.route(job, fleet: fleet)) }
  func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> { explained(builtIn.prioritise(job, fleet: fleet)) }
  func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    explained(builtIn.place(job, candidates: candidates, now: now))
  }
  func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> { explained(builtIn.scale(pool, fleet: fleet)) }

  private func explained<Value>(_ verdict: Verdict<Value>) -> Verdict<Value> {
    var verdict = verdict
    verdict.fallbackCause = cause
    return verdict
  }
}
