package import Domain
package import Foundation

/// What a pool's size is to become.
package struct ScalePlan: Hashable, Sendable {
  /// Containers to make.
  package var create: Int
  /// Idle containers to end, the oldest idle first, and unhealthy ones that no job holds.
  package var retire: [ContainerID]
  package var reason: String
  /// For the next plan of the same pool.
  package var history: ScaleHistory

  package var isEmpty: Bool { create == 0 && retire.isEmpty }
}

/// When a pool last changed its size for load. Losing it only lets the pool shrink a little earlier.
package struct ScaleHistory: Hashable, Sendable, Codable {
  package var lastGrowth: Date?
  package var lastShrink: Date?
  package init(lastGrowth: Date? = nil, lastShrink: Date? = nil) {
    self.lastGrowth = lastGrowth
    self.lastShrink = lastShrink
  }
}

/// Turns what policy wants of a pool into containers to make and to end, within all bounds. Pure.
package struct Autoscaler: Hashable, Sendable, Codable {
  /// Seconds after a growth or a shrink in which the pool does not shrink.
  package var shrinkCooldown: Double
  /// Seconds that an unhealthy container gets to recover before it is ended.
  package var recoveryTime: Double

  package init(shrinkCooldown: Double = 60, recoveryTime: Double = 60) {
    self.shrinkCooldown = max(0, shrinkCooldown)
    self.recoveryTime = max(0, recoveryTime)
  }

  /// Plans one pool.
  /// - Parameters:
  ///   - containers: all live ones of the pool.
  ///   - wanted: how many containers policy wants in all; nil: as many as minimum and warm target ask for.
  ///   - room: how many more containers all pools together may have.
  ///   - because: policy's reason.
  package func plan(
    _ pool: Pool, containers: [Container], wanted: Int?, because: String, room: Int, history: ScaleHistory, now: Date
  ) -> ScalePlan {
    let live = containers.filter(\.state.isLive)
    let worn = live.filter { isWornOut($0, pool, now) }
    let unhealthy = live.filter { $0.state == .unhealthy && $0.assignment == nil && hasHadItsTime($0, now) }
    let wornIDs = Set(worn.map(\.id))
    let useful = live.filter { $0.state.isUseful && !wornIDs.contains($0.id) }
    let held = useful.count { $0.assignment != nil || $0.state == .assigned || $0.state == .busy }
    let maximum = max(0, pool.maximum)
    let floor = min(max(pool.minimum, held + pool.warm), maximum)
    let target = min(max(wanted ?? floor, floor), maximum)

    var plan = ScalePlan(create: 0, retire: (unhealthy + worn).map(\.id), reason: "\(useful.count) as wanted", history: history)
    if target > useful.count {
      plan.create = max(0, min(target - useful.count, maximum - live.count, room))
      plan.reason = reason("\(useful.count) → \(target)", wanted: wanted, floor: floor, target: target, because: because)
      if plan.create < target - useful.count { plan.reason += " (room for \(plan.create) now)" }
      if plan.create > 0 { plan.history.lastGrowth = now }
    } else if target < useful.count {
      let idle = useful.filter { $0.state == .ready && $0.assignment == nil }
        .sorted { ($0.idleStart, $0.id) < ($1.idleStart, $1.id) }
      let surplus = idle.prefix(useful.count - target)
      if let until = cooldownEnd(history), until > now {
        plan.reason = "\(useful.count), \(surplus.count) more than wanted: no change before \(until.formatted(.iso8601))"
      } else if !surplus.isEmpty {
        plan.retire += surplus.map(\.id)
        plan.reason = reason(
          "\(useful.count) → \(useful.count - surplus.count)", wanted: wanted, floor: floor, target: target, because: because)
        plan.history.lastShrink = now
      }
    }
    return plan
  }

  private func reason(_ change: String, wanted: Int?, floor: Int, target: Int, because: String) -> String {
    guard let wanted, wanted >= floor else { return "\(change): minimum and warm target" }
    return "\(change): \(because)" + (wanted > target ? " (wanted \(wanted), maximum \(target))" : "")
  }

  private func cooldownEnd(_ history: ScaleHistory) -> Date? {
    [history.lastGrowth, history.lastShrink].compactMap { $0 }.max()?.addingTimeInterval(shrinkCooldown)
  }

  private func hasHadItsTime(_ container: Container, _ now: Date) -> Bool {
    now.timeIntervalSince(container.lastHeartbeat ?? container.readyAt ?? container.createdAt) >= recoveryTime
  }

  /// An idle container that no further job may use.
  private func isWornOut(_ container: Container, _ pool: Pool, _ now: Date) -> Bool {
    guard container.state == .ready, container.assignment == nil, container.uses > 0 else { return false }
    return container.isTainted || !pool.reuse.isAllowed || container.uses >= pool.reuse.maximumUses
      || now.timeIntervalSince(container.createdAt) > pool.reuse.maximumAgeSeconds
  }
}

extension Container {
  fileprivate var idleStart: Date { idleSince ?? readyAt ?? createdAt }
}
