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

  /// Looks once at all live containers, for all that is asked of them in one turn.
  /// - Returns: one census for each of the pools, whose names differ.
  package func censuses(of pools: [Pool], containers: [Container], marks: FleetMarks = FleetMarks(), now: Date) -> [PoolCensus] {
    PoolCensus.all(of: pools, among: containers, marks: marks, at: now, recoveryTime: recoveryTime)
  }

  /// Plans one pool.
  /// - Parameters:
  ///   - census: of the same moment.
  ///   - wanted: how many containers policy wants in all; nil: as many as minimum and warm target ask for.
  ///   - room: how many more containers all pools together may have.
  ///   - because: policy's reason.
  package func plan(
    _ pool: Pool, _ census: PoolCensus, wanted: Int?, because: String, room: Int, history: ScaleHistory, now: Date
  ) -> ScalePlan {
    let (useful, held) = (census.useful, census.held)
    let maximum = max(0, pool.maximum)
    let floor = min(max(pool.minimum, held + pool.warm), maximum)
    let target = min(max(wanted ?? floor, floor), maximum)

    var plan = ScalePlan(create: 0, retire: census.unfit, reason: "\(useful) as wanted", history: history)
    plan.retire += replaced(census, floor: floor, maximum: maximum)
    if target > useful {
      plan.create = max(0, min(target - useful, maximum - census.live, room))
      plan.reason = reason("\(useful) → \(target)", wanted: wanted, floor: floor, target: target, because: because)
      if plan.create < target - useful { plan.reason += " (room for \(plan.create) now)" }
      if plan.create > 0 { plan.history.lastGrowth = now }
    } else if target < useful {
      let surplus = min(census.idle.count, useful - target)
      if let until = cooldownEnd(history), until > now {
        plan.reason = "\(useful), \(surplus) more than wanted: no change before \(until.formatted(.iso8601))"
      } else if surplus > 0 {
        plan.retire += census.idle.sorted { ($0.since, $0.id) < ($1.since, $1.id) }.prefix(surplus).map(\.id)
        plan.reason = reason(
          "\(useful) → \(useful - surplus)", wanted: wanted, floor: floor, target: target, because: because)
        plan.history.lastShrink = now
      }
    }
    return plan
  }

  /// Outdated containers that can go now: those whose successors wait for jobs or have them, and one where the pool is at its maximum and no
  /// successor is being made, so that there is room for one.
  private func replaced(_ census: PoolCensus, floor: Int, maximum: Int) -> [ContainerID] {
    let oldest = census.outdated.sorted { ($0.since, $0.id) < ($1.since, $1.id) }.map(\.id)
    let needed = max(0, floor - census.held - census.idle.count)
    let spare = max(0, oldest.count - needed)
    let isSuccessorDue = census.useful < floor && census.useful == census.held + census.idle.count
    let makesWay = spare == 0 && isSuccessorDue && census.live >= maximum ? 1 : 0
    return Array(oldest.prefix(spare + makesWay))
  }

  /// Containers that a pool must get before any pool gets more than its minimum.
  package func shortfall(of pool: Pool, _ census: PoolCensus) -> Int {
    let least = min(pool.minimum, pool.maximum)
    return max(0, min(least - census.useful, pool.maximum - census.live))
  }

  private func reason(_ change: String, wanted: Int?, floor: Int, target: Int, because: String) -> String {
    guard let wanted, wanted >= floor else { return "\(change): minimum and warm target" }
    return "\(change): \(because)" + (wanted > target ? " (wanted \(wanted), maximum \(target))" : "")
  }

  private func cooldownEnd(_ history: ScaleHistory) -> Date? {
    [history.lastGrowth, history.lastShrink].compactMap { $0 }.max()?.addingTimeInterval(shrinkCooldown)
  }
}

/// The containers of one pool as its size is planned by them.
package struct PoolCensus: Sendable {
  struct Idle: Sendable {
    var id: ContainerID
    var since: Date
  }

  private(set) var live = 0
  private(set) var useful = 0
  /// Useful ones that hold a job.
  private(set) var held = 0
  /// Useful ones that wait for a job.
  private(set) var idle: [Idle] = []
  private var unhealthy: [ContainerID] = []
  private var worn: [ContainerID] = []
  private var drained: [ContainerID] = []
  /// Idle ones that are to be replaced: they take jobs until their successors are there.
  private(set) var outdated: [Idle] = []
  /// To be ended whatever policy wants: unhealthy ones that had their time, then those that no further job may use, then those of places that drain.
  var unfit: [ContainerID] { unhealthy + worn + drained }

  /// By index, and of most rows a few fields only: this is asked after every change.
  static func all(
    of pools: [Pool], among containers: [Container], marks: FleetMarks, at now: Date, recoveryTime: Double
  ) -> [PoolCensus] {
    var all = pools.map { _ in PoolCensus() }
    // Neighbours are mostly of one pool.
    var place: Int?
    for index in containers.indices where containers[index].state.isLive {
      if place.map({ pools[$0].name != containers[index].pool }) ?? true {
        place = pools.firstIndex { $0.name == containers[index].pool }
      }
      guard let place else { continue }
      let isHeld = containers[index].assignment != nil
      switch containers[index].state {
      case .assigned, .busy: all[place].countHeld()
      case .ready, .creating:
        if isHeld {
          all[place].countHeld()
        } else if let mode = containers[index].closing(marks.cordons) {
          all[place].countClosed(containers[index], mode)
        } else if let since = marks.renewed[containers[index].pool], containers[index].createdAt < since {
          all[place].countOutdated(containers[index])
        } else {
          all[place].countFree(containers[index], pools[place].reuse, now)
        }
      case .unhealthy:
        all[place].live += 1
        if !isHeld, now.timeIntervalSince(containers[index].lastSign) >= recoveryTime { all[place].unhealthy.append(containers[index].id) }
      case .draining, .terminating, .gone: all[place].live += 1
      }
    }
    return all
  }

  private mutating func countHeld() {
    live += 1
    useful += 1
    held += 1
  }

  /// No job comes to it, so it is no use to the pool.
  private mutating func countClosed(_ container: Container, _ mode: Cordons.Mode) {
    live += 1
    if mode == .draining, container.state == .ready { drained.append(container.id) }
  }

  /// Not useful, so that its successor is made; it goes when that is there.
  private mutating func countOutdated(_ container: Container) {
    live += 1
    if container.state == .ready { outdated.append(Idle(id: container.id, since: container.idleStart)) }
  }

  private mutating func countFree(_ container: Container, _ reuse: ReuseRule, _ now: Date) {
    live += 1
    if container.state == .ready, container.isWornOut(reuse, now) { return worn.append(container.id) }
    useful += 1
    if container.state == .ready { idle.append(Idle(id: container.id, since: container.idleStart)) }
  }
}

extension Container {
  /// How far an operator has closed it to new jobs, by itself or with its pool or host.
  fileprivate func closing(_ cordons: Cordons) -> Cordons.Mode? {
    cordons.mode(pool: pool, host: engine) ?? (cordonedAt == nil ? nil : .cordoned)
  }

  fileprivate var idleStart: Date { idleSince ?? readyAt ?? createdAt }
  /// When it was last known to be well.
  fileprivate var lastSign: Date { lastHeartbeat ?? readyAt ?? createdAt }

  /// No further job may use it, idle as it is.
  fileprivate func isWornOut(_ rule: ReuseRule, _ now: Date) -> Bool {
    guard uses > 0 else { return false }
    return isTainted || !rule.isAllowed || uses >= rule.maximumUses || now.timeIntervalSince(createdAt) > rule.maximumAgeSeconds
  }
}
