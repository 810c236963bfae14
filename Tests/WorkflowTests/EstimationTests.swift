import Testing

@testable import Workflow

@Suite("Estimates from a file, a repository and a history")
struct EstimationTests {
  private let gibibyte: Int64 = 1 << 30

  private func job(_ text: String, key: String = "a") throws -> JobDefinition { try #require(parsed(text)?[key]) }

  @Test("labels, env and container options ask, the earlier of them counts, services add up")
  func requests() throws {
    let job = try job(
      workflow(
        """
        runs-on: [linux, cpu-4, gpu-large]
        env: { RUNNERHUB_CPUS: 8, RUNNERHUB_MINUTES: 12.5, RUNNERHUB_MEMORY: much }
        container: { image: node:22, options: '--cpus 2 --memory=3g --gpus all' }
        services: { db: { image: 'postgres:17', options: -m 512m } }
        """))
    let requests = ResourceRequests(job)
    #expect(requests.sources.map(\.name) == ["label cpu-4", "env RUNNERHUB_CPUS", "env RUNNERHUB_MINUTES", "container options"])
    #expect(requests.total == ResourceRequest(milliCPUs: 4_000, memoryBytes: 3 * gibibyte + (512 << 20), gpus: 1, seconds: 750))
    #expect(requests.complaints == ["env RUNNERHUB_MEMORY: 'much' is no size: write 512m, 4g or 1.5g"])
  }

  @Test(
    "a comment above the job's key or behind it is a request; one inside a script is not",
    arguments: [
      ("  # runnerhub: cpus=4 memory=8g\n  a: { runs-on: x }", ResourceRequest(milliCPUs: 4_000, memoryBytes: 8 << 30)),
      ("  #runnerhub: minutes=5\n  # why\n  a: { runs-on: x }", ResourceRequest(seconds: 300)),
      ("  a: # runnerhub: gpus=1\n    runs-on: x", ResourceRequest(gpus: 1)),
      ("  b:\n    runs-on: x\n    steps:\n      - run: |\n          true\n          # runnerhub: cpus=64\n  a: { runs-on: x }", nil),
      ("  # runnerhub: cpus=4\r\n  a: { runs-on: x }\r\n", ResourceRequest(milliCPUs: 4_000)),
      ("  # about runnerhub: cpus=4\n  a: { runs-on: x }", nil), ("  # runnerhub: cpus=4\n\n  a: { runs-on: x }", nil),
    ] as [(String, ResourceRequest?)])
  func comments(jobs: String, expected: ResourceRequest?) throws {
    let text = "on: push\njobs:\n" + jobs
    #expect(RequestComments(text).comment(of: try job(text))?.request == expected)
  }

  @Test("hints name a job by key or by file and key, fall back on defaults, and stay within the host's bounds")
  func hints() throws {
    let (hints, findings) = RepositoryHints.parse(
      """
      defaults: { cpus: 2, priority: LOW }
      jobs:
        build: { memory: 64g, affinity: cache }
        ci.yml/build: { memory: 6g, priority: CRITICAL, cpus: 32 }
      """)
    #expect(findings.isEmpty)
    let found = try #require(hints)
    #expect(
      found.hint(forJob: "build", in: ".github/workflows/other.yml").request == ResourceRequest(milliCPUs: 2_000, memoryBytes: 64 << 30))
    #expect(found.hint(forJob: "other", in: "x.yml").priority == "LOW")
    let bounds = HintBounds(largest: ResourceRequest(milliCPUs: 16_000, memoryBytes: 32 << 30))
    let (hint, cuts) = bounds.bounded(found.hint(forJob: "build", in: ".github/workflows/ci.yml"))
    #expect(hint.request.milliCPUs == 16_000 && hint.priority == "HIGH")
    #expect(cuts == ["CPUs 32 cut to 16 by the host", "priority CRITICAL cut to HIGH by the host"])
  }

  @Test("a hint that means nothing is a finding with its place, and the rest is kept")
  func badHints() {
    let (hints, findings) = RepositoryHints.parse("jobs:\n  a: { cpu: 2, memory: lots, priority: URGENT, minutes: 5 }")
    #expect(findings.map { $0.column } == [8, 24, 40])
    #expect(findings.first?.hint == "did you mean 'cpus'?")
    #expect(hints?.hint(forJob: "a", in: "").request == ResourceRequest(seconds: 300))
  }

  @Test("percentiles follow the younger runs, and too few runs say nothing")
  func history() {
    let day = 86_400.0
    let old = (0..<50).map { _ in JobHistory.Run(ageSeconds: 90 * day, durationSeconds: 1_000) }
    let young = (1...10).map { JobHistory.Run(ageSeconds: day, durationSeconds: Double($0) * 10, peakMemoryBytes: Int64($0)) }
    #expect(JobHistory(runs: old + young).duration(percentile: 0.5) == 60)
    #expect(JobHistory(runs: young).duration(percentile: 0.9) == 90)
    #expect(JobHistory(runs: young).peakMemoryBytes(percentile: 1) == 10)
    #expect(JobHistory(runs: Array(young.prefix(2))).duration(percentile: 0.9) == nil)
    #expect(JobHistory(runs: [.init(ageSeconds: -1, durationSeconds: 1), .init(ageSeconds: 0, durationSeconds: .nan)]).runs.isEmpty)
  }

  @Test("an estimate says where each part came from")
  func estimate() throws {
    let job = try job(workflow("runs-on: [linux, large, cpu-3]\ntimeout-minutes: 5\nname: unit tests"))
    var evidence = JobEstimate.Evidence(labelSizes: ["large": ResourceRequest(milliCPUs: 8_000, memoryBytes: 16 << 30)])
    evidence.history = JobHistory(runs: (1...4).map { .init(ageSeconds: 0, durationSeconds: Double($0) * 100) })
    let estimate = JobEstimate(job, evidence)
    #expect(estimate.sources == ["CPUs: label cpu-3", "memory: label large", "duration: timeout-minutes"])
    #expect(estimate.summary == "3 CPU, 16 GiB, 5 min")
    let plain = JobEstimate(try self.job(workflow("runs-on: x")), JobEstimate.Evidence())
    #expect(plain.sources == ["CPUs, memory: default size"])
    let lint = JobEstimate(try self.job(workflow("runs-on: x\nname: Lint")), JobEstimate.Evidence())
    #expect(lint.sources == ["CPUs, memory, duration: kind lint"])
  }

  @Test("a guess keeps a job from no runner that has what is asked for, a request does; of two labels the larger size counts")
  func capacity() throws {
    let offers = [
      ResourceRequest(milliCPUs: 1_000, memoryBytes: gibibyte, diskBytes: 10 * gibibyte),
      ResourceRequest(milliCPUs: 1_500, memoryBytes: 3 * gibibyte, diskBytes: 10 * gibibyte),
    ]
    let guess = JobEstimate(try job(workflow("runs-on: x\nname: build")), JobEstimate.Evidence(offers: offers))
    #expect(guess.request.milliCPUs == 1_000 && guess.request.memoryBytes == gibibyte)
    #expect(guess.sources == ["CPUs, memory: kind build, cut to what its pools have", "duration: kind build"])
    let some = JobEstimate(try job(workflow("runs-on: [mem-2g]\nname: build")), JobEstimate.Evidence(offers: offers))
    #expect(some.request.milliCPUs == 1_500 && some.request.memoryBytes == 2 * gibibyte)
    let asked = JobEstimate(try job(workflow("runs-on: [cpu-8]\nname: build")), JobEstimate.Evidence(offers: offers))
    #expect(asked.request.milliCPUs == 8_000 && asked.request.memoryBytes == 4 * gibibyte)
    let sizes = ["a": ResourceRequest(milliCPUs: 1_000, memoryBytes: 8), "b": ResourceRequest(milliCPUs: 3_000, memoryBytes: 4)]
    let both = JobEstimate(nil, JobEstimate.Evidence(labelSizes: sizes, labels: ["b", "A"]))
    #expect(both.request == ResourceRequest(milliCPUs: 3_000, memoryBytes: 8))
    #expect(both.sources == ["CPUs, memory: labels b, A"])
  }

  private var offers: [ResourceRequest] {
    [ResourceRequest(milliCPUs: 16_000, memoryBytes: 4 * gibibyte), ResourceRequest(milliCPUs: 2_000, memoryBytes: 64 * gibibyte)]
  }

  @Test("a hint asks for no more than one runner has together with what the file asks for")
  func boundedHint() throws {
    var evidence = JobEstimate.Evidence(
      bounds: HintBounds(largest: ResourceRequest(milliCPUs: 16_000, memoryBytes: 64 * gibibyte)), offers: offers)
    var hint = RepositoryHints.Hint()
    hint.request = ResourceRequest(milliCPUs: 16_000, memoryBytes: 64 * gibibyte)
    evidence.hint = hint
    let plain = JobEstimate(try job(workflow("runs-on: x")), evidence)
    #expect(plain.request.milliCPUs == 2_000 && plain.request.memoryBytes == 64 * gibibyte)
    #expect(plain.sources.last == "CPUs 16 cut to 2 by the host")
    let wide = JobEstimate(try job(workflow("runs-on: [cpu-8]")), evidence)
    #expect(wide.request.milliCPUs == 8_000 && wide.request.memoryBytes == 4 * gibibyte)
  }

  @Test(
    "what the file asks for and no runner has is cut where it would hold up others; what labels ask for is not", arguments: [true, false])
  func cutRequest(isCut: Bool) throws {
    let evidence = JobEstimate.Evidence(offers: offers, cutsRequests: isCut)
    let asked = JobEstimate(try job(workflow("runs-on: [cpu-4]\nenv: { RUNNERHUB_MEMORY: 256g }")), evidence)
    #expect(asked.request.milliCPUs == 4_000 && asked.request.memoryBytes == (isCut ? 4 : 256) * gibibyte)
    #expect(asked.sources.contains("env RUNNERHUB_MEMORY: memory 256 GiB cut to 4 GiB by the host") == isCut)
    let fitting = JobEstimate(try job(workflow("runs-on: x\nenv: { RUNNERHUB_CPUS: 16 }")), evidence)
    #expect(fitting.request.milliCPUs == 16_000)
    let label = JobEstimate(try job(workflow("runs-on: [cpu-64]")), evidence)
    #expect(label.request.milliCPUs == 64_000)
  }

  @Test("a job without a definition is estimated by labels, history and its own time limit")
  func withoutDefinition() {
    let runs = (1...4).map { JobHistory.Run(ageSeconds: 0, durationSeconds: Double($0) * 100) }
    let estimate = JobEstimate(nil, JobEstimate.Evidence(labels: ["mem-2g"], history: JobHistory(runs: runs)))
    #expect(estimate.request == ResourceRequest(milliCPUs: 2_000, memoryBytes: 2 * gibibyte, seconds: 400))
    #expect(estimate.sources == ["CPUs: default size", "memory: label mem-2g", "duration: p90 of 4 earlier runs"])
    let limited = JobEstimate(nil, JobEstimate.Evidence(labels: [], history: JobHistory(runs: runs), timeoutMinutes: 5))
    #expect(limited.request.seconds == 300)
  }
}
