package import Domain
package import Scheduling

/// Live containers as decisions count them: by pool and what they do, by host and what they take, by the repository whose job holds them.
///
/// Of a list at once, or kept in step row by row: then a picture of the fleet costs by pools, and not by containers. Both give the same.
package struct FleetCounts: Sendable {
  /// Containers of one pool by what they do.
  struct OfPool: Sendable {
    var (total, held, idle, creating, unhealthy, ending) = (0, 0, 0, 0, 0, 0)

    fileprivate mutating func count(_ state: ContainerState, isHeld: Bool, by sign: Int) {
      // One that ends is no capacity: a policy that wants as many as there are must not have it replaced.
      if isHeld || state.isUseful { total += sign }
      if isHeld { held += sign } else if state == .ready { idle += sign }
      switch state {
      case .creating: creating += sign
      case .unhealthy: unhealthy += sign
      case .draining, .terminating: ending += sign
      default: break
      }
    }
  }

  private(set) var byPool: [String: OfPool] = [:]
  package private(set) var load = HostLoad()
  private(set) var uses = RepositoryUses()

  package init() {}

  package init(_ containers: [Container]) {
    load = HostLoad(containers)
    var active: [String: Int] = [:]
    // By index, and neighbours of one pool together: of most rows a few fields are enough.
    var next = containers.startIndex
    while next < containers.endIndex {
      let pool = containers[next].pool
      var own = byPool[pool] ?? OfPool()
      while next < containers.endIndex, containers[next].pool == pool {
        let isHeld = containers[next].assignment != nil
        own.count(containers[next].state, isHeld: isHeld, by: 1)
        if isHeld, let repository = containers[next].trustScope { active[repository, default: 0] += 1 }
        next += 1
      }
      byPool[pool] = own
    }
    uses = RepositoryUses(active)
  }

  /// Counts a row as it is now.
  /// - Parameters:
  ///   - old: as it was counted last; nil: it is new.
  ///   - new: nil: it is gone.
  package mutating func replace(_ old: Container?, by new: Container?) {
    if let old {
      count(old, by: -1)
      load.remove(old)
    }
    if let new {
      count(new, by: 1)
      load.add(new)
    }
    let (before, after) = (old?.heldFor, new?.heldFor)
    if before == after { return }
    if let before { uses.change(before, by: -1) }
    if let after { uses.change(after, by: 1) }
  }

  private mutating func count(_ container: Container, by sign: Int) {
    byPool[container.pool, default: OfPool()].count(container.state, isHeld: container.assignment != nil, by: sign)
  }
}

/// How many containers the jobs of each repository hold, always in order: the largest first, then by name.
struct RepositoryUses: Sendable {
  private var active: [String: Int] = [:]
  private var order: [PolicyUse] = []
  /// The first of them. The same array, and so compared at no cost, while none of these changes.
  private(set) var largest: [PolicyUse] = []

  init() {}

  init(_ active: [String: Int]) {
    self.active = active
    order = active.map { PolicyUse(repository: $0.key, active: $0.value) }.sorted(by: Self.precedes)
    largest = Array(order.prefix(PolicyFleet.listLimit))
  }

  mutating func change(_ repository: String, by difference: Int) {
    let before = active[repository] ?? 0
    let after = before + difference
    var first = Int.max
    if before > 0 {
      first = place(of: PolicyUse(repository: repository, active: before))
      order.remove(at: first)
    }
    if after > 0 {
      let use = PolicyUse(repository: repository, active: after)
      let place = place(of: use)
      order.insert(use, at: place)
      first = min(first, place)
    }
    active[repository] = after > 0 ? after : nil
    if first < PolicyFleet.listLimit { largest = Array(order.prefix(PolicyFleet.listLimit)) }
  }

  private static func precedes(_ a: PolicyUse, _ b: PolicyUse) -> Bool { (b.active, a.repository) < (a.active, b.repository) }

  /// The first place that is not before it.
  private func place(of use: PolicyUse) -> Int {
    var (low, high) = (0, order.count)
    while low < high {
      let middle = (low + high) / 2
      if Self.precedes(order[middle], use) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Container {
  /// The repository whose job holds it.
  fileprivate var heldFor: String? { assignment == nil ? nil : trustScope }
}
