import Domain
import Foundation
import Logging
import Testing

@testable import RunnerHub

/// Jobs of another CI platform beside GitHub's, with the same numbers and names.
struct SourceTests {
  /// The same name and id as the repository at GitHub.
  private static let project = Repository(id: 1, fullName: "acme/shop", isPrivate: true, defaultBranch: "main", source: "gitlab")
  private static let labels = ["self-hosted", "linux"]

  private static func report(
    _ id: Int64, _ action: String?, status: String? = nil, conclusion: String? = nil, runner: String? = nil,
    repository: Repository = project, images: [String]? = nil
  ) -> JobReport {
    var report = Bench.report(id, action, status: status, conclusion: conclusion, runner: runner, repository: repository)
    report.organization = nil
    report.run = RunContext(event: "push", path: nil, headRepositoryID: repository.isPrivate ? repository.id : nil, actor: nil)
    report.definition = images.map { images in
      .found(
        DefinitionFinding.Definition(
          path: "gitlab", commit: report.headSHA, key: report.name, isExact: true, images: images, environment: nil, timeoutMinutes: nil))
    }
    return report
  }

  private static func pools(_ change: (inout Pool) -> Void = { _ in }) -> [Pool] {
    [
      Bench.pool(),
      Bench.pool { pool in
        pool.name = "gitlab"
        pool.source = "gitlab"
        change(&pool)
      },
    ]
  }

  private static func bench(_ change: (inout Pool) -> Void = { _ in }) throws -> Bench { try Bench { $0.pools = pools(change) } }

  @Test("jobs of one number at two sources are two jobs, and an event of one is none of the other's") func sameNumbers() async throws {
    let bench = try Self.bench()
    try await bench.deliver(Bench.report(7, "queued"), Self.report(7, "queued"))
    #expect(try await bench.store.recentJobs(limit: 9).map(\.id.rawValue).sorted() == ["7", "gitlab-7"])
    try await bench.deliver(Self.report(7, "completed", conclusion: "cancelled"))
    #expect(try await bench.job(7).state == .received)
    #expect(try await bench.job(7, of: "gitlab").state == .cancelled)
    #expect(try await bench.store.jobs(ofRun: 100, attempt: 1, source: nil).map(\.id.rawValue) == ["7"])
    #expect(try await bench.store.jobs(ofRun: 100, attempt: 1, source: "gitlab").map(\.id.rawValue) == ["gitlab-7"])
    #expect(JobID(source: "gitlab", forgeID: 123, attempt: 2).rawValue == "gitlab-123.2")
    #expect(JobID(source: "git-lab", forgeID: 123, attempt: 2).forgeID == 123)
    #expect(JobID(forgeID: 5, attempt: 1).forgeID == 5)
  }

  @Test("each runs in a pool of its source, on a runner that its own platform registered") func pools() async throws {
    let bench = try Self.bench()
    try await bench.deliver(Bench.report(7, "queued"), Self.report(7, "queued"))
    try await bench.decide()
    try await bench.plan()
    try await bench.work()
    for (source, forge, pool) in [(nil, bench.forge, "p"), ("gitlab", bench.gitlab, "gitlab")] as [(String?, FakeForge, String)] {
      let assignment = try await bench.assignment(of: 7, at: source)
      #expect(assignment.phase == .started)
      #expect(forge.runnerNames == [assignment.id.rawValue])
      #expect(try await bench.container(assignment.containerID).pool == pool)
    }
    let request = try #require(bench.gitlab.with { $0.runners.values.first })
    #expect(request.jobClass.scope == "gitlab:acme/shop")
    #expect(request.jobClass.localScope == "acme/shop")
    #expect(request.job?.forgeID == 7)
    // The hook and the introduction are GitHub's.
    let container = try await bench.assignment(of: 7, at: "gitlab").containerID
    let files = bench.engine.with { $0.boxes[container]?.files.keys.sorted() }
    #expect(files == [".runner", ".runnerhub-go"])
  }

  @Test("a job of a source that no pool is made for is left to its platform") func noPool() async throws {
    let bench = try Bench()
    try await bench.deliver(Self.report(7, "queued"))
    try await bench.decide()
    let job = try await bench.job(7, of: "gitlab")
    #expect(job.state == .forwarded)
    #expect(job.routeReason == "no pool offers [linux, self-hosted] to gitlab")
  }

  @Test("a platform that names a runner of another source means one of its own") func strangerNames() async throws {
    let bench = try Self.bench()
    let assignment = try await bench.begin(1)
    try await bench.deliver(Self.report(9, "in_progress", runner: assignment.id.rawValue))
    #expect(try await bench.now(assignment).jobID == JobID(forgeID: 1, attempt: 1))
    #expect(try await bench.job(1).state == .starting)
    #expect(try await bench.job(9, of: "gitlab").ranOn == .traditional)
  }

  @Test("runners of one source are exchanged among its own jobs") func exchange() async throws {
    let bench = try Self.bench()
    try await bench.deliver(Self.report(1, "queued"), Self.report(2, "queued"), Bench.report(1, "queued"), Bench.report(2, "queued"))
    try await bench.decide()
    try await bench.plan()
    try await bench.work()
    let (first, second) = (try await bench.assignment(of: 1, at: "gitlab"), try await bench.assignment(of: 2, at: "gitlab"))
    let untouched = try await bench.assignment(of: 1)
    try await bench.deliver(Self.report(1, "in_progress", runner: second.id.rawValue))
    #expect(try await bench.now(second).jobID.rawValue == "gitlab-1")
    #expect(try await bench.now(first).jobID.rawValue == "gitlab-2")
    #expect(try await bench.now(untouched) == untouched)
  }

  @Test("a container that served a project is not kept for a repository of that name at GitHub") func trust() async throws {
    let bench = try Self.bench { $0.reuse = ReuseRule(maximumUses: 5, maximumAgeSeconds: 3600) }
    try await bench.deliver(Self.report(7, "queued"))
    try await bench.decide()
    try await bench.plan()
    try await bench.work()
    let assignment = try await bench.assignment(of: 7, at: "gitlab")
    try await bench.deliver(Self.report(7, "in_progress", runner: assignment.id.rawValue))
    bench.engine.endUse(assignment.containerID)
    bench.gitlab.runnerLeft(assignment.id.rawValue)
    try await bench.deliver(Self.report(7, "completed", conclusion: "success", runner: assignment.id.rawValue))
    try await bench.work()
    let container = try await bench.container(assignment.containerID)
    #expect(container.state == .ready)
    #expect(container.trustScope == "gitlab:acme/shop")
    #expect(try await bench.job(7, of: "gitlab").conclusion == .success)
    #expect(try await bench.job(7, of: "gitlab").ranOn == .orchestrator)
  }

  @Test("a source that is away makes its own jobs wait, and no other's") func away() async throws {
    let bench = try Self.bench()
    bench.forges.remove("gitlab")
    try await bench.deliver(Bench.report(7, "queued"), Self.report(7, "queued"))
    try await bench.decide()
    try await bench.plan()
    let reasons = try await bench.work()
    #expect(reasons == ["registration: source gitlab is not there: no plugin of that name runs"])
    #expect(try await bench.assignment(of: 7).phase == .started)
    let waiting = try await bench.job(7, of: "gitlab")
    #expect(waiting.state == .assigned)
    #expect(waiting.tries == 0)
    bench.forges.add(bench.gitlab, as: "gitlab")
    try await bench.work()
    #expect(try await bench.assignment(of: 7, at: "gitlab").phase == .started)
  }

  @Test("a runner that ended without news is asked for at its own platform") func reconciled() async throws {
    let bench = try Self.bench()
    try await bench.deliver(Self.report(7, "queued"))
    try await bench.decide()
    try await bench.plan()
    try await bench.work()
    let assignment = try await bench.assignment(of: 7, at: "gitlab")
    bench.engine.endUse(assignment.containerID)
    bench.gitlab.runnerLeft(assignment.id.rawValue)
    bench.gitlab.with { $0.jobs[7] = Self.report(7, nil, status: "completed", conclusion: "failure", runner: assignment.id.rawValue) }
    bench.clock.advance(10)
    await bench.makeReconciler().turn()
    let job = try await bench.job(7, of: "gitlab")
    #expect(job.state == .completed)
    #expect(job.conclusion == .failure)
    #expect(bench.forge.count(.job) == 0)
  }

  @Test("jobs of which no event told are found by asking for all that are open") func open() async throws {
    let bench = try Self.bench()
    bench.gitlab.with { state in
      state.jobs = [7: Self.report(7, nil, status: "queued"), 8: Self.report(8, nil, status: "completed", conclusion: "success")]
    }
    let desk = SourceDesk(
      transactor: bench.transactor, forge: bench.forges, reducer: bench.reducer, settings: bench.settings, logger: Logger(label: "test"))
    #expect(await desk.turn("gitlab") == 1)
    #expect(try await bench.job(7, of: "gitlab").state == .received)
    #expect(await desk.turn("gitlab") == 0)
    #expect(await desk.turn("jenkins") == 0, "one that is not there has nothing")
    // GitHub is not searched for a repository that is another's.
    #expect(await bench.makeSweeper().turn() == 0)
    #expect(bench.forge.count(.search) == 0)
  }

  // MARK: Host rules

  @Test(
    "an image allow-list holds for the image that the event tells, and an untold one is unknown",
    arguments: [
      (["ghcr.io/acme/tool"], nil), (["docker.io/library/alpine"], "is not approved"),
      (nil, "its definition is unknown (gitlab does not tell the image of the job), and pool gitlab requires it"),
    ] as [([String]?, String?)])
  func images(images: [String]?, refusal: String?) async throws {
    let bench = try Self.bench {
      $0.allowedImages = ["ghcr.io/acme/*"]
      $0.definition = .required
    }
    try await bench.deliver(Self.report(7, "queued", images: images))
    try await bench.decide()
    let job = try await bench.job(7, of: "gitlab")
    #expect(refusal.map { job.refusal?.contains($0) == true } ?? (job.refusal == nil), "\(job.refusal ?? "not refused")")
    #expect(job.state == (refusal == nil ? .queued : .refused))
    #expect(bench.forge.count(.run) == 0, "its text is not looked for at GitHub")
  }

  @Test("while a refused job waits there, no runner of its class is made, since no hook could fail it") func refused() async throws {
    let bench = try Self.bench {
      $0.allowedImages = ["ghcr.io/acme/*"]
      $0.definition = .required
    }
    try await bench.deliver(Self.report(7, "queued", images: ["evil"]), Self.report(8, "queued", images: ["ghcr.io/acme/tool"]))
    try await bench.decide()
    try await bench.plan()
    try await bench.work()
    #expect(bench.gitlab.runnerNames.isEmpty)
    let held = try await bench.job(8, of: "gitlab")
    #expect(held.state == .queued)
    #expect(held.tries == 0)
    #expect(held.lastFailure?.contains("a refused job of its class still waits at gitlab") == true)
    // Nor is a runner made that should fail it.
    bench.gitlab.set(.forbidden("no right"), on: .cancel)
    let reporter = StatusReporter(
      store: bench.store, forge: bench.forges, source: "gitlab", wakeUp: WakeUp(), monitor: nil, logger: Logger(label: "test"),
      now: { [clock = bench.clock] in clock.now })
    _ = await reporter.turn()
    #expect(bench.gitlab.count(.cancel) == 1)
    #expect(try await bench.job(7, of: "gitlab").refusalAction == nil)
    try await bench.deliver(Self.report(7, "completed", conclusion: "cancelled"))
    bench.clock.advance(60)
    try await bench.plan()
    try await bench.work()
    #expect(try await bench.assignment(of: 8, at: "gitlab").phase == .started)
  }

  @Test("a public project's job counts as a fork's unless its platform says whose code it is", arguments: [true, false])
  func forks(isTold: Bool) async throws {
    let bench = try Self.bench()
    var project = Self.project
    project.isPrivate = false
    var report = Self.report(7, "queued", repository: project)
    if isTold { report.run?.headRepositoryID = project.id }
    try await bench.deliver(report)
    try await bench.decide()
    #expect(try await bench.job(7, of: "gitlab").state == (isTold ? .queued : .refused))
  }

  // MARK: Reporting

  @Test("each source has its own reporter: what is owed to one that is away stays owed, and the other is told") func reporters()
    async throws
  {
    let bench = try Self.bench()
    try await bench.deliver(Bench.report(7, "queued"), Self.report(7, "queued"))
    try await bench.decide()
    bench.gitlab.set(.unavailable("its plugin is away"), on: .publish)
    func reporter(_ source: String?) -> StatusReporter {
      StatusReporter(
        store: bench.store, forge: bench.forges, source: source, wakeUp: WakeUp(), monitor: nil, logger: Logger(label: "test"),
        now: { [clock = bench.clock] in clock.now })
    }
    _ = await reporter(nil).turn()
    #expect(bench.forge.count(.publish) == 1)
    #expect(bench.gitlab.count(.publish) == 0)
    let toGitlab = reporter("gitlab")
    _ = await toGitlab.turn()
    #expect(try await bench.store.effectCount() == 1)
    bench.gitlab.set(nil, on: .publish)
    bench.clock.advance(60)
    _ = await toGitlab.turn()
    #expect(bench.forge.count(.publish) == 1)
    #expect(bench.gitlab.count(.publish) == 2)
    #expect(try await bench.store.effectCount() == 0)
  }

  @Test("effects, statuses and jobs that an earlier version stored are GitHub's") func earlierRows() throws {
    let kind = try JSONDecoder().decode(
      OutboxEffect.Kind.self, from: Data(#"{"cancelRun":{"jobID":"4","repository":"acme/shop","runID":1}}"#.utf8))
    #expect(kind == .cancelRun(jobID: JobID(rawValue: "4"), repository: "acme/shop", runID: 1))
    let repository = try JSONDecoder().decode(Repository.self, from: Data(#"{"id":1,"fullName":"acme/shop","isPrivate":true}"#.utf8))
    #expect(repository.source == nil)
    #expect(repository.qualifiedName == "acme/shop")
  }
}
