import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  static var queue: [StoreContract] {
    [
      StoreContract("the planner's view holds queue, refusals, fleet and bound jobs of one moment, and no fleet where nothing waits") {
        store async throws in
        var refused = Sample.job(4, state: .refused)
        refused.refusalAction = .failByHook
        let hooked = refused
        try await store.commit {
          $0.jobs = [Sample.job(2, state: .assigned, at: 2), Sample.job(1, state: .starting, at: 1), Sample.job(3, state: .running)]
          $0.containers = [Sample.container("c2", at: 2), Sample.container("c1", at: 1), Sample.container("c3", state: .gone)]
          $0.assignments = [Sample.assignment("a1")]
        }
        #expect(
          try await store.planningView(heads: 3)
            == PlanningView(queue: [], refusals: [], containers: [], assignments: [], bound: []))
        try await store.commit { $0.jobs = [Sample.queued(11, order: 1), Sample.queued(12, order: 2), hooked] }
        let view = try await store.planningView(heads: 1)
        #expect(view.queue == (try await store.queue(heads: 1)) && view.queue.first?.count == 2)
        #expect(view.refusals.map(\.forgeID) == [4])
        #expect(view.containers.map(\.id.rawValue) == ["c1", "c2"])
        #expect(view.assignments.map(\.id.rawValue) == ["a1"])
        #expect(view.bound.map(\.forgeID) == [1, 2])
      },
      StoreContract("the queue has a class for each kind of waiting job, its count, and its heads by rising order key") {
        store async throws in
        let gpu = JobClass(scope: "acme/storefront", group: "big", labels: ["gpu", "a|b,c"])
        try await store.commit {
          $0.jobs = [
            Sample.queued(1, order: 3), Sample.queued(2, order: -1), Sample.queued(3, order: 2), Sample.queued(4, in: gpu, order: 1),
            Sample.job(5),
          ]
        }
        let queue = try await store.queue(heads: 2)
        #expect(queue.map(\.jobClass) == [Sample.linux, gpu].sorted())
        let linux = try #require(queue.first { $0.jobClass == Sample.linux })
        #expect(linux.count == 3)
        #expect(linux.heads.map(\.forgeID) == [2, 3])
        #expect(queue.first { $0.jobClass == gpu }?.count == 1)
        #expect(try await store.queue(heads: 0).map(\.heads) == [[], []])
      },
      StoreContract("equal order keys are in a fixed order") { store async throws in
        try await store.commit { $0.jobs = [3, 1, 2].map { Sample.queued($0, order: 1) } }
        #expect(try await store.queue(heads: 3).first?.heads.map(\.forgeID) == [1, 2, 3])
      },
      StoreContract("a job that is not to be planned yet counts too") { store async throws in
        var job = Sample.queued(1, order: 1)
        job.notBefore = .distantFuture
        let late = job
        try await store.commit { $0.jobs = [late] }
        #expect(try await store.queue(heads: 1).first?.count == 1)
      },
      StoreContract("a fork's job and the largest need are seen anywhere in the class, in each dimension, and forgotten with their job") {
        store async throws in
        let small = Resources(milliCPUs: 500, memory: ByteCount(gibibytes: 8), disk: ByteCount(gibibytes: 1))
        let wide = Resources(milliCPUs: 8000, memory: ByteCount(gibibytes: 1), disk: ByteCount(gibibytes: 90), gpus: 2)
        var jobs = try await store.commit {
          $0.jobs = [
            Sample.queued(1, order: 1, need: small), Sample.queued(2, order: 2), Sample.queued(3, order: 3, need: wide, isFork: true),
          ]
        }.jobs
        let before = try #require(try await store.queue(heads: 1).first)
        #expect(before.holdsForkJob)
        #expect(before.largest == small.union(wide))
        jobs[2].state = .assigned
        let assigned = jobs[2]
        jobs[2] = try #require(try await store.commit { $0.jobs = [assigned] }.jobs.first)
        let between = try #require(try await store.queue(heads: 1).first)
        #expect(!between.holdsForkJob && between.largest == small && between.count == 2)
        jobs[0].estimate = nil
        let unknown = jobs[0]
        try await store.commit { $0.jobs = [unknown] }
        #expect(try await store.queue(heads: 1).first?.largest == nil)
      },
      StoreContract("of jobs that were left to others a class tells forks, the largest need and other repositories, until they are taken") {
        store async throws in
        let wide = Resources(milliCPUs: 8000, memory: ByteCount(gibibytes: 1), disk: ByteCount(gibibytes: 90), gpus: 2)
        func left(_ id: Int64, _ repository: String, _ change: (inout Job) -> Void = { _ in }) -> Job {
          var job = Sample.queued(id, order: Double(id))
          (job.state, job.repository.fullName) = (.forwarded, repository)
          change(&job)
          return job
        }
        let other = JobClass(scope: "acme", labels: ["arm"])
        let fork = left(3, "acme/b") { $0.run = RunContext(event: "pull_request", path: nil, headRepositoryID: 9, actor: nil) }
        let stored = try await store.commit {
          $0.jobs = [
            Sample.queued(1, order: 1), left(2, "acme/c") { $0.estimate = Estimate(resources: wide, sources: []) }, fork,
            left(4, "acme/a") { $0.jobClass = other }, left(5, "acme/d") { $0.jobClass = nil },
          ]
        }.jobs
        let queue = try #require(try await store.queue(heads: 3).first)
        #expect(queue.count == 1 && queue.heads.map(\.forgeID) == [1] && !queue.holdsForkJob && queue.largest == nil)
        #expect(queue.left == LeftJobs(holdsForkJob: true, largest: wide, repositories: ["acme/b", "acme/c"]))
        #expect(try await store.planningView(heads: 3).queue == [queue])
        var taken = stored[2]
        taken.state = .running
        let running = taken
        try await store.commit { $0.jobs = [running] }
        let after = try #require(try await store.queue(heads: 3).first)
        #expect(after.left == LeftJobs(holdsForkJob: false, largest: wide, repositories: ["acme/c"]))
        // Of whose run nothing is known.
        let unclear = left(6, "acme/c") { ($0.run, $0.repository.isPrivate) = (nil, false) }
        try await store.commit { $0.jobs = [unclear] }
        #expect(try await store.queue(heads: 3).first?.left.holdsForkJob == true)
      },
      StoreContract("the queue follows enqueueing, a change of class, assignment, a failed start and the end") { store async throws in
        func counts() async throws -> [JobClass: Int] {
          Dictionary(uniqueKeysWithValues: try await store.queue(heads: 1).map { ($0.jobClass, $0.count) })
        }
        let other = JobClass(scope: "acme", labels: ["arm"])
        var job = try #require(try await store.commit { $0.jobs = [Sample.job(1)] }.jobs.first)
        func change(_ edit: (inout Job) -> Void) async throws {
          edit(&job)
          let changed = job
          job = try #require(try await store.commit { $0.jobs = [changed] }.jobs.first)
        }
        #expect(try await counts() == [:])
        try await change {
          $0.state = .queued
          $0.jobClass = Sample.linux
          $0.orderKey = 1
        }
        #expect(try await counts() == [Sample.linux: 1])
        try await change { $0.placementReason = "no container is free" }
        #expect(try await counts() == [Sample.linux: 1])
        try await change { $0.jobClass = other }
        #expect(try await counts() == [other: 1])
        try await change { $0.state = .assigned }
        #expect(try await counts() == [:])
        try await change { $0.state = .queued }
        #expect(try await counts() == [other: 1])
        try await change { $0.state = .cancelled }
        #expect(try await counts() == [:])
      },
    ]
  }
}
