package import Domain
import Foundation
package import Logging

/// A part of the fleet that an operator can close to new jobs.
package enum FleetPlace: Hashable, Sendable {
  /// An engine host, by its name in the roster: `docker`, `docker://build-2`.
  case host(String)
  case pool(String)
  case container(ContainerID)
}

extension FleetPlace: CustomStringConvertible {
  package var description: String {
    switch self {
    case .host(let name): "host \(name)"
    case .pool(let name): "pool \(name)"
    case .container(let id): "container \(id)"
    }
  }
}

/// What an operator wants of a part of the fleet.
package enum FleetWish: String, Hashable, Sendable, Codable, CaseIterable {
  /// No new jobs and no new containers; what is there stays.
  case cordon
  /// As before.
  case uncordon
  /// No new jobs; idle containers end now, others after their job.
  case drain
}

/// Why an operator's wish cannot be fulfilled.
package enum FleetWishError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text names the nearest thing there is.
  case unknown(String)
  /// It does not apply to the state of the thing.
  case unfit(String)
  case unavailable(String)

  package var description: String {
    switch self {
    case .unknown(let text), .unfit(let text), .unavailable(let text): text
    }
  }
}

/// Fulfils an operator's wishes for pools, hosts and containers: who asked for what is a committed row before anything happens.
package struct FleetDesk: Sendable {
  let transactor: Transactor
  let engines: EngineRoster
  let settings: Settings
  let images: ImageKeeper
  private let logger: Logger
  var pools: [Pool] { settings.pools }

  package init(transactor: Transactor, engines: EngineRoster, settings: Settings, images: ImageKeeper, logger: Logger) {
    self.transactor = transactor
    self.engines = engines
    self.settings = settings
    self.images = images
    self.logger = logger
  }

  /// Closes a part of the fleet, or opens it again. Doing it twice finds it done.
  /// - Parameter actor: who asks, for the audit.
  package func fulfil(_ wish: FleetWish, of place: FleetPlace, actor: String) async throws(FleetWishError) {
    switch place {
    case .host(let name):
      try check(name, among: engines.engines.keys.sorted(), "host")
      try await mark(wish, place, actor) { $0.cordons.hosts[name] = wish.mode }
    case .pool(let name):
      try check(name, among: pools.map(\.name), "pool")
      try await mark(wish, place, actor) { $0.cordons.pools[name] = wish.mode }
    case .container(let id): try await steer(id, wish, actor)
    }
    transactor.signals.planning.notify()
  }

  /// Ends a container at once, with whatever runs in it. Its job fails at GitHub when GitHub misses its runner; the cause stands in its story.
  /// - Parameter force: also one that has a job.
  package func end(_ id: ContainerID, force: Bool, actor: String) async throws(FleetWishError) {
    let cause = "ended by \(actor)"
    let row = try await stored { () async throws(StoreError) -> Container? in
      try await transactor.transact(.fleetSteered) { (unit) throws(StoreError) -> Container? in
        guard var container = try await unit.container(id), container.state.isLive else { return nil }
        if let assignment = container.assignment {
          guard force else { return container }
          try await unit.note("container \(container.name) was \(cause)", on: assignment)
        } else {
          container.release(.terminate, cause: cause, at: unit.now)
          unit.put(container)
        }
        unit.additions.audit.append(AuditEvent(at: unit.now, actor: actor, action: "container-kill", detail: id.rawValue))
        return container
      }
    }
    guard let row else { throw await unknown(id) }
    if row.assignment != nil {
      guard force else {
        throw .unfit(
          "container \(row.name) has a job (assignment \(row.assignment?.rawValue ?? "")): drain it, or end it with its job by --force")
      }
      do {
        // The rest is what follows whenever a container is lost with its job: the health check finds it gone and asks the forge.
        try await engines.engine(of: row).remove(id)
      } catch {
        throw .unavailable("container \(row.name) is not ended yet: \(error)")
      }
      logger.notice("a container was ended with its job", metadata: ["container": "\(id)", "by": "\(actor)"])
    }
    transactor.signals.assignments.notify()
  }

  /// Sets bounds of a pool in place of the configured ones, until it is done again; an empty size gives the configured ones back.
  package func resize(_ name: String, to size: PoolSize, actor: String) async throws(FleetWishError) {
    try check(name, among: pools.map(\.name), "pool")
    for number in [size.minimum, size.maximum, size.warm].compactMap({ $0 }) where !(0...100_000).contains(number) {
      throw .unfit("\(number) is no number of containers: expected 0 to 100000")
    }
    let asked = try await stored { () async throws(StoreError) in try await transactor.store.fleetMarks() }
    var after = asked
    let merged = size == PoolSize() ? nil : (asked.sizes[name] ?? PoolSize()).merging(size)
    after.sizes[name] = merged
    guard let pool = after.applied(to: pools).first(where: { $0.name == name }), pool.minimum <= pool.maximum else {
      throw .unfit("pool \(name) would have a minimum above its maximum: give both")
    }
    try await mark(action: "pool-scale", "\(name): \(pool.minimum) to \(pool.maximum), \(pool.warm) warm", actor) {
      $0.sizes[name] = merged
    }
    transactor.signals.planning.notify()
  }

  /// Has a pool's image fetched anew, and then all its containers replaced, each as soon as no job needs it and another is there.
  package func renew(_ name: String, actor: String) async throws(FleetWishError) {
    try check(name, among: pools.map(\.name), "pool")
    let now = transactor.currentTime
    try await mark(action: "pool-refresh", name, actor) { $0.renewing[name] = now }
    transactor.signals.images.notify()
  }

  // MARK: Parts

  private func mark(
    _ wish: FleetWish, _ place: FleetPlace, _ actor: String, _ change: @escaping @Sendable (inout FleetMarks) -> Void
  ) async throws(FleetWishError) {
    try await mark(action: "fleet-\(wish.rawValue)", "\(place)", actor, change)
  }

  private func mark(
    action: String, _ detail: String, _ actor: String, _ change: @escaping @Sendable (inout FleetMarks) -> Void
  ) async throws(FleetWishError) {
    try await stored { () async throws(StoreError) in
      try await transactor.transact(.fleetSteered) { (unit) throws(StoreError) in
        var marks = try await transactor.store.fleetMarks()
        change(&marks)
        unit.additions.fleetMarks = marks
        unit.additions.audit.append(AuditEvent(at: unit.now, actor: actor, action: action, detail: detail))
      }
    }
  }

  private func steer(_ id: ContainerID, _ wish: FleetWish, _ actor: String) async throws(FleetWishError) {
    let isFound = try await stored { () async throws(StoreError) -> Bool in
      try await transactor.transact(.fleetSteered) { (unit) throws(StoreError) -> Bool in
        guard var container = try await unit.container(id), container.state.isLive else { return false }
        switch wish {
        case .cordon: container.cordonedAt = container.cordonedAt ?? unit.now
        case .uncordon: container.cordonedAt = nil
        case .drain:
          if container.assignment == nil {
            container.release(.terminate, cause: "drained by \(actor)", at: unit.now)
          } else if let state = container.state.next(on: .drain) {
            container.state = state
            container.endReason = "drained by \(actor)"
          }
        }
        unit.put(container)
        unit.additions.audit.append(AuditEvent(at: unit.now, actor: actor, action: "container-\(wish.rawValue)", detail: id.rawValue))
        return true
      }
    }
    guard isFound else { throw await unknown(id) }
    transactor.signals.assignments.notify()
  }

  private func stored<Result: Sendable>(_ work: () async throws(StoreError) -> Result) async throws(FleetWishError) -> Result {
    do {
      return try await work()
    } catch {
      throw .unavailable("nothing is changed, since the store does not answer: \(error)")
    }
  }

  private func check(_ name: String, among known: [String], _ what: String) throws(FleetWishError) {
    if known.contains(name) { return }
    let near = Suggestion.nearest(to: name, among: known).map { " – did you mean \($0)?" } ?? ""
    throw .unknown("there is no \(what) \(name)\(near) (known: \(known.joined(separator: ", ")))")
  }

  private func unknown(_ id: ContainerID) async -> FleetWishError {
    do {
      let live = try await transactor.store.liveContainers().map(\.id.rawValue)
      let near = Suggestion.nearest(to: id.rawValue, among: live).map { " – did you mean \($0)?" } ?? ""
      return .unknown("there is no live container \(id)\(near)")
    } catch {
      return .unavailable("the store does not answer: \(error)")
    }
  }
}

extension FleetWish {
  fileprivate var mode: Cordons.Mode? {
    switch self {
    case .cordon: .cordoned
    case .uncordon: nil
    case .drain: .draining
    }
  }
}

extension PoolSize {
  fileprivate func merging(_ other: PoolSize) -> PoolSize {
    PoolSize(minimum: other.minimum ?? minimum, maximum: other.maximum ?? maximum, warm: other.warm ?? warm)
  }
}
