package import Domain

/// What the engines' hosts have left beside the containers that live there. Pure.
///
/// Sizes of pools are bound by it as jobs' places are: else a warm container would be made again on a full host as soon as the planner had
/// one ended for a job, which then never got the room.
package struct HostRoom: Sendable {
  private var free: [String: Resources]

  /// - Parameter hosts: what each engine that answers gives to containers in all.
  package init(hosts: [String: Resources], containers: [Container]) {
    free = hosts
    for index in containers.indices where containers[index].state.isLive {
      let engine = containers[index].engine
      if let left = free[engine] { free[engine] = left.subtracting(containers[index].resources) }
    }
  }

  /// Further containers of a pool that fit; `Int.max` where nothing is known of its host.
  package func places(for pool: Pool) -> Int {
    guard let left = free[pool.engine] else { return .max }
    let need = pool.resources
    return min(
      Self.times(need.milliCPUs, in: left.milliCPUs), Self.times(need.memory.bytes, in: left.memory.bytes),
      Self.times(need.disk.bytes, in: left.disk.bytes), Self.times(need.gpus, in: left.gpus))
  }

  package mutating func take(_ count: Int, of pool: Pool) {
    guard count > 0, var left = free[pool.engine] else { return }
    for _ in 0..<count { left = left.subtracting(pool.resources) }
    free[pool.engine] = left
  }

  private static func times<Number: BinaryInteger>(_ need: Number, in left: Number) -> Int {
    need > 0 ? Int(clamping: max(0, left) / need) : .max
  }
}
