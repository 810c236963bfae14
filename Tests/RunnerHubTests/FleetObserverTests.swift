import Domain
import Foundation
import RunnerHub
import Scheduling
import Testing

@Suite("The fleet that policies see")
struct FleetObserverTests {
  private let now = Date(timeIntervalSince1970: 1_780_000_000)
  private let pool = Pool(
    name: "linux", engine: "process", image: "stand-in", labels: ["linux"],
    resources: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1)), minimum: 0, maximum: 10, warm: 0)

  private func container(_ number: Int, _ state: ContainerState, held: Bool = false) -> Container {
    var container = Container(pool: pool, host: "process", token: "\(number)", at: now)
    container.state = state
    if held { container.assignment = AssignmentID(rawValue: "rh-\(number)") }
    return container
  }

  @Test("counts what serves a job or can, and leaves out what ends")
  func counts() {
    let containers = [
      container(1, .busy, held: true), container(2, .creating, held: true), container(3, .ready), container(4, .creating),
      container(5, .terminating), container(6, .unhealthy), container(7, .draining, held: true),
    ]
    let fleet = FleetObserver.fleet(pools: [pool], containers: containers, queue: [], isDraining: false, now: now)
    #expect(fleet.pools.first?.total == 5)
    #expect(fleet.pools.first?.busy == 3)
    #expect(fleet.pools.first?.idle == 1)
    #expect(fleet.pools.first?.utilisation == 0.6)
  }

  @Test("a policy that wants no change does not have containers replaced that end after their job")
  func noReplacement() {
    let containers = (1...3).map { container($0, .busy, held: true) } + (4...6).map { container($0, .terminating) }
    let fleet = FleetObserver.fleet(pools: [pool], containers: containers, queue: [], isDraining: false, now: now)
    var history: [String: ScaleHistory] = [:]
    let resizings = ScalingTurn.resizings(
      [pool], containers: containers, counts: FleetCounts(containers), fleet: fleet, limit: 10, Autoscaler(), BuiltInPolicy(), &history)
    #expect(resizings.map(\.plan.create) == [0])
  }

  @Test("pools that share a host grow into what it has left, in their order, and not beyond")
  func hostRoom() {
    var (first, second) = (pool, pool)
    (first.name, first.warm, first.minimum) = ("first", 0, 2)
    (second.name, second.warm, second.minimum) = ("second", 0, 2)
    let containers = [container(1, .terminating)]
    var host = pool.resources
    (host.milliCPUs, host.memory) = (host.milliCPUs * 4, ByteCount(bytes: host.memory.bytes * 4))
    host.disk = ByteCount(bytes: host.disk.bytes * 4)
    func created(on hosts: [String: Resources]?) -> [Int] {
      let fleet = FleetObserver.fleet(pools: [first, second], containers: containers, queue: [], isDraining: false, now: now)
      var history: [String: ScaleHistory] = [:]
      return ScalingTurn.resizings(
        [first, second], containers: containers, counts: FleetCounts(containers), fleet: fleet, limit: 10, hosts: hosts, Autoscaler(),
        BuiltInPolicy(), &history
      ).map(\.plan.create)
    }
    // The container that ends holds its place until it is gone.
    #expect(created(on: [pool.engine: host]) == [2, 1])
    #expect(created(on: nil) == [2, 2])
    // An engine that does not answer gets none.
    #expect(created(on: [:]) == [0, 0])
    #expect(created(on: ["other": host]) == [0, 0])
  }

  private func created(
    _ pools: [Pool], beside containers: [Container] = [], cores: Int, limit: Int = 100, claims: [Plan.Claim] = []
  ) -> [Int] {
    let host = Resources(milliCPUs: cores * 1000, memory: ByteCount(gibibytes: 1000), disk: ByteCount(gibibytes: 10_000))
    let fleet = FleetObserver.fleet(pools: pools, containers: containers, queue: [], isDraining: false, now: now)
    var history: [String: ScaleHistory] = [:]
    return ScalingTurn.resizings(
      pools, containers: containers, counts: FleetCounts(containers), fleet: fleet, limit: limit, hosts: ["process": host], claims: claims,
      Autoscaler(), BuiltInPolicy(),
      &history
    ).map(\.plan.create)
  }

  @Test("no pool's warm target takes what another pool lacks to its minimum, on a host or within the limit over all")
  func minimumFirst() {
    var (first, second) = (pool, pool)
    (first.name, first.warm) = ("first", 4)
    (second.name, second.minimum) = ("second", 3)
    #expect(created([first, second], cores: 4) == [1, 3])
    #expect(created([first, second], cores: 100, limit: 5) == [2, 3])
    #expect(created([first, second], cores: 100) == [4, 3])
  }

  @Test("a pool does not grow into the room that a waiting job has claimed, be it free already or not")
  func claims() {
    var warm = pool
    warm.warm = 4
    let claim = Plan.Claim(pool: "big", engine: "process", resources: Resources(milliCPUs: 4000, memory: ByteCount(gibibytes: 4)))
    #expect(created([warm], cores: 4, claims: [claim]) == [0])
    #expect(created([warm], beside: [container(1, .terminating)], cores: 4, claims: [claim]) == [0])
    #expect(created([warm], beside: [container(1, .terminating)], cores: 6, claims: [claim]) == [2])
    #expect(created([warm], cores: 100, limit: 4, claims: [claim]) == [3])
  }
}
