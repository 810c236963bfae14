internal import Domain
internal import Foundation
internal import RunnerHub

/// What a cloud says of the machines of an installation, asked rarely: each question is a process and some calls of an API that throttles.
actor CloudView {
  private struct Listing {
    var at: ContinuousClock.Instant
    var instances: [String: ProviderInstance]
  }

  private let provider: GarmProvider
  private let interval: Duration
  private let turns = Turnstile<String>()
  private var listings: [String: Listing] = [:]
  /// Later than the pool's listing: what was asked of one machine, nil where it is gone.
  private var singles: [ContainerID: (at: ContinuousClock.Instant, instance: ProviderInstance?)] = [:]
  /// Creations that failed in a row, and deletions: not to be tried again before a time.
  private var faults: [String: (count: Int, notBefore: ContinuousClock.Instant, cause: String)] = [:]

  init(provider: GarmProvider, interval: Duration) {
    self.provider = provider
    self.interval = interval
  }

  /// All machines that carry the pool's tag, by name, as of the last interval.
  nonisolated func listing(of pool: GarmPool) async throws(EngineError) -> [String: ProviderInstance] {
    try await turns.pass(pool.id) { () async throws(EngineError) in
      if let known = await fresh(pool.id) { return known }
      let asked = ContinuousClock.now
      do throws(GarmFailure) {
        let instances = try await provider.list(pool)
        return await note(instances, of: pool.id, at: asked)
      } catch {
        throw .unavailable("the machines of pool \(pool.name) cannot be listed: \(error)")
      }
    }
  }

  /// One machine; nil where the cloud has none of that name or id.
  nonisolated func instance(_ machine: GarmMachine) async throws(EngineError) -> ProviderInstance? {
    let id = machine.id
    if let single = await freshSingle(id) { return single.instance }
    if let known = await fresh(machine.pool.id)?[id.rawValue] { return known }
    let found: ProviderInstance?
    do throws(GarmFailure) {
      found = try await provider.get(machine.reference, in: machine.pool)
    } catch .notFound {
      found = nil
    } catch {
      throw .unavailable("machine \(id): \(error)")
    }
    await note(found, of: id)
    return found
  }

  /// After what changes something there.
  func forget(_ id: ContainerID, in pool: GarmPool) {
    singles[id] = nil
    listings[pool.id]?.instances[id.rawValue] = nil
  }

  func noteCreated(_ instance: ProviderInstance, _ id: ContainerID) { singles[id] = (.now, instance) }

  /// A machine that no record knows, by its name.
  nonisolated func stranger(_ id: ContainerID, in pools: [GarmPool]) async throws(EngineError) -> (ProviderInstance, GarmPool)? {
    for pool in pools {
      if let instance = try await listing(of: pool)[id.rawValue] { return (instance, pool) }
    }
    return nil
  }

  // MARK: - Patience

  /// - Throws: `unavailable` while what failed before is not to be tried again.
  func mayTry(_ what: String) throws(EngineError) {
    guard let fault = faults[what], fault.notBefore > .now else { return }
    let seconds = Int((fault.notBefore - .now) / .seconds(1)) + 1
    throw .unavailable("\(what) has failed \(fault.count) times and is tried again in \(seconds) s: \(fault.cause)")
  }

  /// 0 s after the first failure, then 2 s, 4 s … 5 min.
  func failed(_ what: String, _ cause: String, base: Duration = .seconds(2)) {
    let count = (faults[what]?.count ?? 0) + 1
    let wait = count < 2 ? .zero : min(base * (1 << min(count - 2, 16)), .seconds(300))
    if faults.count > 10_000 { faults = faults.filter { $0.value.notBefore > .now } }
    faults[what] = (count, .now + wait, cause)
  }

  func succeeded(_ what: String) { faults[what] = nil }

  // MARK: - Parts

  private func fresh(_ pool: String) -> [String: ProviderInstance]? {
    guard let listing = listings[pool], .now - listing.at < interval else { return nil }
    return listing.instances
  }

  private func freshSingle(_ id: ContainerID) -> (at: ContinuousClock.Instant, instance: ProviderInstance?)? {
    guard let single = singles[id], .now - single.at < interval else {
      singles[id] = nil
      return nil
    }
    return single
  }

  private func note(_ instances: [ProviderInstance], of pool: String, at asked: ContinuousClock.Instant) -> [String: ProviderInstance] {
    let byName = Dictionary(instances.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    listings[pool] = Listing(at: asked, instances: byName)
    singles = singles.filter { $0.value.at > asked }
    return byName
  }

  private func note(_ instance: ProviderInstance?, of id: ContainerID) { singles[id] = (.now, instance) }
}
