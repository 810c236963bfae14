import Domain
package import RunnerHub

/// An operator's wishes for pools, hosts and containers. Names of hosts hold slashes, so that they stand in the body.
package enum FleetRoutes {
  /// `{"pool": "linux"}`, `{"host": "docker://build-2"}` or `{"container": "rh-linux-…"}`.
  package struct Wish: Codable, Sendable {
    package var pool: String?
    package var host: String?
    package var container: String?
    /// Of `kill` only: also a container that has a job.
    package var force: Bool?

    package init(pool: String? = nil, host: String? = nil, container: String? = nil, force: Bool? = nil) {
      self.pool = pool
      self.host = host
      self.container = container
      self.force = force
    }

    fileprivate func place() throws -> FleetPlace {
      switch (pool, host, container) {
      case (let pool?, nil, nil): .pool(pool)
      case (nil, let host?, nil): .host(host)
      case (nil, nil, let container?): .container(ContainerID(rawValue: container))
      default: throw APIRefusal(.badRequest, "name one of 'pool', 'host' and 'container'")
      }
    }
  }

  /// Bounds of a pool in place of the configured ones; none at all gives the configured ones back.
  package struct Scale: Codable, Sendable {
    package var pool: String
    package var minimum: Int?
    package var maximum: Int?
    package var warm: Int?

    package init(pool: String, minimum: Int? = nil, maximum: Int? = nil, warm: Int? = nil) {
      self.pool = pool
      self.minimum = minimum
      self.maximum = maximum
      self.warm = warm
    }
  }

  /// What was done.
  package struct Answer: Codable, Sendable {
    package var done: String
  }

  package static func routes(desk: FleetDesk) -> [APIRoute] {
    FleetWish.allCases.map { wish in
      .post("/api/v1/fleet/\(wish.rawValue)") { (body: Wish, _) in
        let place = try body.place()
        return try await asked { () async throws(FleetWishError) in
          try await desk.fulfil(wish, of: place, actor: "api")
          return Answer(done: "\(wish.rawValue) \(place)")
        }
      }
    } + [
      .post("/api/v1/fleet/kill") { (body: Wish, _) in
        guard case .container(let id) = try body.place() else { throw APIRefusal(.badRequest, "only a 'container' can be ended") }
        return try await asked { () async throws(FleetWishError) in
          try await desk.end(id, force: body.force ?? false, actor: "api")
          return Answer(done: "kill \(id)")
        }
      },
      .post("/api/v1/fleet/scale") { (body: Scale, _) in
        try await asked { () async throws(FleetWishError) in
          try await desk.resize(body.pool, to: PoolSize(minimum: body.minimum, maximum: body.maximum, warm: body.warm), actor: "api")
          return Answer(done: "scale pool \(body.pool)")
        }
      },
      .post("/api/v1/fleet/refresh") { (body: Wish, _) in
        guard case .pool(let name) = try body.place() else { throw APIRefusal(.badRequest, "only a 'pool' can be refreshed") }
        return try await asked { () async throws(FleetWishError) in
          try await desk.renew(name, actor: "api")
          return Answer(done: "refresh pool \(name)")
        }
      },
      .get("/api/v1/fleet/hosts") { _ in try await desk.hosts() },
      .get("/api/v1/fleet/pools") { _ in try await desk.poolPictures() },
    ]
  }

  private static func asked(_ work: () async throws(FleetWishError) -> Answer) async throws -> Answer {
    do {
      return try await work()
    } catch .unknown(let why) {
      throw APIRefusal(.notFound, why)
    } catch .unfit(let why) {
      throw APIRefusal(.conflict, why)
    } catch .unavailable(let why) {
      throw APIRefusal(.unavailable, why)
    }
  }
}
