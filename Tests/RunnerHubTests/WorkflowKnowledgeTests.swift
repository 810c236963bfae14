import Domain
import Foundation
import RunnerHub
import Testing
import Workflow

@Suite("What workflow files, repositories and earlier runs say of a job")
struct WorkflowKnowledgeTests {
  private static let commit = String(repeating: "a", count: 40)
  private static let other = String(repeating: "b", count: 40)
  private static let path = ".github/workflows/ci.yml"

  /// A bench whose forge knows run 100.
  private func bench(
    _ files: [String: String], calledCommits: [String: String]? = nil, _ change: (inout Settings) -> Void = { _ in }
  ) throws -> Bench {
    let bench = try Bench {
      $0.definitionTimeLimit = .seconds(5)
      change(&$0)
    }
    bench.forge.with {
      $0.runs[100] = RunReport(
        action: nil, id: 100, attempt: 1, repository: "acme/shop", headSHA: Self.commit, status: "queued", conclusion: nil,
        context: RunContext(event: "push", path: Self.path, headRepositoryID: 1, actor: nil), definitionRefs: [Self.commit],
        calledCommits: calledCommits)
      $0.files = files
    }
    return bench
  }

  private func story(_ bench: Bench, _ id: Int64) async throws -> [String] {
    try await bench.store.timeline(ofJob: JobID(forgeID: id, attempt: 1)).map(\.text)
  }

  private static let plain = "on: push\njobs:\n  build:\n    runs-on: [self-hosted, linux]\n    steps:\n      - run: make\n"
  private static func caller(_ reference: String) -> String { "on: push\njobs:\n  ci:\n    uses: \(reference)\n" }
  private static func called(_ image: String) -> String {
    """
    on: workflow_call
    jobs:
      # runnerhub: cpus=3
      build:
        runs-on: [self-hosted, linux]
        container: \(image)
        steps:
          - run: make
    """
  }

  // MARK: Called workflows

  @Test("a job of a called workflow of the same repository is found at the same commit, with its images and its comment")
  func local() async throws {
    let bench = try bench([
      "\(Self.path)@\(Self.commit)": Self.caller("./.github/workflows/build.yml"),
      ".github/workflows/build.yml@\(Self.commit)": Self.called("node:22"),
    ])
    try await bench.deliver(Bench.report(7, "queued", name: "ci / build"), Bench.report(8, "queued", name: "ci / build"))
    try await bench.decide()
    let job = try await bench.job(7)
    let definition = try #require(job.definition?.definition, "\(String(describing: job.definition))")
    #expect(definition.key == "build" && definition.calledWorkflow == "./.github/workflows/build.yml" && definition.isExact)
    #expect(definition.images == ["node:22"] && definition.path == Self.path)
    #expect(job.estimate?.resources.milliCPUs == 3_000)
    #expect(try await story(bench, 7).contains { $0.hasPrefix("definition \(Self.path), called ./.github/workflows/build.yml, job build") })
    // Both files and the hints, once for both jobs.
    #expect(bench.forge.count(.file) == 3)
  }

  @Test(
    "a workflow of another repository is read at the commit that the run names; by a branch alone it is not certain",
    arguments: [true, false])
  func remote(isNamed: Bool) async throws {
    let reference = "acme/ci/.github/workflows/build.yml@main"
    let bench = try bench(
      [
        "\(Self.path)@\(Self.commit)": Self.caller(reference),
        "acme/ci/.github/workflows/build.yml@\(Self.other)": Self.called("node:22"),
        "acme/ci/.github/workflows/build.yml@main": Self.called("node:23"),
      ], calledCommits: isNamed ? [reference: Self.other] : nil)
    try await bench.queue(7, name: "ci / build")
    let definition = try #require(try await bench.job(7).definition?.definition)
    #expect(definition.images == [isNamed ? "node:22" : "node:23"])
    #expect(definition.isExact == isNamed && definition.calledWorkflow == reference)
  }

  @Test("what a workflow of another repository calls by ./ is its own repository's, whatever the caller has there")
  func nested() async throws {
    let bench = try bench([
      "\(Self.path)@\(Self.commit)": Self.caller("acme/ci/.github/workflows/outer.yml@\(Self.other)"),
      "acme/ci/.github/workflows/outer.yml@\(Self.other)": """
      on: workflow_call
      jobs:
        inner:
          uses: ./.github/workflows/build.yml
      """,
      "acme/ci/.github/workflows/build.yml@\(Self.other)": Self.called("node:22"),
      "acme/shop/.github/workflows/build.yml@\(Self.commit)": Self.called("evil:1"),
    ])
    try await bench.queue(7, name: "ci / inner / build")
    let definition = try #require(try await bench.job(7).definition?.definition)
    #expect(definition.images == ["node:22"] && definition.isExact)
    #expect(definition.calledWorkflow == "acme/ci/.github/workflows/build.yml@\(Self.other)")
  }

  @Test("a called workflow that cannot be read leaves its jobs unknown, with the reason, and the caller's own jobs known")
  func unread() async throws {
    let file =
      Self.caller("acme/secret/.github/workflows/x.yml@v1") + "  own:\n    runs-on: [self-hosted, linux]\n    steps: [{ run: x }]\n"
    let bench = try bench(["\(Self.path)@\(Self.commit)": file])
    try await bench.queue(7, name: "ci / build")
    try await bench.queue(8, name: "own")
    let unknown = try await bench.job(7).definition
    #expect(
      unknown
        == .unknown(
          reason: "'ci / build' runs in a workflow that job 'ci' calls; acme/secret/.github/workflows/x.yml@v1 is not known: "
            + "not found: .github/workflows/x.yml@v1"))
    #expect(try await bench.job(8).definition?.definition?.key == "own")
  }

  @Test("calls without an end are followed over ten levels and no further")
  func depth() async throws {
    var files = ["\(Self.path)@\(Self.commit)": Self.caller("./.github/workflows/1.yml")]
    for level in 1...30 {
      files[".github/workflows/\(level).yml@\(Self.commit)"] =
        "on: workflow_call\njobs:\n  ci:\n    uses: ./.github/workflows/\(level + 1).yml\n"
    }
    let bench = try bench(files)
    try await bench.queue(7, name: "ci / ci / build")
    #expect(try await bench.job(7).definition?.definition == nil)
    #expect(bench.forge.count(.file) <= 11)
  }

  // MARK: Rules

  @Test("a rule that the host grades as an error refuses the job with place and rule, a warning is told in its story")
  func rules() async throws {
    let file = """
      on: push
      jobs:
        build:
          runs-on: [self-hosted, linux]
          steps:
            - uses: actions/checkout@v4
        test:
          runs-on: [self-hosted, linux]
          steps:
            - run: make
      """
    let files = ["\(Self.path)@\(Self.commit)": file]
    let strict = try bench(files) { settings in
      settings.workflow.rules[.unpinnedAction] = .error
    }
    try await strict.queue(7, name: "build")
    try await strict.queue(8, name: "test")
    let refused = try await strict.job(7)
    #expect(refused.state == .refused)
    #expect(
      refused.refusal?.hasPrefix("its workflow file breaks a rule of this host: .github/workflows/ci.yml:6:15: ") == true
        && refused.refusal?.hasSuffix("[unpinned-action]") == true, "\(refused.refusal ?? "")")
    #expect(try await strict.job(8).state == .queued, "the other job of the file has done nothing wrong")

    let mild = try bench(files)
    try await mild.queue(7, name: "build")
    #expect(try await mild.job(7).state == .queued)
    #expect(try await story(mild, 7).contains { $0.hasPrefix("advice: .github/workflows/ci.yml:6:15: ") })
    let silent = try bench(files) { $0.workflow.rules[.unpinnedAction] = .off }
    try await silent.queue(7, name: "build")
    #expect(try await story(silent, 7).contains { $0.hasPrefix("advice:") } == false)
  }

  @Test("a file that GitHub would not run is told with its place and what to do")
  func badFile() async throws {
    let bench = try bench(["\(Self.path)@\(Self.commit)": Self.plain.replacing("    steps", with: "    stepz")])
    try await bench.queue(7)
    guard case .unknown(let reason) = try await bench.job(7).definition else {
      Issue.record("it is found")
      return
    }
    #expect(
      reason.hasPrefix(
        "GitHub would not run its workflow file: .github/workflows/ci.yml:5:5: Unexpected value 'stepz' – did you mean 'steps'?"),
      "\(reason)")
  }

  // MARK: Hints

  @Test("a repository's hints are read on its default branch only, within the host's bounds, and asked for once")
  func hints() async throws {
    let hints = "jobs:\n  build: { memory: 64g, cpus: 3, priority: CRITICAL, affinity: [cache, ssd] }\n"
    let bench = try bench([
      "\(Self.path)@\(Self.commit)": Self.plain, ".github/runnerhub.yaml@main": hints,
      ".github/runnerhub.yaml@\(Self.commit)": "jobs: { build: { cpus: 1 } }",
    ])
    try await bench.queue(7)
    let job = try await bench.job(7)
    let estimate = try #require(job.estimate)
    #expect(estimate.resources.milliCPUs == 3_000 && estimate.resources.memory == ByteCount(gibibytes: 8))
    #expect(estimate.priorityHint == .high && estimate.affinityHints == ["cache", "ssd"])
    #expect(estimate.sources.contains("memory 64 GiB cut to 8 GiB by the host"))
    #expect(estimate.sources.contains("priority CRITICAL cut to HIGH by the host"))
    #expect(job.priority == .high && job.priorityReason == "asked for in .github/runnerhub.yaml")
    let asked = bench.forge.count(.file)
    try await bench.queue(8)
    // The bench forgets workflow files between turns.
    #expect(bench.forge.count(.file) == asked + 1)
    #expect(try await bench.job(8).priority == .high)
  }

  @Test("hints that are switched off are not asked for; mistakes in them are told and change nothing else")
  func otherHints() async throws {
    let files = ["\(Self.path)@\(Self.commit)": Self.plain, ".github/runnerhub.yaml@main": "jobs: { build: { cpu: 3, memory: 3g } }"]
    let off = try bench(files) { $0.workflow.readsHints = false }
    try await off.queue(7)
    #expect(off.forge.count(.file) == 1)
    let bad = try bench(files)
    try await bad.queue(7)
    #expect(try await bad.job(7).estimate?.resources.memory == ByteCount(gibibytes: 3))
    let told = try await story(bad, 7)
    #expect(told.contains("remark: .github/runnerhub.yaml:1:18: Unexpected value 'cpu' – did you mean 'cpus'?"), "\(told)")
  }

  // MARK: History and kind

  @Test("a job lasts as long as nine of ten earlier runs of it, and no guess asks for more than its pools have")
  func history() async throws {
    let bench = try bench(["\(Self.path)@\(Self.commit)": Self.plain]) { settings in
      settings.pools = [Bench.pool { $0.resources = Resources(milliCPUs: 1_000, memory: ByteCount(gibibytes: 2)) }]
    }
    var changes = Changes()
    changes.jobs = (1...10 as ClosedRange<Int64>).map { number in
      var job = Job(
        id: JobID(forgeID: number, attempt: 1), forgeID: number, runID: number, runAttempt: 1, repository: Bench.repository,
        workflow: "CI", name: "build", labels: ["linux"], headSHA: Self.commit, state: .completed, createdAt: bench.clock.now,
        receivedAt: bench.clock.now - 60)
      (job.conclusion, job.route) = (.success, .orchestrator)
      (job.startedAt, job.completedAt) = (bench.clock.now - 1_000, bench.clock.now - 1_000 + Double(number) * 10)
      return job
    }
    try await bench.store.commit(changes, at: .jobDecided)
    try await bench.queue(77)
    let estimate = try #require(try await bench.job(77).estimate)
    #expect(estimate.durationSeconds == 90)
    #expect(estimate.resources.milliCPUs == 1_000 && estimate.resources.memory == ByteCount(gibibytes: 2))
    #expect(
      estimate.sources == [
        "CPUs, memory: kind build, cut to what its pools have", "disk, GPUs: default size", "duration: p90 of 10 earlier runs",
      ])
    let told = try await story(bench, 77).last { $0.hasPrefix("estimate ") }
    #expect(told?.hasPrefix("estimate 1 CPU, 2 GiB, 1 min 30 s (CPUs, memory: kind build") == true, "\(told ?? "")")
    #expect(told?.hasSuffix("duration: p90 of 10 earlier runs)") == true, "\(told ?? "")")
  }
}
