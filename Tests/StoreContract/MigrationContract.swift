import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  /// Which side jobs ran on, which bundles differed, what people asked for.
  static var migration: [StoreContract] {
    [
      StoreContract("jobs are counted by the side that ran them, whatever their route, and by repository, workflow, label set and cause") {
        store async throws in
        try await store.commit { $0.jobs = Scene.jobs }
        let all = try #require(try await store.migrationRows(by: .all, since: Sample.time(0), limit: 9).first)
        #expect(all.key == "all" && all.jobs == 5)
        #expect(
          [all.orchestrator.jobs, all.orchestrator.succeeded, all.orchestrator.failed, all.orchestrator.open] as [Int] == [2, 1, 1, 0])
        #expect(
          [all.traditional.jobs, all.traditional.succeeded, all.traditional.cancelled, all.traditional.open] as [Int] == [3, 1, 1, 1])
        #expect(all.causes == ["policy": 2, "no-pool": 1])
        #expect(all.orchestrator.failureRate == 0.5 && all.traditional.failureRate == 0)

        let repositories = try await store.migrationRows(by: .repository, since: Sample.time(0), limit: 9)
        #expect(repositories.map(\.key) == ["acme/storefront", "acme/tools"])
        #expect(repositories.map(\.jobs) == [4, 1])
        let workflows = try await store.migrationRows(by: .workflow, since: Sample.time(0), limit: 9)
        #expect(workflows.map(\.key) == ["acme/storefront · CI", "acme/storefront · unknown", "acme/tools · unknown"])
        let labels = try await store.migrationRows(by: .label, since: Sample.time(0), limit: 9)
        #expect(labels.map(\.key) == ["linux,self-hosted", "windows"])
        #expect(labels.last?.causes == ["no-pool": 1])
        let reasons = try await store.migrationRows(by: .reason, since: Sample.time(0), limit: 9)
        #expect(reasons.map(\.key).contains("no-pool: no pool offers [windows]"))
        #expect(try await store.migrationRows(by: .reason, since: Sample.time(0), limit: 1).count == 1)
      },
      StoreContract("a job that came before the period does not count, one that has no route does not, and a changed one counts once") {
        store async throws in
        var job = Scene.jobs[0]
        job.runnerName = nil
        job.state = .queued
        try await store.commit { $0.jobs = [Sample.job(9)] }
        let stored = try await store.commit { $0.jobs = [job] }
        job = try #require(stored.jobs.first)
        #expect(try await store.migrationRows(by: .all, since: Sample.time(0), limit: 9).map(\.orchestrator.open) == [1])
        job.state = .failed
        try await store.commit { $0.jobs = [job] }
        let row = try #require(try await store.migrationRows(by: .all, since: Sample.time(0), limit: 9).first)
        #expect([row.jobs, row.orchestrator.open, row.orchestrator.failed] as [Int] == [1, 0, 1])
        #expect(try await store.migrationRows(by: .all, since: Sample.time(3600), limit: 9).isEmpty)
      },
      StoreContract("earlier runs of a job are those of its repository, workflow and name that ended well, the newest first") {
        store async throws in
        func job(_ number: Int64, _ change: (inout Job) -> Void = { _ in }) -> Job {
          var job = Scene.job(number, .orchestrator, at: Double(number))
          (job.workflow, job.name) = ("CI", "build")
          job.startedAt = job.receivedAt
          job.completedAt = job.receivedAt.addingTimeInterval(Double(number) * 10)
          (job.state, job.conclusion) = (.completed, .success)
          change(&job)
          return job
        }
        let others = [
          job(4) { $0.name = "test" }, job(5) { $0.workflow = nil }, job(6) { $0.repository.fullName = "acme/other" },
          job(7) { $0.conclusion = .failure }, job(8) { ($0.state, $0.conclusion, $0.completedAt) = (.running, nil, nil) },
        ]
        try await store.commit { $0.jobs = [job(1), job(2), job(3)] + others }
        let lineage = JobLineage(job(1))
        #expect(try await store.earlierRuns(of: lineage, limit: 9).map(\.seconds) == [30, 20, 10])
        #expect(try await store.earlierRuns(of: lineage, limit: 2).map(\.receivedAt) == [job(3).receivedAt, job(2).receivedAt])
        #expect(try await store.earlierRuns(of: lineage, limit: 0).isEmpty)
        #expect(try await store.earlierRuns(of: JobLineage(others[1]), limit: 9).map(\.seconds) == [50])
      },
      StoreContract("waits and durations are the nearest ranks of those that have one") { store async throws in
        var jobs: [Job] = []
        for number in 1...100 {
          var job = Scene.job(Int64(number), .orchestrator, at: Double(number))
          job.queuedAt = job.receivedAt
          job.startedAt = job.receivedAt.addingTimeInterval(Double(number))
          job.completedAt = job.startedAt?.addingTimeInterval(Double(number) * 10)
          job.state = .completed
          job.conclusion = .success
          jobs.append(job)
        }
        jobs.append(Scene.job(101, .orchestrator, at: 101))
        let shuffled = jobs.sorted { StableHash.percent($0.id.rawValue) < StableHash.percent($1.id.rawValue) }
        try await store.commit { $0.jobs = shuffled }
        let side = try #require(try await store.migrationRows(by: .all, since: Sample.time(0), limit: 9).first).orchestrator
        #expect(side.waitP50 == 50 && side.waitP95 == 95 && side.runP50 == 500 && side.runP95 == 950)
      },
      StoreContract("runners that are not ours are told by repository and label set, the latest first") { store async throws in
        try await store.commit { $0.jobs = Scene.jobs }
        let work = try await store.traditionalWork(since: Sample.time(0), limit: 9)
        #expect(work.map(\.runner) == ["old-2", "old-1"])
        #expect(work.map(\.jobs) == [1, 1])
        #expect(work.last?.lastJob == Scene.jobs[2].id && work.last?.lastAt == Scene.jobs[2].receivedAt)
        #expect(work.last?.labels == ["self-hosted", "linux"])
      },
      StoreContract("the demand of a workflow names its newest job and what of it others have or had") { store async throws in
        try await store.commit { $0.jobs = Scene.jobs }
        let demands = try await store.workflowDemands(since: Sample.time(0), limit: 9)
        let ci = try #require(demands.first)
        #expect(ci.workflow == "CI" && ci.jobs == 3 && ci.traditional == 1 && ci.newest == Scene.jobs[2].id)
        #expect(demands.first { $0.labels == ["windows"] }?.openTraditional == 1)
        #expect(demands.allSatisfy { $0.hosted == 0 })
        #expect(ci.selfHosted == 1)
      },
      StoreContract("jobs that no runner took, cancelled or open, are neither the work of GitHub's machines nor a self-hosted runner's") {
        store async throws in
        let cancelled = Scene.job(3, .traditional, cause: .noPool, at: 3) { ($0.state, $0.conclusion) = (.cancelled, .cancelled) }
        let waiting = Scene.job(4, .traditional, cause: .noPool, at: 4) { $0.state = .forwarded }
        let running = Scene.job(5, .traditional, cause: .noPool, at: 5) { ($0.state, $0.runnerName) = (.running, "GitHub Actions 7") }
        let hosted = Scene.job(1, .traditional, cause: .noPool, at: 1) { Scene.ended(&$0, on: "GitHub Actions 3", ours: false) }
        try await store.commit { $0.jobs = [hosted, cancelled, waiting, running] }
        let ours = try #require(try await store.workflowDemands(since: Sample.time(0), limit: 9).first)
        #expect([ours.jobs, ours.traditional, ours.openTraditional, ours.hosted, ours.selfHosted] as [Int] == [4, 4, 2, 2, 0])
        let own = Scene.job(2, .traditional, cause: .noPool, at: 2) { Scene.ended(&$0, on: "old-1", ours: false) }
        try await store.commit { $0.jobs = [own] }
        #expect(try await store.workflowDemands(since: Sample.time(0), limit: 9).first?.selfHosted == 1)
      },
      StoreContract("a job counts for the side whose runner took it, though its assignment is gone") { store async throws in
        let job = Scene.job(1, .traditional, at: 1) {
          Scene.ended(&$0, on: "rh-1", ours: false)
          $0.ranOn = .orchestrator
        }
        try await store.commit { $0.jobs = [job] }
        #expect(try await store.migrationRows(by: .all, since: Sample.time(0), limit: 9).first?.orchestrator.succeeded == 1)
        #expect(try await store.traditionalWork(since: Sample.time(0), limit: 9).isEmpty)
      },
      StoreContract("comparisons are counted by bundles and answers, and differing decisions are listed in pages") { store async throws in
        func decision(_ kind: String, _ output: String, _ other: String?, canary: Bool = false, at seconds: Double = 1) -> DecisionRecord {
          DecisionRecord(
            kind: kind, jobID: JobID(rawValue: "1"), pool: nil, output: output, reason: "r", bundle: "aaa", fallbackCause: nil,
            microseconds: 1, at: Sample.time(seconds),
            shadow: other.map { ShadowVerdict(bundle: "bbb", output: $0, reason: "s", differs: $0 != output) }, isCanary: canary)
        }
        try await store.commit {
          $0.decisions = [
            decision("priority", "NORMAL", "HIGH"), decision("priority", "NORMAL", "HIGH"), decision("priority", "LOW", "HIGH"),
            decision("priority", "NORMAL", "NORMAL"), decision("priority", "NORMAL", nil), decision("affinity", "warm-1", "warm-2"),
            decision("routing", "traditional", "orchestrator", canary: true), decision("routing", "traditional", "orchestrator", at: -9),
          ]
        }
        let counts = try await store.comparisons(since: Sample.time(0))
        #expect(counts.map(\.kind) == ["affinity", "priority", "routing"])
        #expect(counts.map(\.same) == [0, 1, 0] && counts.map(\.differs) == [1, 3, 1])
        #expect(counts.map(\.changes) == [[:], ["NORMAL → HIGH": 2, "LOW → HIGH": 1], ["traditional → orchestrator": 1]])
        #expect(counts.map(\.isCanary) == [false, false, true])
        #expect(counts.allSatisfy { $0.bundle == "aaa" && $0.other == "bbb" })
        let first = try await store.differences(since: Sample.time(0), kind: "priority", after: 0, limit: 2)
        #expect(first.map(\.record.output) == ["NORMAL", "NORMAL"] && first.map(\.record.shadow?.output) == ["HIGH", "HIGH"])
        let rest = try await store.differences(since: Sample.time(0), kind: "priority", after: try #require(first.last).id, limit: 9)
        #expect(rest.map(\.record.output) == ["LOW"])
        #expect(try await store.differences(since: Sample.time(0), kind: nil, after: 0, limit: 9).count == 5)
      },
      StoreContract("audit events come back, the newest first") { store async throws in
        let events = (1...3).map { AuditEvent(at: Sample.time(Double($0)), actor: "api", action: "migration-refused", detail: "\($0)") }
        try await store.commit { $0.audit = events }
        let read = try await store.auditEvents(limit: 2)
        #expect(read.map(\.detail) == ["3", "2"])
        #expect(read.map(\.id).sorted() == read.map(\.id).reversed())
        #expect(read.first?.at == events[2].at && read.first?.actor == "api" && read.first?.action == "migration-refused")
      },
    ]
  }
}

/// Five jobs on two sides.
private enum Scene {
  static func job(_ id: Int64, _ route: Route, cause: RouteCause = .policy, at seconds: Double, _ change: (inout Job) -> Void = { _ in })
    -> Job
  {
    var job = Sample.job(id, at: seconds)
    job.labels = ["Self-Hosted", "linux"]
    job.workflow = "CI"
    (job.route, job.routeCause, job.routeReason) = (route, cause, "as it goes")
    if route == .orchestrator { job.queuedAt = job.receivedAt } else { job.forwardedAt = job.receivedAt }
    change(&job)
    return job
  }

  static func ended(_ job: inout Job, on runner: String, ours: Bool, _ conclusion: Conclusion = .success) {
    job.runnerName = runner
    if ours { job.assignment = AssignmentID(rawValue: runner) }
    job.startedAt = job.receivedAt.addingTimeInterval(2)
    job.completedAt = job.receivedAt.addingTimeInterval(12)
    (job.state, job.conclusion) = (.completed, conclusion)
  }

  static let jobs = [
    job(1, .orchestrator, at: 1) { ended(&$0, on: "rh-1", ours: true) },
    job(2, .orchestrator, at: 2) { ended(&$0, on: "rh-2", ours: true, .failure) },
    // Routed here, and taken by a runner that is not ours.
    job(3, .orchestrator, at: 3) { ended(&$0, on: "old-1", ours: false) },
    job(4, .traditional, cause: .noPool, at: 4) {
      ($0.labels, $0.workflow, $0.routeReason, $0.state) = (["windows"], nil, "no pool offers [windows]", .running)
      ($0.runnerName, $0.startedAt) = ("old-2", $0.receivedAt)
    },
    job(5, .traditional, at: 5) {
      ($0.workflow, $0.repository.fullName, $0.state, $0.conclusion) = (nil, "acme/tools", .cancelled, .cancelled)
    },
  ]
}
