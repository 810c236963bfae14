import Domain
import Foundation
import Testing

@testable import Scheduling

@Suite("A pool over several engine hosts")
struct HostsTests {
  private let host = Resources(milliCPUs: 4000, memory: ByteCount(gibibytes: 8), disk: ByteCount(gibibytes: 1000))

  /// Two containers fit on each host.
  private var pool: Pool {
    var pool = Sample.pool(maximum: 10)
    pool.engine = "docker"
    pool.hosts = ["docker://a", "docker://b"]
    return pool
  }

  private func limits(_ hosts: [String], _ cordons: Cordons = Cordons()) -> PlanningLimits {
    PlanningLimits(
      maxConcurrentJobs: 100, containerPoolSize: 100, hosts: Dictionary(uniqueKeysWithValues: hosts.map { ($0, host) }), cordons: cordons)
  }

  private func jobs(_ count: Int) -> ClassQueue { Sample.demand((1...count).map { Sample.job(Int64($0), queued: Double($0)) }) }

  private func plan(
    _ count: Int, on hosts: [String] = ["docker://a", "docker://b"], containers: [Container] = [], cordons: Cordons = Cordons(),
    strategy: LoadBalancingStrategy = .leastLoaded
  ) -> Plan {
    Planner.plan(
      Sample.input(
        pools: [pool], containers: containers, queues: [jobs(count)], limits: limits(hosts, cordons), strategy: strategy))
  }

  private func places(_ plan: Plan) -> [String] {
    plan.bindings.map { binding in
      switch binding.candidate {
      case .new(_, let host): host
      case .warm(let id): id.rawValue
      }
    }
  }

  private func container(_ name: String, on host: String, state: ContainerState = .ready, assignment: String? = nil) -> Container {
    var container = Sample.container(name, in: pool, state: state, assignment: assignment)
    container.engine = host
    return container
  }

  @Test("least-loaded spreads over the hosts, resource-aware packs one after the other, round-robin takes turns")
  func strategies() {
    #expect(places(plan(4)) == ["docker://a", "docker://b", "docker://a", "docker://b"])
    #expect(places(plan(4, strategy: .resourceAware)) == ["docker://a", "docker://a", "docker://b", "docker://b"])
    #expect(places(plan(3, strategy: .roundRobin)) == ["docker://a", "docker://b", "docker://a"])
  }

  @Test("no host is promised more than it has, and who waits is told what each one lacks")
  func full() {
    let plan = plan(5)
    #expect(plan.bindings.count == 4)
    #expect(
      plan.waiting.first?.reason
        == "the host of engine docker://a has 0 CPU, 0 B left, and pool linux wants 2 CPU, 4 GiB; the host of engine docker://b has 0 CPU, 0 B left, and pool linux wants 2 CPU, 4 GiB"
    )
  }

  @Test("a host that does not answer is left out, and its warm containers with it")
  func silent() {
    let warm = container("warm", on: "docker://a")
    #expect(places(plan(1, containers: [warm])) == ["rh-warm"])
    #expect(places(plan(1, on: ["docker://b"], containers: [warm])) == ["docker://b"])
  }

  @Test("a host or a pool that is cordoned or drains gets nothing", arguments: Cordons.Mode.allCases)
  func cordoned(_ mode: Cordons.Mode) {
    let warm = container("warm", on: "docker://a")
    #expect(places(plan(2, containers: [warm], cordons: Cordons(hosts: ["docker://a": mode]))) == ["docker://b", "docker://b"])
    let closed = plan(1, containers: [warm], cordons: Cordons(pools: ["linux": mode]))
    #expect(closed.bindings.isEmpty)
    #expect(closed.waiting.first?.reason == "pool linux is cordoned")
    #expect(closed.evictions.isEmpty)
  }

  @Test("a container that is cordoned gets no job, and is not made way for one")
  func cordonedContainer() {
    var warm = container("warm", on: "docker://a")
    warm.cordonedAt = Sample.start
    #expect(places(plan(1, containers: [warm])) == ["docker://b"])
  }

  @Test("the pool's size is kept over all its hosts, each new container where most room is")
  func room() {
    var room = HostRoom(
      hosts: ["docker://a": host, "docker://b": host], load: HostLoad([container("one", on: "docker://a")]), limit: 100)
    #expect(room.places(for: pool) == 3)
    #expect(room.take(3, of: pool) == ["docker://b", "docker://a", "docker://b"])
    #expect(room.places(for: pool) == 0)
    let closed = HostRoom(
      hosts: ["docker://a": host, "docker://b": host], load: HostLoad(), limit: 100,
      cordons: Cordons(hosts: ["docker://b": .cordoned]))
    #expect(closed.places(for: pool) == 2)
  }

  @Test("what idles on a host that drains is ended and made up for elsewhere; what idles on a cordoned one stays, and counts for nothing")
  func draining() {
    var pool = pool
    pool.minimum = 3
    let idle = [container("one", on: "docker://a"), container("two", on: "docker://b")]
    let busy = container("three", on: "docker://a", state: .busy, assignment: "rh-1")
    func plan(_ cordons: Cordons) -> ScalePlan {
      let autoscaler = Autoscaler()
      let census = autoscaler.censuses(of: [pool], containers: idle + [busy], marks: FleetMarks(cordons: cordons), now: Sample.start)
      return autoscaler.plan(
        pool, census[0], wanted: nil, because: "", room: 10, history: ScaleHistory(), now: Sample.start.addingTimeInterval(3600))
    }
    #expect(plan(Cordons()).retire.isEmpty)
    let drained = plan(Cordons(hosts: ["docker://a": .draining]))
    #expect(drained.retire == [ContainerID(rawValue: "rh-one")])
    let cordoned = plan(Cordons(hosts: ["docker://a": .cordoned]))
    #expect(cordoned.retire.isEmpty)
    #expect(cordoned.create == drained.create)
  }
}

@Suite("A pool whose containers are renewed")
struct RenewalTests {
  private let now = Sample.start

  private func plan(_ pool: Pool, _ containers: [Container]) -> ScalePlan {
    let autoscaler = Autoscaler()
    let marks = FleetMarks(renewed: [pool.name: now])
    let census = autoscaler.censuses(of: [pool], containers: containers, marks: marks, now: now)
    return autoscaler.plan(
      pool, census[0], wanted: nil, because: "", room: 100, history: ScaleHistory(), now: now.addingTimeInterval(3600))
  }

  private func container(_ name: String, in pool: Pool, fresh: Bool, state: ContainerState = .ready) -> Container {
    let old = Sample.container(name, in: pool, state: state)
    if !fresh { return old }
    return Container(
      id: old.id, name: name, pool: pool.name, engine: "process", image: old.image, resources: old.resources, labels: old.labels,
      state: state, createdAt: now.addingTimeInterval(1))
  }

  @Test("an old container goes when its successor waits for jobs, not before")
  func successor() {
    let pool = Sample.pool(minimum: 2, maximum: 10)
    let old = [container("a", in: pool, fresh: false), container("b", in: pool, fresh: false)]
    let first = plan(pool, old)
    #expect(first.create == 2)
    #expect(first.retire.isEmpty)
    #expect(plan(pool, old + [container("c", in: pool, fresh: true, state: .creating)]).retire.isEmpty)
    #expect(plan(pool, old + [container("c", in: pool, fresh: true)]).retire.count == 1)
    #expect(plan(pool, old + [container("c", in: pool, fresh: true), container("d", in: pool, fresh: true)]).retire.count == 2)
  }

  @Test("at the pool's maximum one makes way for its successor at a time")
  func full() {
    let pool = Sample.pool(minimum: 2, maximum: 2)
    let old = [container("a", in: pool, fresh: false), container("b", in: pool, fresh: false)]
    #expect(plan(pool, old).retire.count == 1)
    #expect(plan(pool, old).create == 0)
    #expect(plan(pool, [old[1], container("c", in: pool, fresh: true, state: .creating)]).retire.isEmpty)
    #expect(plan(pool, [old[1], container("c", in: pool, fresh: true)]).retire.count == 1)
  }

  @Test("in a pool that scales to zero what idles goes at once")
  func zero() {
    let pool = Sample.pool(minimum: 0, maximum: 2)
    #expect(plan(pool, [container("a", in: pool, fresh: false)]).retire.count == 1)
  }
}
