package import Foundation

/// What an operator has said of the fleet beyond the configuration. It outlives the process.
package struct FleetMarks: Hashable, Sendable, Codable {
  /// What is closed to new jobs.
  package var cordons: Cordons
  /// Sizes in place of the configured ones, by pool.
  package var sizes: [String: PoolSize]
  /// Since when a pool's containers are as they should be; what was made before is replaced as soon as no job needs it.
  package var renewed: [String: Date]

  /// Pools whose image is to be fetched anew before that, and when it was asked for.
  package var renewing: [String: Date]

  package init(
    cordons: Cordons = Cordons(), sizes: [String: PoolSize] = [:], renewed: [String: Date] = [:], renewing: [String: Date] = [:]
  ) {
    self.cordons = cordons
    self.sizes = sizes
    self.renewed = renewed
    self.renewing = renewing
  }

  /// Pools as they are to be from now on.
  package func applied(to pools: [Pool]) -> [Pool] {
    if sizes.isEmpty { return pools }
    return pools.map { pool in
      guard let size = sizes[pool.name] else { return pool }
      var pool = pool
      pool.minimum = size.minimum ?? pool.minimum
      pool.maximum = size.maximum ?? pool.maximum
      pool.warm = size.warm ?? pool.warm
      return pool
    }
  }
}

/// Bounds of a pool that an operator has set while RunnerHub runs; nil: as configured.
package struct PoolSize: Hashable, Sendable, Codable {
  package var minimum: Int?
  package var maximum: Int?
  package var warm: Int?

  package init(minimum: Int? = nil, maximum: Int? = nil, warm: Int? = nil) {
    self.minimum = minimum
    self.maximum = maximum
    self.warm = warm
  }
}
