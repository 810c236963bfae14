import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  static var jobs: [StoreContract] {
    [
      StoreContract("a job comes back whole, with the version that the commit answered") { store async throws in
        var job = Sample.queued(11, order: 5.125, need: Resources(milliCPUs: 1, memory: ByteCount(bytes: 2)))
        job.conclusion = .other("tired")
        job.definition = .unknown(reason: "no file")
        job.startedAt = Date(timeIntervalSinceReferenceDate: 800_000_000.123_456_7)
        let stored = try #require(try await store.commit { $0.jobs = [job] }.jobs.first)
        job.version = 1
        #expect(stored == job)
        #expect(try await store.job(job.id) == job)
        #expect(try await store.job(JobID(rawValue: "404")) == nil)
      },
      StoreContract("each commit raises the version by one; an old or an unknown version is a conflict, and so is a second new row") {
        store async throws in
        var job = Sample.job(1)
        #expect(try await store.commit { $0.jobs = [job] }.jobs.map(\.version) == [1])
        #expect(try await conflicts { try await store.commit { $0.jobs = [job] } })
        job.version = 1
        job.name = "renamed"
        #expect(try await store.commit { $0.jobs = [job] }.jobs.map(\.version) == [2])
        #expect(try await conflicts { try await store.commit { $0.jobs = [job] } })
        for version in [7, -1, Int.max] {
          job.version = version
          #expect(try await conflicts { try await store.commit { $0.jobs = [job] } })
        }
        var unknown = Sample.job(2)
        unknown.version = 1
        #expect(try await conflicts { try await store.commit { $0.jobs = [unknown] } })
      },
      StoreContract("a conflict in one row undoes the whole commit") { store async throws in
        _ = try await store.append(Sample.delivery("a"))
        let delivery = try #require(try await store.pendingDeliveries(limit: 1).first)
        try await store.commit { $0.jobs = [Sample.job(1)] }
        #expect(
          try await conflicts {
            try await store.commit {
              $0.jobs = [Sample.queued(2, order: 1), Sample.job(1)]
              $0.containers = [Sample.container("c1")]
              $0.deliveries = [DeliveryOutcome(id: delivery.id, status: .processed)]
              $0.effects = [Sample.effect("status/2")]
              $0.memory = ["a": "b"]
            }
          })
        #expect(try await store.job(JobID(rawValue: "2")) == nil)
        #expect(try await store.queue(heads: 1).isEmpty)
        #expect(try await store.liveContainers().isEmpty)
        #expect(try await store.pendingDeliveries(limit: 1).count == 1)
        #expect(try await store.effectCount() == 0)
        #expect(try await store.value(forKey: "a") == nil)
        #expect(try await store.jobCounts() == [.received: 1])
      },
      StoreContract("jobs by state come oldest first over all states, up to the limit") { store async throws in
        try await store.commit {
          $0.jobs = [
            Sample.job(4, state: .running, at: 4), Sample.job(1, at: 1), Sample.job(3, state: .waiting, at: 3), Sample.job(2, at: 2),
          ]
        }
        #expect(try await store.jobs(in: [.received, .waiting, .running], limit: 10).map(\.forgeID) == [1, 2, 3, 4])
        #expect(try await store.jobs(in: [.running, .received], limit: 2).map(\.forgeID) == [1, 2])
        #expect(try await store.jobs(in: Set(JobState.allCases), limit: 3).map(\.forgeID) == [1, 2, 3])
        #expect(try await store.jobs(in: [], limit: 10).isEmpty)
        #expect(try await store.recentJobs(limit: 3).map(\.forgeID) == [4, 3, 2])
      },
      StoreContract("pages of jobs go on after a job, hold each once, and leave out what was received later") { store async throws in
        // Three of them were received at the same time.
        let jobs = [(1, 1.0), (2, 2.0), (3, 2.0), (4, 2.0), (5, 3.0), (6, 9.0)].map { id, second in
          Sample.job(id, state: id.isMultiple(of: 2) ? .waiting : .received, at: second)
        }
        try await store.commit { $0.jobs = jobs + [Sample.job(7, state: .running, at: 1)] }
        var found: [Int64] = []
        var last: Job?
        while true {
          let page = try await store.jobs(in: [.received, .waiting], receivedBefore: Sample.time(5), after: last, limit: 2)
          found += page.map(\.forgeID)
          guard page.count == 2 else { break }
          last = page.last
        }
        #expect(found == [1, 2, 3, 4, 5])
        #expect(try await store.jobs(in: [], receivedBefore: Sample.time(5), after: nil, limit: 2).isEmpty)
      },
      StoreContract("the jobs of a run are those of its attempt") { store async throws in
        var again = Sample.job(12)
        again.runAttempt = 2
        try await store.commit { $0.jobs = [Sample.job(11), again, Sample.job(21), Sample.job(13)] }
        #expect(try await store.jobs(ofRun: 1, attempt: 1, source: nil).map(\.forgeID).sorted() == [11, 13])
        #expect(try await store.jobs(ofRun: 1, attempt: 2, source: nil).map(\.forgeID) == [12])
      },
      StoreContract("the newest job of each repository seen since comes, the newest first, up to the limit") { store async throws in
        var jobs = [Sample.job(1, at: 1), Sample.job(2, at: 5), Sample.job(3, at: 3), Sample.job(4, at: 9), Sample.job(5, at: 4)]
        for (index, name) in ["acme/a", "acme/a", "acme/b", "acme/c", "acme/b"].enumerated() { jobs[index].repository.fullName = name }
        let stored = jobs
        try await store.commit { $0.jobs = stored }
        #expect(try await store.newestJobs(byRepositorySince: Sample.time(0), limit: 10).map(\.forgeID) == [4, 2, 5])
        #expect(try await store.newestJobs(byRepositorySince: Sample.time(0), limit: 2).map(\.forgeID) == [4, 2])
        #expect(try await store.newestJobs(byRepositorySince: Sample.time(5), limit: 10).map(\.forgeID) == [4, 2])
        #expect(try await store.newestJobs(byRepositorySince: Sample.time(50), limit: 10).isEmpty)
        #expect(try await store.newestJobs(byRepositorySince: Sample.time(0), limit: 0).isEmpty)
      },
      StoreContract("counts by state follow every change") { store async throws in
        var jobs = try await store.commit { $0.jobs = [Sample.job(1), Sample.job(2)] }.jobs
        #expect(try await store.jobCounts() == [.received: 2])
        jobs[0].state = .completed
        jobs[1].name = "renamed"
        try await store.commit { $0.jobs = jobs }
        #expect(try await store.jobCounts() == [.received: 1, .completed: 1])
      },
      StoreContract("only refused jobs for the hook come, oldest first") { store async throws in
        var jobs = (1...4).map { Sample.job($0, state: .refused, at: 10 - Double($0)) }
        for index in [0, 1, 2] { jobs[index].refusalAction = .failByHook }
        jobs[2].state = .completed
        let refused = jobs
        try await store.commit { $0.jobs = refused }
        #expect(try await store.refusedJobsForHook(limit: 10).map(\.forgeID) == [2, 1])
        #expect(try await store.refusedJobsForHook(limit: 1).map(\.forgeID) == [2])
      },
      StoreContract("waits are the seconds from queued to started of the jobs started since") { store async throws in
        var jobs = (1...4).map { Sample.queued($0, order: 0) }
        for (index, started) in [5.5, 20, 30].enumerated() {
          jobs[index].state = .running
          jobs[index].startedAt = Sample.time(started)
        }
        jobs[2].queuedAt = nil
        let started = jobs
        try await store.commit { $0.jobs = started }
        #expect(try await store.waits(since: Sample.time(0)).sorted() == [5.5, 20])
        #expect(try await store.waits(since: Sample.time(6)) == [20])
      },
    ]
  }
}
