import Domain
import Foundation
import RunnerHub
import Testing
import Workflow

@Suite("Deciding received jobs")
struct TriageTests {
  private static let commit = String(repeating: "a", count: 40)

  /// A bench whose forge knows run 100 and its file.
  private func bench(_ file: String?, fork: Bool = false, _ change: @escaping (inout Pool) -> Void = { _ in }) throws -> Bench {
    let bench = try Bench { $0.pools = [Bench.pool(change)] }
    bench.forge.with {
      $0.runs[100] = RunReport(
        action: nil, id: 100, attempt: 1, repository: "acme/shop", headSHA: Self.commit, status: "queued", conclusion: nil,
        context: RunContext(event: "push", path: ".github/workflows/ci.yml", headRepositoryID: fork ? 99 : 1, actor: nil),
        definitionRefs: [Self.commit])
      if let file { $0.files[".github/workflows/ci.yml@\(Self.commit)"] = file }
    }
    return bench
  }

  private static func workflow(_ job: String) -> String {
    "on: push\njobs:\n  build:\n    runs-on: [self-hosted, linux]\n" + job + "    steps:\n      - run: make\n"
  }
  private static let approved = ["docker.io/library/node", "ghcr.io/acme/*"]

  @Test("a job's definition is found, with its estimate and priority")
  func found() async throws {
    let bench = try bench(Self.workflow("    environment: production\n    timeout-minutes: 5\n"))
    try await bench.queue(7, labels: ["self-hosted", "linux"])
    let job = try await bench.job(7)
    #expect(job.state == .queued && job.priority == .critical)
    #expect(job.definition?.definition?.key == "build")
    #expect(job.definition?.definition?.isExact == true)
    #expect(job.estimate?.durationSeconds == 300)
    #expect(job.jobClass == JobClass(scope: "acme/shop", labels: ["linux", "self-hosted"]))
  }

  @Test("what a file asks for is in the estimate, with where it asks, and a label of the job stands above it")
  func requests() async throws {
    let file = Self.workflow(
      "    env: { RUNNERHUB_MEMORY: 3g, RUNNERHUB_MINUTES: 2 }\n    container: { image: 'node:22', options: --cpus 2 }\n")
    let bench = try bench(file)
    try await bench.queue(7, labels: ["self-hosted", "linux"])
    let estimate = try #require(try await bench.job(7).estimate)
    #expect(estimate.resources.milliCPUs == 2_000 && estimate.resources.memory == ByteCount(gibibytes: 3))
    #expect(estimate.durationSeconds == 120)
    #expect(
      estimate.sources == [
        "CPUs: container options", "memory: env RUNNERHUB_MEMORY", "disk, GPUs: default size", "duration: env RUNNERHUB_MINUTES",
      ])
  }

  @Test("what policies want of a definition is found with it, the workflow's own words where the job has none")
  func details() async throws {
    let file = """
      on: push
      concurrency: { group: "ci-${{ github.ref }}", cancel-in-progress: true }
      permissions: read-all
      jobs:
        lint:
          runs-on: [self-hosted, linux]
          steps: [{ run: make lint }]
        build:
          needs: lint
          permissions: { contents: read, id-token: write }
          strategy: { matrix: { os: [ubuntu, alpine], debug: [true] } }
          runs-on: { group: large, labels: [self-hosted, linux] }
          container: "node:${{ matrix.os }}"
          services: { db: { image: "postgres:16" }, cache: { image: "redis:7" } }
          steps: [{ run: make }]
      """
    let bench = try bench(file)
    try await bench.queue(7, name: "build (ubuntu, true)")
    try await bench.queue(8, name: "lint")
    let build = try #require(try await bench.job(7).definition?.definition)
    #expect(build.container == "node:ubuntu" && build.services == ["db", "cache"] && build.needs == ["lint"])
    #expect(build.matrix == ["os": "ubuntu", "debug": "true"] && build.runnerGroup == "large")
    #expect(build.concurrencyGroup == "ci-${{ github.ref }}" && build.permissions == ["contents": "read", "id-token": "write"])
    let lint = try #require(try await bench.job(8).definition?.definition)
    #expect(lint.container == nil && lint.services == [] && lint.matrix == nil && lint.permissions == ["*": "read-all"])
  }

  /// A bench of run 100 that takes some rules for errors.
  private func strictBench(_ files: [String: String], _ rules: ValidationRule...) throws -> Bench {
    let bench = try Bench { settings in
      settings.definitionTimeLimit = .seconds(5)
      for rule in rules { settings.workflow.rules[rule] = .error }
    }
    bench.forge.with {
      $0.runs[100] = RunReport(
        action: nil, id: 100, attempt: 1, repository: "acme/shop", headSHA: Self.commit, status: "queued", conclusion: nil,
        context: RunContext(event: "push", path: ".github/workflows/ci.yml", headRepositoryID: 1, actor: nil),
        definitionRefs: [Self.commit])
      for (name, text) in files { $0.files[".github/workflows/\(name)@\(Self.commit)"] = text }
    }
    return bench
  }

  private static func job(_ key: String) -> String { "  \(key):\n    runs-on: [self-hosted, linux]\n    steps: [{ run: make }]\n" }
  private static let twoJobs = "on: push\njobs:\n" + job("build") + job("test")

  @Test(
    "a rule that the file breaks beside its jobs refuses each of them, wherever that stands",
    arguments: ["permissions: write-all\n" + twoJobs, twoJobs + "permissions: write-all\n", twoJobs + "env: { 'A=B': 1 }\n"])
  func fileRule(text: String) async throws {
    let bench = try strictBench(["ci.yml": text], .widePermissions, .environmentName)
    for (id, name) in [(7, "build"), (8, "test")] as [(Int64, String)] {
      try await bench.queue(id, name: name)
      let job = try await bench.job(id)
      #expect(job.state == .refused && job.refusal?.contains("breaks a rule") == true, "\(name): \(job.refusal ?? "")")
    }
  }

  @Test("a rule that a call breaks refuses the jobs behind the call, and no others")
  func callRule() async throws {
    let caller = "on: push\njobs:\n  ci:\n    uses: ./.github/workflows/build.yml\n    permissions: write-all\n" + Self.job("own")
    let bench = try strictBench(
      ["ci.yml": caller, "build.yml": "on: workflow_call\njobs:\n" + Self.job("build")], .widePermissions)
    try await bench.queue(7, name: "ci / build")
    try await bench.queue(8, name: "own")
    let called = try await bench.job(7)
    #expect(called.state == .refused && called.refusal?.contains(".github/workflows/ci.yml:3:3: ") == true, "\(called.refusal ?? "")")
    #expect(try await bench.job(8).state == .queued)
  }

  @Test("the file is fetched once for all jobs of a run, and so is what the repository says of them")
  func once() async throws {
    let bench = try bench(Self.workflow(""))
    try await bench.deliver((1...5).map { Bench.report($0, "queued") })
    try await bench.decide()
    #expect(bench.forge.count(.run) == 1)
    #expect(bench.forge.count(.file) == 2)
  }

  @Test(
    "a definition that is late, absent or broken is unknown: preferred goes on, required refuses",
    arguments: [DefinitionRule.preferred, .required], 0..<3)
  func unknown(rule: DefinitionRule, cause: Int) async throws {
    let bench = try bench([Self.workflow(""), nil, "jobs: ["][cause]) { $0.definition = rule }
    if cause == 0 { bench.forge.with { $0.fileDelay = .seconds(60) } }
    let begin = ContinuousClock.now
    try await bench.queue(7)
    #expect(ContinuousClock.now - begin < .seconds(5))
    let job = try await bench.job(7)
    guard case .unknown = job.definition else {
      Issue.record("\(String(describing: job.definition))")
      return
    }
    #expect(job.state == (rule == .preferred ? .queued : .refused))
  }

  @Test("a public job whose run cannot be looked up is put off, and decided once the forge answers")
  func unknownRun() async throws {
    let bench = try bench(Self.workflow(""), fork: true)
    bench.forge.with { $0.faults[.run] = .unavailable("down") }
    var report = Bench.report(7, "queued")
    report.repository.isPrivate = false
    try await bench.deliver(report)
    try await bench.triage.turn(with: BuiltInPolicy())
    #expect(try await bench.job(7).state == .received)
    #expect(try await bench.job(7).placementReason?.contains("fork") == true)

    bench.forge.with { $0.faults[.run] = nil }
    bench.clock.advance(6)
    try await bench.triage.turn(with: BuiltInPolicy())
    #expect(try await bench.job(7).refusal == "it runs code of a fork, and pool p does not accept forks")
  }

  @Test("a fork is known as one though its file comes too late")
  func lateFork() async throws {
    let bench = try bench(Self.workflow(""), fork: true)
    bench.forge.with { $0.fileDelay = .seconds(60) }
    try await bench.queue(7)
    #expect(try await bench.job(7).refusal == "it runs code of a fork, and pool p does not accept forks")
  }

  @Test("forks run where a pool takes them, and nowhere else", arguments: [true, false])
  func forks(isAccepted: Bool) async throws {
    let bench = try bench(Self.workflow(""), fork: true) { $0.acceptsForks = isAccepted }
    try await bench.queue(7)
    #expect(try await bench.job(7).state == (isAccepted ? .queued : .refused))
  }

  private static let choice = "    strategy:\n      matrix:\n        image: ['node:22', 'evil/x']\n    container: ${{ matrix.image }}\n"

  private func decideImages(_ text: String, name: String) async throws -> Job {
    let bench = try bench(Self.workflow(text)) {
      $0.allowedImages = Self.approved
      $0.definition = .required
    }
    try await bench.queue(7, name: name)
    return try await bench.job(7)
  }

  @Test(
    "approved images run",
    arguments: [
      ("    container: node:22\n", "build"),
      ("    container: ghcr.io/acme/build/base@sha256:\(String(repeating: "0", count: 64))\n", "build"),
      ("    services:\n      db:\n        image: ghcr.io/acme/db\n", "build"), (choice, "build (node:22)"),
    ])
  func approvedImages(text: String, name: String) async throws {
    let job = try await decideImages(text, name: name)
    #expect(job.state == .queued, "\(job.refusal ?? "")")
  }

  @Test(
    "images that are not approved, or that the file does not decide, are refused wherever they stand",
    arguments: [
      ("    container: evil/miner\n", "build"), ("    container: ghcr.io/acme.evil/x\n", "build"),
      ("    container:\n      image: ${{ github.event.inputs.image }}\n", "build"),
      ("    container: ghcr.io/acme/${{ github.actor }}\n", "build"), ("    services:\n      db:\n        image: evil/db\n", "build"),
      ("    services: ${{ fromJSON(inputs.services) }}\n", "build"), ("    container: docker://evil/miner\n", "build"),
      (choice, "build (evil/x)"), (choice + "    name: ${{ github.ref }}\n", "main (node:22)"),
      ("    strategy:\n      matrix: ${{ fromJSON(inputs.matrix) }}\n    container: ${{ matrix.image }}\n", "build (node:22)"),
    ])
  func refusedImages(text: String, name: String) async throws {
    let job = try await decideImages(text, name: name)
    #expect(job.state == .refused)
    #expect(job.refusal?.contains("image") == true, "\(job.refusal ?? "")")
  }

  @Test("a docker step's image is checked too")
  func dockerStep() async throws {
    let bench = try bench(Self.workflow("") + "      - uses: docker://evil/tool\n") {
      $0 = Bench.pool {
        $0.allowedImages = Self.approved; $0.definition = .required
      }
    }
    try await bench.queue(7)
    #expect(try await bench.job(7).state == .refused)
  }

  @Test("a pool without an allow-list is no way around another one's, for the forge may use either runner")
  func twoPools() async throws {
    let bench = try Bench { settings in
      settings.pools = [
        Bench.pool { $0.name = "open" },
        Bench.pool {
          $0.allowedImages = ["ghcr.io/acme/*"]; $0.definition = .required
        },
      ]
    }
    bench.forge.with {
      $0.runs[100] = RunReport(
        action: nil, id: 100, attempt: 1, repository: "acme/shop", headSHA: Self.commit, status: "queued", conclusion: nil,
        context: RunContext(event: "push", path: "ci.yml", headRepositoryID: 1, actor: nil), definitionRefs: [Self.commit])
      $0.files["ci.yml@\(Self.commit)"] = Self.workflow("    container: evil/miner\n")
    }
    try await bench.queue(7)
    #expect(try await bench.job(7).state == .refused)
  }

  @Test("each refused job of a run is to be cancelled, so that each is failed by a hook where that is forbidden")
  func cancellations() async throws {
    let bench = try bench(nil) { $0.definition = .required }
    try await bench.deliver(Bench.report(7, "queued"), Bench.report(8, "queued"))
    try await bench.decide()
    let cancelled = try await bench.store.dueEffects(at: bench.clock.now, limit: 10).compactMap { effect -> JobID? in
      if case .cancelRun(let id, "acme/shop", 100, nil) = effect.kind { id } else { nil }
    }
    #expect(Set(cancelled.map(\.rawValue)) == ["7", "8"])
    #expect(try await bench.store.queue(heads: 1).isEmpty)
  }

  /// Its verdict on the job `spoilt` is one that the store refuses.
  private final class SpoiltPolicy: PolicyEngine {
    private let sound = BuiltInPolicy()
    private let isSpoilt: Bool
    init(isSpoilt: Bool) { self.isSpoilt = isSpoilt }

    func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> {
      var verdict = sound.route(job, fleet: fleet)
      // SQLite has no NaN: it becomes NULL, which the column does not take.
      if isSpoilt, job.name == "spoilt" { verdict.microseconds = .nan }
      return verdict
    }
    func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> { sound.prioritise(job, fleet: fleet) }
    func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
      sound.place(job, candidates: candidates, now: now)
    }
    func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> { sound.scale(pool, fleet: fleet) }
  }

  @Test("a job whose decision cannot be stored is put off for a while, and holds no other")
  func spoilt() async throws {
    let bench = try bench(Self.workflow(""))
    try await bench.deliver((1...9).map { Bench.report($0, "queued", name: $0 == 1 ? "spoilt" : "build") })
    let triage = bench.triage
    try await triage.turn(with: SpoiltPolicy(isSpoilt: true))
    #expect(try await bench.job(1).state == .received)
    for id in 2...9 { #expect(try await bench.job(Int64(id)).state == .queued) }

    let next = try await triage.turn(with: SpoiltPolicy(isSpoilt: false))
    #expect(next.decided == 0 && next.again == bench.clock.now.addingTimeInterval(600))
    #expect(try await bench.job(1).state == .received)
    bench.clock.advance(601)
    try await triage.turn(with: SpoiltPolicy(isSpoilt: false))
    #expect(try await bench.job(1).state == .queued)
  }

  @Test("a job that no pool offers labels for is forwarded, with the reason")
  func forwarded() async throws {
    let bench = try bench(Self.workflow(""))
    try await bench.queue(7, labels: ["self-hosted", "gpu"])
    try await bench.queue(8, labels: [])
    let job = try await bench.job(7)
    #expect(job.state == .forwarded && job.routeReason == "no pool offers [gpu, self-hosted]")
    #expect(try await bench.job(8).state == .forwarded)
  }

  @Test(
    "labels ask for sizes",
    arguments: [
      (["large-runner"], 4000, 8192), (["large-runner", "xlarge-runner"], 8000, 16384), (["cpu-6", "mem-12g"], 6000, 12288),
      (["cpu-0", "mem-x"], 1000, 1024),
    ])
  func sizes(labels: [String], milliCPUs: Int, mebibytes: Int64) throws {
    let settings = try Bench().settings
    let job = Self.job(labels: labels + ["linux"])
    let estimate = ResourceEstimator(settings: settings).estimate(job)
    #expect(estimate.resources.milliCPUs == milliCPUs)
    #expect(estimate.resources.memory.mebibytes == mebibytes)
  }

  private static func job(labels: [String]) -> Job {
    Job(
      id: JobID(forgeID: 1, attempt: 1), forgeID: 1, runID: 1, runAttempt: 1, repository: Bench.repository, name: "x", labels: labels,
      headSHA: "", createdAt: .distantPast, receivedAt: .distantPast)
  }

  /// Two pools for the same jobs, the small one for forks too.
  private func twoSizes() throws -> Settings {
    try Bench { settings in
      settings.pools = [
        Bench.pool {
          $0.name = "small"
          $0.resources = Resources(milliCPUs: 1_000, memory: ByteCount(gibibytes: 1), disk: ByteCount(gibibytes: 20))
          $0.acceptsForks = true
        }, Bench.pool { $0.resources.gpus = 1 },
      ]
    }.settings
  }

  private func definition(_ body: String) throws -> JobDefinition {
    try #require(WorkflowFile.parse("on: push\njobs:\n  test: { runs-on: [linux]\(body) }\n", path: "ci.yml").file?.jobs.first)
  }

  @Test("the kind of a job keeps it from no pool; what it asks for does, unless it is a fork's and no pool for forks has it")
  func pools() throws {
    let estimator = ResourceEstimator(settings: try twoSizes())
    var job = Self.job(labels: ["linux"])
    let guessed = estimator.estimate(job, ResourceEstimator.Knowledge(definition: try definition(""))).resources
    #expect(guessed.milliCPUs == 1_000 && guessed.memory == ByteCount(gibibytes: 1))
    let asking = ResourceEstimator.Knowledge(definition: try definition(", env: { RUNNERHUB_CPUS: 4 }"))
    #expect(estimator.estimate(job, asking).resources.milliCPUs == 4_000)
    job.run = RunContext(event: "pull_request", path: "ci.yml", headRepositoryID: 99, actor: nil)
    let fork = estimator.estimate(job, asking)
    #expect(fork.resources.milliCPUs == 1_000 && fork.sources.contains("env RUNNERHUB_CPUS: CPUs 4 cut to 1 by the host"))
  }

  @Test("a request that no pool has is cut, or left as it is where a traditional runner takes the job", arguments: [true, false])
  func oversized(isLeft: Bool) throws {
    var settings = try twoSizes()
    if isLeft { settings.migration.traditionalLabels = ["linux"] }
    let asking = ResourceEstimator.Knowledge(definition: try definition(", env: { RUNNERHUB_CPUS: 64 }"))
    let estimate = ResourceEstimator(settings: settings).estimate(Self.job(labels: ["linux"]), asking)
    #expect(estimate.resources.milliCPUs == (isLeft ? 64_000 : 4_000))
  }

  @Test("a size of a label that names no GPU leaves GPUs to the repository's hints")
  func labelledGPU() throws {
    var settings = try twoSizes()
    settings.sizes["linux"] = Resources(milliCPUs: 2_000, memory: ByteCount(gibibytes: 2))
    var hint = RepositoryHints.Hint()
    hint.request = ResourceRequest(gpus: 1)
    let estimate = ResourceEstimator(settings: settings).estimate(
      Self.job(labels: ["linux"]), ResourceEstimator.Knowledge(hint: hint))
    #expect(estimate.resources.gpus == 1 && estimate.resources.milliCPUs == 2_000)
  }
}
