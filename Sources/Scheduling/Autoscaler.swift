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
  ///   - containers: all live ones of the pool; those of other pools are passed over.
  ///   - wanted: how many containers policy wants in all; nil: as many as minimum and warm target ask for.
  ///   - room: how many more containers all pools together may have.
  ///   - because: policy's reason.
  package func plan(
    _ pool: Pool, containers: [Container], wanted: Int?, because: String, room: Int, history: ScaleHistory, now: Date
  ) -> ScalePlan {
    let fleet = Census(of: pool, among: containers, at: now, recoveryTime: recoveryTime)
    let (useful, held) = (fleet.useful, fleet.held)
    let maximum = max(0, pool.maximum)
    let floor = min(max(pool.minimum, held + pool.warm), maximum)
    let target = min(max(wanted ?? floor, floor), maximum)

    var plan = ScalePlan(create: 0, retire: fleet.unfit, reason: "\(useful) as wanted", history: history)
    if target > useful {
      plan.create = max(0, min(target - useful, maximum - fleet.live, room))
      plan.reason = reason("\(useful) → \(target)", wanted: wanted, floor: floor, target: target, because: because)
      if plan.create < target - useful { plan.reason += " (room for \(plan.create) now)" }
      if plan.create > 0 { plan.history.lastGrowth = now }
    } else if target < useful {
      let idle = fleet.idle.map { containers[$0] }.sorted { ($0.idleStart, $0.id) < ($1.idleStart, $1.id) }
      let surplus = idle.prefix(useful - target)
      if let until = cooldownEnd(history), until > now {
        plan.reason = "\(useful), \(surplus.count) more than wanted: no change before \(until.formatted(.iso8601))"
      } else if !surplus.isEmpty {
        plan.retire += surplus.map(\.id)
        plan.reason = reason(
          "\(useful) → \(useful - surplus.count)", wanted: wanted, floor: floor, target: target, because: because)
        plan.history.lastShrink = now
      }
    }
    return plan
  }

  /// Containers that a pool must get before any pool gets more than its minimum.
  package func shortfall(of pool: Pool, containers: [Container], now: Date) -> Int {
    let least = min(pool.minimum, pool.maximum)
    guard least > 0 else { return 0 }
    let fleet = Census(of: pool, among: containers, at: now, recoveryTime: recoveryTime)
    return max(0, min(least - fleet.useful, pool.maximum - fleet.live))
  }

  private func reason(_ change: String, wanted: Int?, floor: Int, target: Int, because: String) -> String {
    guard let wanted, wanted >= floor else { return "\(change): minimum and warm target" }
    return "\(change): \(because)" + (wanted > target ? " (wanted \(wanted), maximum \(target))" : "")
  }

  private func cooldownEnd(_ history: ScaleHistory) -> Date? {
    [history.lastGrowth, history.lastShrink].compactMap { $0 }.max()?.addingTimeInterval(shrinkCooldown)
  }
}

/// One look at all containers, by index: a row is copied only where it is to be ended, since this is asked after every change.
private struct Census {
  var live = 0
  var useful = 0
  /// Useful ones that hold a job.
  var held = 0
  /// Places of the useful ones that wait for a job.
  var idle: [Int] = []
  /// To be ended whatever policy wants: unhealthy ones that had their time, then those that no further job may use.
  var unfit: [ContainerID] = []

  init(of pool: Pool, among containers: [Container], at now: Date, recoveryTime: Double) {
    var worn: [ContainerID] = []
    for index in containers.indices where containers[index].pool == pool.name && containers[index].state.isLive {
      live += 1
      let state = containers[index].state
      let isFree = containers[index].assignment == nil
      if state == .unhealthy {
        if isFree, now.timeIntervalSince(containers[index].lastSign) >= recoveryTime { unfit.append(containers[index].id) }
      } else if state == .ready, isFree, containers[index].isWornOut(pool.reuse, now) {
        worn.append(containers[index].id)
      } else if state.isUseful {
        useful += 1
        if !isFree || state == .assigned || state == .busy { held += 1 } else if state == .ready { idle.append(index) }
      }
    }
    unfit += worn
  }
}

extension Container {
  fileprivate var idleStart: Date { idleSince ?? readyAt ?? createdAt }
  /// When it was last known to be well.
  fileprivate var lastSign: Date { lastHeartbeat ?? readyAt ?? createdAt }

  /// No further job may use it, idle as it is.
  fileprivate func isWornOut(_ rule: ReuseRule, _ now: Date) -> Bool {
    guard uses > 0 else { return false }
    return isTainted || !rule.isAllowed || uses >= rule.maximumUses || now.timeIntervalSince(createdAt) > rule.maximumAgeSeconds
  }
}
