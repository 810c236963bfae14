package import Domain
package import Foundation

/// An engine host for people: what it has, what is taken of it, and whether it takes more.
package struct HostRow: Codable, Hashable, Sendable {
  package var name: String
  /// nil: it answers.
  package var silentBecause: String?
  /// What its containers may take in all, overcommitment of CPUs included; nil: it does not answer.
  package var capacity: Resources?
  package var taken: Resources
  package var containers: Int
  package var busy: Int
  /// Pools whose containers may be made there.
  package var pools: [String]
  package var closed: Cordons.Mode?
}

/// A pool for people: its template, its bounds, and its live containers by what they do.
package struct PoolPicture: Codable, Hashable, Sendable {
  package var name: String
  package var engine: String
  package var hosts: [String]
  package var image: String
  package var labels: Labels
  package var resources: Resources
  package var minimum: Int
  package var maximum: Int
  package var warm: Int
  package var total: Int
  package var idle: Int
  package var busy: Int
  package var starting: Int
  package var ending: Int
  package var closed: Cordons.Mode?
  /// When an operator had its containers replaced last.
  package var renewedAt: Date?
  /// Containers that are still to be replaced.
  package var outdated: Int
  /// How far its image has come, by host.
  package var images: [String: ImageState]
}

extension FleetDesk {
  /// Seconds that a host gets to say what it has.
  private static let patience: Duration = .seconds(3)

  /// All engine hosts, by name. Each is asked at once.
  package func hosts() async throws(StoreError) -> [HostRow] {
    let containers = try await transactor.store.liveContainers()
    let marks = try await transactor.store.fleetMarks()
    let answers = await capacities()
    return engines.engines.keys.sorted().map { name in
      let own = containers.filter { $0.engine == name }
      var row = HostRow(
        name: name, taken: own.reduce(.nothing) { $0.adding($1.resources) }, containers: own.count,
        busy: own.count { $0.assignment != nil }, pools: pools.filter { $0.hosts.contains(name) }.map(\.name),
        closed: marks.cordons.hosts[name])
      switch answers[name] {
      case .success(let capacity):
        row.capacity = capacity.resources
        row.capacity?.milliCPUs *= settings.cpuOvercommitment
      case .failure(let error): row.silentBecause = "\(error)"
      case nil: row.silentBecause = "it has not answered within \(Self.patience)"
      }
      return row
    }
  }

  /// All pools, as they are configured.
  package func poolPictures() async throws(StoreError) -> [PoolPicture] {
    let containers = try await transactor.store.liveContainers()
    let marks = try await transactor.store.fleetMarks()
    return marks.applied(to: pools).map { pool in
      let own = containers.filter { $0.pool == pool.name }
      return PoolPicture(
        name: pool.name, engine: pool.engine, hosts: pool.hosts, image: pool.image, labels: pool.labels, resources: pool.resources,
        minimum: pool.minimum, maximum: pool.maximum, warm: pool.warm, total: own.count,
        idle: own.count { $0.state == .ready && $0.assignment == nil }, busy: own.count { $0.assignment != nil },
        starting: own.count { $0.state == .creating && $0.assignment == nil },
        ending: own.count { $0.state == .terminating || $0.state == .draining }, closed: marks.cordons.pools[pool.name],
        renewedAt: marks.renewed[pool.name], outdated: own.count { $0.createdAt < marks.renewed[pool.name] ?? .distantPast },
        images: images.states(of: pool))
    }
  }

  private func capacities() async -> [String: Result<HostCapacity, EngineError>] {
    await withTaskGroup(of: (String, Result<HostCapacity, EngineError>)?.self) { group in
      for (name, engine) in engines.engines {
        group.addTask {
          do throws(EngineError) {
            return (name, .success(try await engine.capacity()))
          } catch {
            return (name, .failure(error))
          }
        }
      }
      group.addTask {
        // Cancelled when all have answered.
        try? await Task.sleep(for: Self.patience)
        return nil
      }
      var answers: [String: Result<HostCapacity, EngineError>] = [:]
      while answers.count < engines.engines.count, let next = await group.next(), let next { answers[next.0] = next.1 }
      group.cancelAll()
      return answers
    }
  }
}
