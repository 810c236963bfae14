import Domain
import Foundation
import Scheduling
import Testing

@Suite("The planner over random fleets")
struct PlannerPropertyTests {
  @Test("no bound is exceeded, nobody is bound twice, every head is answered, and the same input gives the same plan", arguments: 0..<200)
  func invariants(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let world = World(using: &random)
    let input = world.input
    let plan = Planner.plan(input)

    let heads = input.queues.flatMap(\.heads)
    let bound = plan.bindings.map(\.jobID)
    #expect(Set(bound).count == bound.count)
    #expect(Set(bound + plan.waiting.map(\.jobID)) == Set(heads.map(\.id)))
    #expect(bound.count + plan.waiting.count == heads.count)

    let warm = plan.bindings.compactMap { if case .warm(let id) = $0.candidate { id } else { nil } }
    #expect(Set(warm).count == warm.count)
    #expect(Set(warm).isDisjoint(with: plan.evictions.map(\.containerID)))
    let containers = Dictionary(uniqueKeysWithValues: input.containers.map { ($0.id, $0) })
    for id in warm {
      #expect(containers[id]?.assignment == nil)
      #expect(containers[id]?.state == .ready || containers[id]?.state == .creating)
    }
    let new = plan.bindings.compactMap { if case .new(let pool, _) = $0.candidate { pool } else { nil } }
    #expect(new.isEmpty || input.containers.count + new.count <= input.limits.containerPoolSize)
    for pool in input.pools {
      let made = new.count { $0 == pool.name }
      #expect(made == 0 || made + input.containers.count { $0.pool == pool.name } <= pool.maximum)
    }
    #expect(plan.bindings.isEmpty || input.assignments.count + plan.bindings.count <= input.limits.maxConcurrentJobs)
    for queue in input.queues {
      let bindings = plan.bindings.filter { $0.jobClass == queue.jobClass }
      #expect(bindings.count <= queue.count)
      for binding in bindings {
        let pool = input.pools.first { $0.name == binding.pool }
        #expect(pool?.acceptsForks == true || !queue.holdsForkJob)
        #expect(pool.map { queue.jobClass.labels.isSatisfied(by: $0.labels) } == true)
      }
    }
    #expect(Planner.plan(input) == plan)
  }

  @Test("no job that could be placed waits behind a less urgent one that was", arguments: 0..<100)
  func urgency(seed: UInt64) {
    var random = SeededGenerator(seed: seed &+ 1000)
    var world = World(using: &random)
    // One size, one repository, no forks: then every place is as good as any other, and only the order counts.
    world.input.pools = [Sample.pool(labels: ["self-hosted", "linux", "gpu"], maximum: 3)]
    world.input.containers = []
    world.input.assignments = []
    world.input.queues = world.input.queues.map { queue in
      Sample.demand(queue.heads.map { Sample.job($0.forgeID, queue.jobClass, queued: $0.queuedAt?.timeIntervalSince(Sample.start) ?? 0) })
    }
    let plan = Planner.plan(world.input)
    let keys = Dictionary(uniqueKeysWithValues: world.input.queues.flatMap(\.heads).map { ($0.id, $0.orderKey ?? 0) })
    let last = plan.bindings.compactMap { keys[$0.jobID] }.max() ?? -.infinity
    let first = plan.waiting.filter { !$0.isHopeless }.compactMap { keys[$0.jobID] }.min() ?? .infinity
    #expect(last <= first)
  }
}

/// A random fleet and queue.
private struct World {
  var input: PlanningInput

  init(using random: inout SeededGenerator) {
    let sets: [Labels] = [["self-hosted", "linux"], ["self-hosted", "linux", "gpu"], ["self-hosted", "gpu"]]
    let pools = (0..<Int.random(in: 1...3, using: &random)).map { index in
      Sample.pool(
        "pool\(index)", labels: sets[Int.random(in: 0..<3, using: &random)],
        resources: Bool.random(using: &random) ? Sample.small : Sample.large,
        maximum: Int.random(in: 0...6, using: &random), forks: Bool.random(using: &random),
        reuse: Bool.random(using: &random) ? .never : ReuseRule(maximumUses: 3, maximumAgeSeconds: 1e6))
    }
    var containers: [Container] = []
    for index in 0..<Int.random(in: 0...8, using: &random) {
      let pool = pools[Int.random(in: 0..<pools.count, using: &random)]
      let state = ContainerState.allCases[Int.random(in: 0..<7, using: &random)]
      let uses = Int.random(in: 0...2, using: &random)
      let isHeld = state == .assigned || state == .busy
      containers.append(
        Sample.container(
          "c\(index)", in: pool, state: state, assignment: isHeld ? "rh-\(index)" : nil, uses: uses,
          scope: uses > 0 ? "acme/\(Int.random(in: 0...1, using: &random))" : nil))
    }
    let assignments = containers.filter { $0.assignment != nil }.map {
      Sample.assignment($0.assignment?.rawValue ?? "", for: Sample.job(5000), on: $0, phase: .running)
    }
    var id: Int64 = 0
    let queues = [Sample.linux, Sample.gpu, JobClass(scope: "acme", labels: ["windows"])].map { jobClass in
      let jobs = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        id += 1
        return Sample.job(
          id, jobClass, priority: Priority.allCases[Int.random(in: 0..<4, using: &random)],
          queued: Double.random(in: -9000...0, using: &random),
          repository: "acme/\(Int.random(in: 0...1, using: &random))", fork: Int.random(in: 0..<10, using: &random) == 0,
          needs: Bool.random(using: &random) ? Sample.small : nil)
      }
      return ClassQueue(
        jobClass: jobClass, count: jobs.count, heads: jobs.sorted { ($0.orderKey ?? 0) < ($1.orderKey ?? 0) },
        holdsForkJob: jobs.contains { $0.isFromFork }, largest: nil)
    }
    var limits = Sample.ample
    limits.maxConcurrentJobs = Int.random(in: 0...12, using: &random)
    limits.containerPoolSize = Int.random(in: 0...14, using: &random)
    input = Sample.input(
      pools: pools, containers: containers, queues: queues, assignments: assignments, limits: limits,
      strategy: LoadBalancingStrategy.allCases[Int.random(in: 0..<4, using: &random)])
  }
}
