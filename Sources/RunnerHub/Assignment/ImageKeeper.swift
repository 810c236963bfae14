package import Domain
import Foundation
package import Logging
import Scheduling

/// What an engine host knows of a pool's image.
package enum ImageState: Hashable, Sendable, Codable {
  case present
  /// With what its source last said of it: `120 of 300 MiB`.
  case fetching(String)
  case failed(String)
}

/// Has the images of pools on their hosts before a job needs them, and has them fetched anew where an operator wants a pool renewed: only when
/// all its hosts have the new image are the pool's containers replaced.
package struct ImageKeeper: Sendable {
  /// An image on a host.
  private struct Place: Hashable {
    var host: String
    var image: String
  }

  private let transactor: Transactor
  private let engines: EngineRoster
  private let pools: [Pool]
  private let retry = Retry(maximumTries: .max, base: 5, cap: 300)
  private let logger: Logger
  private let states = Shared([Place: ImageState]())

  package init(transactor: Transactor, engines: EngineRoster, pools: [Pool], logger: Logger) {
    self.transactor = transactor
    self.engines = engines
    self.pools = pools
    self.logger = logger
  }

  /// How far a pool's image has come on each of its hosts; one of which nothing is known yet is missing.
  package func states(of pool: Pool) -> [String: ImageState] {
    states.withLock { states in
      Dictionary(
        pool.hosts.compactMap { host in states[Place(host: host, image: pool.image)].map { (host, $0) } },
        uniquingKeysWith: { first, _ in first })
    }
  }

  /// Works until cancelled.
  package func run() async throws {
    var seen: Set<Place> = []
    let places = pools.flatMap { pool in pool.hosts.map { Place(host: $0, image: pool.image) } }.filter { seen.insert($0).inserted }
    try await withThrowingDiscardingTaskGroup { group in
      // A host may take hours to come back: it holds up no other.
      for place in places { group.addTask { try await keep(place) } }
      while !Task.isCancelled {
        await transactor.signals.images.wait(until: Date().addingTimeInterval(60))
        await renew()
      }
      group.cancelAll()
    }
  }

  /// Tries until the image is there.
  private func keep(_ place: Place) async throws {
    var failures = 0
    while !Task.isCancelled {
      if await fetch(place, anew: false) { return }
      failures += 1
      try await Task.sleep(for: .seconds(retry.delay(afterFailures: failures, random: .random(in: 0..<1))))
    }
  }

  /// Fetches the images of all pools that an operator wants renewed, and marks those whose hosts all have them. The rest is done again.
  func renew() async {
    do {
      let wanted = try await transactor.store.fleetMarks().renewing
      for pool in pools where wanted[pool.name] != nil {
        var isWhole = true
        for host in pool.hosts { isWhole = await fetch(Place(host: host, image: pool.image), anew: true) && isWhole }
        guard isWhole else { continue }
        try await transactor.transact(.fleetSteered) { (unit) throws(StoreError) in
          var marks = try await transactor.store.fleetMarks()
          // Asked for once more meanwhile: there may be a newer image.
          guard marks.renewing[pool.name] == wanted[pool.name] else { return }
          marks.renewing[pool.name] = nil
          marks.renewed[pool.name] = unit.now
          unit.additions.fleetMarks = marks
        }
        transactor.signals.planning.notify()
        logger.notice("a pool has its image anew, and its containers are replaced", metadata: ["pool": "\(pool.name)"])
      }
    } catch {
      logger.error("pools could not be renewed; it is tried again", metadata: ["error": "\(error)"])
    }
  }

  /// - Returns: whether the host has it now.
  private func fetch(_ place: Place, anew: Bool) async -> Bool {
    guard let engine = engines.engines[place.host] else { return false }
    do {
      try await engine.fetch(place.image, anew: anew) { progress in
        states.withLock { $0[place] = .fetching(progress) }
        transactor.signals.pages.notify()
      }
      states.withLock { $0[place] = .present }
      return true
    } catch {
      if Task.isCancelled { return false }
      states.withLock { $0[place] = .failed("\(error)") }
      logger.warning("an image is not there", metadata: ["host": "\(place.host)", "image": "\(place.image)", "error": "\(error)"])
      return false
    }
  }
}
