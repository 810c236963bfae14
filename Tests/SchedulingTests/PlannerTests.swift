import Domain
import Foundation
import Scheduling
import Testing

@Suite("One turn of the planner")
struct PlannerTests {
  private func ids(_ plan: Plan) -> [String] { plan.bindings.map(\.jobID.rawValue) }
  private func reason(_ plan: Plan, _ id: Int64) -> String? { plan.waiting.first { $0.jobID == JobID(forgeID: id, attempt: 1) }?.reason }

  @Test("free capacity goes to the class whose head is most urgent")
  func orderBetweenClasses() {
    let pools = [Sample.pool(labels: ["self-hosted", "linux", "gpu"], maximum: 2)]
    let normal = Sample.demand([Sample.job(1), Sample.job(2, queued: 1)])
    let critical = Sample.demand([Sample.job(3, Sample.gpu, priority: .critical, queued: 100)])
    let plan = Planner.plan(Sample.input(pools: pools, queues: [normal, critical]))
    #expect(ids(plan) == ["3", "1"])
    #expect(reason(plan, 2) == "pool linux is at its maximum of 2")
  }

  @Test("a job that waited longer than the boost goes before a critical one")
  func noStarvation() {
    let pools = [Sample.pool(labels: ["self-hosted", "linux", "gpu"], maximum: 1)]
    let old = Sample.demand([Sample.job(1, priority: .low, queued: -6 * 3600)])
    let critical = Sample.demand([Sample.job(2, Sample.gpu, priority: .critical, queued: 0)])
    #expect(ids(Planner.plan(Sample.input(pools: pools, queues: [critical, old]))) == ["1"])
  }

  @Test("a class inherits the boost of its bound critical job until that job has started")
  func inheritance() {
    let pools = [Sample.pool(labels: ["self-hosted", "linux", "gpu"], maximum: 2)]
    let held = Sample.container("held", in: pools[0], state: .assigned, assignment: "rh-a")
    var critical = Sample.job(9, priority: .critical, state: .starting)
    critical.assignment = AssignmentID(rawValue: "rh-a")
    let queues = [Sample.demand([Sample.job(1, queued: 50)]), Sample.demand([Sample.job(2, Sample.gpu, queued: 40)])]
    let assignment = Sample.assignment("rh-a", for: critical, on: held)
    let during = Planner.plan(
      Sample.input(pools: pools, containers: [held], queues: queues, assignments: [assignment], bound: [critical]))
    #expect(ids(during) == ["1"])
    var running = assignment
    running.phase = .running
    let after = Planner.plan(Sample.input(pools: pools, containers: [held], queues: queues, assignments: [running], bound: []))
    #expect(ids(after) == ["2"])
  }

  @Test("never more registrations than demanded jobs: one whose job has gone serves the queue first")
  func withholding() {
    let container = Sample.container("c", state: .assigned, assignment: "rh-a")
    let gone = Sample.job(9, state: .cancelled)
    let input = Sample.input(
      containers: [container], queues: [Sample.demand([Sample.job(1), Sample.job(2)])],
      assignments: [Sample.assignment("rh-a", for: gone, on: container)])
    let plan = Planner.plan(input)
    #expect(ids(plan) == ["1"])
    #expect(reason(plan, 2) == "a runner of its class is registered already and free for it")
  }

  @Test("of many unused containers of a pool, which are alike, the longest idle stand for the others; used ones are all considered")
  func alike() {
    let pool = Sample.pool(maximum: 200, reuse: ReuseRule(maximumUses: 5, maximumAgeSeconds: .infinity))
    let unused = (1...100).map { Sample.container("u\($0)", in: pool, idleSince: Sample.start.addingTimeInterval(-Double($0))) }
    let used = (1...30).map { Sample.container("r\($0)", in: pool, uses: 1, scope: "acme/storefront") }
    var offered: [[String]] = []
    let plan = Planner.plan(
      Sample.input(pools: [pool], containers: unused + used, queues: [Sample.demand((1...60).map { Sample.job($0) })]) { _, all in
        offered.append(all.map(\.name))
        return Affinity(scores: all.map { .init(points: $0.uses == 0 ? 80 : 10, reason: "") })
      })
    let first = offered.first ?? []
    #expect(first.filter { $0.hasPrefix("u") } == (85...100).reversed().map { "u\($0)" })
    #expect(first.count { $0.hasPrefix("r") } == 30)
    #expect(plan.bindings.count == 60 && Set(plan.bindings.map(\.candidate)).count == 60)
    #expect(plan.bindings.first?.filtered["like others of linux"] == 84)
  }

  @Test("a warm container goes before a new one, and the longest idle first")
  func warmFirst() {
    let containers = [
      Sample.container("late", idleSince: Sample.start.addingTimeInterval(10)), Sample.container("early"),
      Sample.container("creating", state: .creating),
    ]
    let plan = Planner.plan(
      Sample.input(containers: containers, queues: [Sample.demand([Sample.job(1), Sample.job(2), Sample.job(3), Sample.job(4)])]))
    #expect(
      plan.bindings.map(\.candidate) == [
        .warm(ContainerID(rawValue: "rh-early")), .warm(ContainerID(rawValue: "rh-late")), .warm(ContainerID(rawValue: "rh-creating")),
        .new(pool: "linux", host: "process"),
      ])
  }

  @Test("while a class holds a fork's job, all its registrations go where forks are accepted")
  func forks() {
    let pools = [Sample.pool("trusted"), Sample.pool("open", forks: true)]
    let queue = Sample.demand([Sample.job(1), Sample.job(2, queued: 1, fork: true)])
    let warm = Sample.container("warm", in: pools[0])
    let used = Sample.container("used", in: pools[1], uses: 1, scope: "acme/storefront")
    let plan = Planner.plan(Sample.input(pools: pools, containers: [warm, used], queues: [queue]))
    #expect(plan.bindings.map(\.candidate) == [.new(pool: "open", host: "process"), .new(pool: "open", host: "process")])
    let none = Planner.plan(Sample.input(pools: [pools[0]], queues: [queue]))
    #expect(none.bindings.isEmpty)
    #expect(reason(none, 1) == "no pool for [linux, self-hosted] accepts jobs of forks")
  }

  @Test("jobs that were left to others bind their class as waiting ones do, but for a size that no pool has, and are not planned")
  func leftToOthers() {
    let pools = [Sample.pool("trusted"), Sample.pool("open", forks: true)]
    var queue = Sample.demand([Sample.job(1), Sample.job(2, queued: 1)])
    queue.left = LeftJobs(holdsForkJob: true)
    let plan = Planner.plan(Sample.input(pools: pools, queues: [queue]))
    #expect(ids(plan) == ["1", "2"])
    #expect(plan.bindings.allSatisfy { $0.pool == "open" })
    let none = Planner.plan(Sample.input(pools: [pools[0]], queues: [queue]))
    #expect(reason(none, 1) == "no pool for [linux, self-hosted] accepts jobs of forks")

    queue.left = LeftJobs(largest: Sample.large)
    let sizes = [Sample.pool(), Sample.pool("big", resources: Sample.large)]
    #expect(Planner.plan(Sample.input(pools: sizes, queues: [queue])).bindings.allSatisfy { $0.pool == "big" })
    #expect(ids(Planner.plan(Sample.input(pools: [sizes[0]], queues: [queue]))) == ["1", "2"])

    queue.left = LeftJobs(repositories: ["acme/other"])
    let reusing = Sample.pool(maximum: 1, reuse: ReuseRule(maximumUses: 5, maximumAgeSeconds: .infinity))
    let used = Sample.container("c", in: reusing, uses: 1, scope: "acme/storefront")
    #expect(ids(Planner.plan(Sample.input(pools: [reusing], containers: [used], queues: [queue]))) == [])
    queue.left = LeftJobs(repositories: ["acme/storefront"])
    #expect(ids(Planner.plan(Sample.input(pools: [reusing], containers: [used], queues: [queue]))) == ["1"])
  }

  @Test("a fork's job of a class with fewer labels keeps the broader class away from trusted and used containers too")
  func forksOfNarrowerClass() {
    let pools = [Sample.pool("trusted"), Sample.pool("open", forks: true)]
    let narrow = JobClass(scope: Sample.linux.scope, labels: ["self-hosted"])
    let queues = [Sample.demand([Sample.job(1)]), Sample.demand([Sample.job(2, narrow, queued: 1, fork: true)])]
    let plan = Planner.plan(Sample.input(pools: pools, containers: [Sample.container("warm", in: pools[0])], queues: queues))
    #expect(plan.bindings.map(\.candidate) == [.new(pool: "open", host: "process"), .new(pool: "open", host: "process")])
    let alone = Planner.plan(Sample.input(pools: pools, containers: [Sample.container("warm", in: pools[0])], queues: [queues[0]]))
    #expect(alone.bindings.map(\.pool) == ["trusted"])
  }

  @Test("a registration is large enough for the largest job of its class")
  func size() {
    let pools = [Sample.pool("small"), Sample.pool("large", resources: Sample.large)]
    let queue = Sample.demand(
      [Sample.job(1, needs: Sample.small)], count: 2, largest: Resources(milliCPUs: 6000, memory: ByteCount(gibibytes: 8)))
    #expect(Planner.plan(Sample.input(pools: pools, queues: [queue])).bindings.map(\.pool) == ["large"])
    let plan = Planner.plan(Sample.input(pools: [pools[0]], queues: [queue]))
    #expect(reason(plan, 1) == "too large: its class wants 6 CPU, 8 GiB, and the largest of its pools, small, has 2 CPU, 4 GiB")
    #expect(plan.waiting.first?.isHopeless == true)
  }

  struct ReuseCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var uses = 1
    var scope = "acme/storefront"
    var tainted = false
    var rule = ReuseRule(maximumUses: 5, maximumAgeSeconds: 7200)
    var others: [Int64: String] = [:]
    var isReused: Bool
  }

  @Test(
    "a used container serves only its own repository, within its uses and age",
    arguments: [
      ReuseCase(testDescription: "same repository", isReused: true),
      ReuseCase(testDescription: "other repository", scope: "acme/other", isReused: false),
      ReuseCase(testDescription: "used up", uses: 5, isReused: false),
      ReuseCase(testDescription: "tainted", tainted: true, isReused: false),
      ReuseCase(testDescription: "too old", rule: ReuseRule(maximumUses: 5, maximumAgeSeconds: 60), isReused: false),
      ReuseCase(testDescription: "pool forbids it", rule: .never, isReused: false),
      ReuseCase(testDescription: "another repository waits in the class", others: [2: "acme/other"], isReused: false),
    ])
  func reuse(_ example: ReuseCase) {
    let pool = Sample.pool(reuse: example.rule)
    var used = Sample.container("used", in: pool, uses: example.uses, scope: example.scope)
    used.isTainted = example.tainted
    let others = example.others.map { Sample.job($0.key, queued: 10, repository: $0.value) }
    let plan = Planner.plan(Sample.input(pools: [pool], containers: [used], queues: [Sample.demand([Sample.job(1)] + others)]))
    #expect((plan.bindings.first?.candidate == .warm(used.id)) == example.isReused)
    #expect(!plan.bindings.isEmpty)
  }

  @Test("limits hold, and each says so")
  func limits() {
    var limits = Sample.ample
    let queue = Sample.demand((1...3).map { Sample.job($0, queued: Double($0)) })
    limits.maxConcurrentJobs = 1
    var plan = Planner.plan(Sample.input(queues: [queue], limits: limits))
    #expect(ids(plan) == ["1"])
    #expect(reason(plan, 2) == "limit of 1 concurrent jobs")
    limits = Sample.ample
    limits.containerPoolSize = 2
    plan = Planner.plan(Sample.input(queues: [queue], limits: limits))
    #expect(ids(plan) == ["1", "2"])
    #expect(reason(plan, 3) == "limit of 2 containers over all pools")
    limits = Sample.ample
    limits.hosts["process"] = Resources(milliCPUs: 3000, memory: ByteCount(gibibytes: 64), disk: ByteCount(gibibytes: 640))
    plan = Planner.plan(Sample.input(queues: [queue], limits: limits))
    #expect(ids(plan) == ["1"])
    #expect(reason(plan, 2) == "the host of engine process has 1 CPU, 60 GiB left, and pool linux wants 2 CPU, 4 GiB")
    limits.hosts = [:]
    plan = Planner.plan(Sample.input(containers: [Sample.container("c")], queues: [queue], limits: limits))
    #expect(plan.bindings.isEmpty)
    #expect(reason(plan, 1) == "engine process of pool linux does not answer")
  }

  @Test("labels that no pool offers are named")
  func noPool() {
    let plan = Planner.plan(Sample.input(queues: [Sample.demand([Sample.job(1, Sample.gpu)])]))
    #expect(reason(plan, 1) == "no pool offers [gpu, self-hosted]")
  }

  @Test("a job that failed to start waits for its time, and others go on")
  func putOff() {
    var failed = Sample.job(1)
    let until = Sample.start.addingTimeInterval(3610)
    failed.notBefore = until
    failed.lastFailure = "image not found"
    let plan = Planner.plan(Sample.input(queues: [Sample.demand([failed, Sample.job(2, queued: 1)])]))
    #expect(ids(plan) == ["2"])
    #expect(plan.nextTurn == until)
    #expect(reason(plan, 1)?.hasSuffix(": image not found") == true)
  }

  @Test("affinity decides beyond five points, readiness within them")
  func affinity() {
    let warm = Sample.container("warm")
    func choice(_ newScore: Double?) -> Plan {
      Planner.plan(
        Sample.input(containers: [warm], queues: [Sample.demand([Sample.job(1)])]) { _, all in
          Affinity(scores: all.map { .init(points: $0.isNew ? newScore : 80, reason: $0.isNew ? "clean" : "has the cache") })
        })
    }
    #expect(choice(84).bindings.first?.candidate == .warm(warm.id))
    #expect(choice(86).bindings.first?.candidate == .new(pool: "linux", host: "process"))
    #expect(choice(nil).bindings.first?.considered.map(\.outcome) == ["scored 80: has the cache", "left out: clean"])
    let none = Planner.plan(
      Sample.input(queues: [Sample.demand([Sample.job(1)])]) { _, all in
        Affinity(scores: all.map { _ in .init(points: nil, reason: "team data") })
      })
    #expect(reason(none, 1) == "affinity left out all 1 places: team data")
  }

  @Test("an answer of affinity that is too short or no number does no harm")
  func brokenAffinity() {
    let containers = [Sample.container("a"), Sample.container("b")]
    let short = Planner.plan(
      Sample.input(containers: containers, queues: [Sample.demand([Sample.job(1)])]) { _, _ in Affinity(scores: []) })
    #expect(short.bindings.isEmpty && short.waiting.count == 1)
    let odd = Planner.plan(
      Sample.input(containers: containers, queues: [Sample.demand([Sample.job(1)])]) { _, all in
        Affinity(scores: all.map { .init(points: $0.isNew ? .infinity : .nan, reason: "") })
      })
    #expect(odd.bindings.first?.considered.first?.points == 100)
  }

  @Test("round-robin goes from pool to pool over the turns")
  func roundRobin() {
    let pools = [Sample.pool("a"), Sample.pool("b"), Sample.pool("c")]
    var cursor = 0
    var chosen: [String] = []
    for id in Int64(1)...4 {
      let plan = Planner.plan(Sample.input(pools: pools, queues: [Sample.demand([Sample.job(id)])], strategy: .roundRobin, cursor: cursor))
      cursor = plan.cursor
      chosen += plan.bindings.map(\.pool)
    }
    #expect(chosen == ["a", "b", "c", "a"])
  }

  @Test("least-loaded evens out the busy share of the pools")
  func leastLoaded() {
    let pools = [Sample.pool("a", maximum: 2), Sample.pool("b", maximum: 8)]
    let plan = Planner.plan(
      Sample.input(pools: pools, queues: [Sample.demand((1...5).map { Sample.job($0) })], strategy: .leastLoaded))
    #expect(plan.bindings.map(\.pool).sorted() == ["a", "b", "b", "b", "b"])
  }

  @Test("resource-aware takes the smallest place that fits")
  func resourceAware() {
    let pools = [Sample.pool("large", resources: Sample.large), Sample.pool("small")]
    let plan = Planner.plan(
      Sample.input(
        pools: pools, queues: [Sample.demand([Sample.job(1, needs: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1)))])],
        strategy: .resourceAware))
    #expect(plan.bindings.map(\.pool) == ["small"])
  }

  @Test("the affinity strategy takes the highest score to the point")
  func byAffinity() {
    let containers = [Sample.container("a"), Sample.container("b")]
    let plan = Planner.plan(
      Sample.input(containers: containers, queues: [Sample.demand([Sample.job(1)])]) { _, all in
        Affinity(scores: all.map { .init(points: $0.name == "b" ? 52 : 50, reason: "") })
      })
    #expect(plan.bindings.first?.candidate == .warm(ContainerID(rawValue: "rh-b")))
  }

  @Test("a job that lacks only room ends one idle container that does not fit it, once")
  func eviction() {
    let pool = Sample.pool(maximum: 2, reuse: ReuseRule(maximumUses: 5, maximumAgeSeconds: 9000))
    let kept = [
      Sample.container("x", in: pool, uses: 1, scope: "acme/other"),
      Sample.container("y", in: pool, uses: 1, scope: "acme/other", idleSince: Sample.start.addingTimeInterval(-30)),
    ]
    let queue = Sample.demand([Sample.job(1)])
    let first = Planner.plan(Sample.input(pools: [pool], containers: kept, queues: [queue]))
    #expect(first.bindings.isEmpty)
    #expect(first.evictions.map(\.containerID.rawValue) == ["rh-y"])
    var ending = kept
    ending[1].state = .terminating
    let second = Planner.plan(Sample.input(pools: [pool], containers: ending, queues: [queue]))
    #expect(second.evictions.isEmpty, "the room is on its way")
    let third = Planner.plan(Sample.input(pools: [pool], containers: [kept[0]], queues: [queue]))
    #expect(third.bindings.map(\.candidate) == [.new(pool: "linux", host: "process")])
  }

  /// A host of four cores: pool `small` fills it with idle containers, pool `big` wants all of it.
  private func crowded(
    _ containers: [Container], minimum: Int = 0, cores: Int = 4, also others: [ClassQueue] = []
  ) -> Plan {
    let (small, big) = Self.smallAndBig(minimum: minimum)
    var limits = Sample.ample
    limits.hosts["process"]?.milliCPUs = cores * 1000
    let queues = [Sample.demand([Sample.job(1, Sample.gpu)])] + others
    return Planner.plan(Sample.input(pools: [small, big], containers: containers, queues: queues, limits: limits))
  }

  private static func smallAndBig(minimum: Int = 0) -> (small: Pool, big: Pool) {
    let unit = Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1))
    return (
      Sample.pool("small", resources: unit, minimum: minimum, maximum: 8, warm: 4),
      Sample.pool("big", labels: ["self-hosted", "gpu"], resources: Resources(milliCPUs: 4000, memory: ByteCount(gibibytes: 4)))
    )
  }

  private func idle(_ count: Int, ending: Int = 0) -> [Container] {
    let small = Self.smallAndBig().small
    return (0..<count).map { index in
      Sample.container(
        "s\(index)", in: small, state: index < ending ? .terminating : .ready, idleSince: Sample.start.addingTimeInterval(Double(index)))
    }
  }

  @Test("a large job ends as many small idle containers as it needs, and claims their room until all of it is there")
  func severalEvictions() {
    let first = crowded(idle(4))
    #expect(first.evictions.map(\.containerID.rawValue).sorted() == ["rh-s0", "rh-s1", "rh-s2", "rh-s3"])
    #expect(first.claims.map(\.pool) == ["big"])
    let during = crowded(idle(4, ending: 4))
    #expect(during.evictions.isEmpty && during.claims.map(\.pool) == ["big"])
    let later = crowded(Array(idle(4, ending: 4).prefix(2)))
    #expect(later.bindings.isEmpty && later.evictions.isEmpty && later.claims.count == 1)
    let last = crowded([])
    #expect(last.bindings.map(\.pool) == ["big"] && last.claims.isEmpty)
    #expect(crowded(idle(4), cores: 5).evictions.count == 3, "no more than it needs")
    #expect(crowded(idle(4, ending: 2)).evictions.count == 2, "what ends anyway counts first")
  }

  @Test("no container is ended where all of them are not enough")
  func noVainEviction() {
    var busy = idle(4)
    busy[3].state = .busy
    busy[3].assignment = AssignmentID(rawValue: "rh-a")
    let plan = crowded(busy)
    #expect(plan.evictions.isEmpty && plan.claims.isEmpty)
    #expect(crowded(idle(4), minimum: 1).evictions.isEmpty, "another pool keeps its minimum")
  }

  @Test("a less urgent job does not take the room that a waiting one has claimed")
  func claimedRoom() {
    // Two cores are free, two come; the less urgent job would fit at once.
    let small = Sample.demand([Sample.job(2, queued: 50)])
    let plan = crowded(idle(2, ending: 2), also: [small])
    #expect(plan.bindings.isEmpty)
    #expect(plan.claims.map(\.pool) == ["big"], "nor is there more to claim")
    #expect(ids(crowded(idle(2, ending: 2), cores: 5, also: [small])) == ["2"])
  }

  @Test("another pool's minimum is not evicted")
  func evictionKeepsMinimum() {
    var limits = Sample.ample
    limits.containerPoolSize = 2
    let other = Sample.pool("other", labels: ["self-hosted", "gpu"], minimum: 2)
    let idle = [Sample.container("p", in: other), Sample.container("q", in: other)]
    let queue = Sample.demand([Sample.job(1)])
    #expect(Planner.plan(Sample.input(pools: [Sample.pool(), other], containers: idle, queues: [queue], limits: limits)).evictions.isEmpty)
    var loose = other
    loose.minimum = 1
    let plan = Planner.plan(Sample.input(pools: [Sample.pool(), loose], containers: idle, queues: [queue], limits: limits))
    #expect(plan.evictions.count == 1)
  }

  @Test("a refused job gets a runner that fails it, and a job without a class says so")
  func refusals() {
    var unclear = Sample.job(8, state: .refused)
    unclear.jobClass = nil
    let plan = Planner.plan(Sample.input(queues: [], refusals: [Sample.job(7, needs: Sample.large, state: .refused), unclear]))
    #expect(plan.bindings.map(\.isRefusal) == [true])
    #expect(reason(plan, 8) == "its class is not known")
  }
}
