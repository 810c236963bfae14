import Domain
import Foundation
import RunnerHub
import Testing

@Suite("How a job reads at the forge")
struct StatusUpdateBuilderTests {
  private func build(_ job: Job, container: Container? = nil, decisions: [DecisionRecord] = []) -> StatusUpdate? {
    StatusUpdateBuilder.update(for: job, container: container, decisions: decisions, detailsURL: "https://hub.example/jobs/1")
  }

  @Test(
    "every state has its status",
    arguments: [
      (.received, nil, nil), (.waiting, nil, nil), (.forwarded, nil, nil), (.queued, .queued, nil), (.assigned, .queued, nil),
      (.starting, .queued, nil), (.running, .inProgress, nil), (.completed, .completed, .success), (.cancelled, .completed, .cancelled),
      (.failed, .completed, .failure), (.refused, .completed, .failure),
    ] as [(JobState, StatusUpdate.Status?, Conclusion?)])
  func states(state: JobState, status: StatusUpdate.Status?, conclusion: Conclusion?) {
    var job = Sample.job(state: state)
    if state == .completed { job.conclusion = .success }
    let update = build(job)
    #expect(update?.status == status)
    #expect(update?.conclusion == conclusion)
  }

  @Test("a refused job fails with the reason, also after its run was cancelled")
  func refused() {
    var job = Sample.job(state: .cancelled)
    job.refusal = "image docker.io/unknown/scan:latest is not approved"
    let update = build(job)
    #expect(update?.conclusion == .failure)
    #expect(update?.title == "Refused: image docker.io/unknown/scan:latest is not approved")
  }

  @Test("a job of traditional runners is not reported, whatever its state")
  func forwarded() {
    var job = Sample.job(state: .completed)
    job.route = .traditional
    #expect(build(job) == nil)
  }

  @Test(
    "words that the API refuses are said in its own",
    arguments: [("startup_failure", "failure"), ("stale", "neutral"), ("brand_new", "neutral")])
  func conclusions(word: String, told: String) {
    var job = Sample.job(state: .completed)
    job.conclusion = Conclusion(word: word)
    #expect(build(job)?.conclusion?.word == told)
  }

  @Test("the summary tells wait, container, resources, reasons and steps")
  func summary() {
    var job = Sample.job(state: .running)
    job.startedAt = Sample.start.addingTimeInterval(1.25)
    job.priority = .critical
    job.priorityReason = "deploys to production"
    job.placementReason = "has this repository's cache"
    job.steps = [
      JobStep(number: 1, name: "Set up", status: "completed", conclusion: "success"),
      JobStep(number: 2, name: "run tests", status: "in_progress", conclusion: nil),
    ]
    let container = Container(
      id: ContainerID(rawValue: "rh-1"), name: "warm-3", pool: "linux", engine: "process", image: "runner:1",
      resources: Resources(milliCPUs: 1500, memory: ByteCount(gibibytes: 4)), labels: ["linux"], createdAt: Sample.start)
    let decision = DecisionRecord(
      kind: "affinity", jobID: job.id, pool: nil, output: "warm-3", reason: "scored 88", bundle: "7c1f9e", fallbackCause: nil,
      microseconds: 4,
      at: Sample.start)
    let update = build(job, container: container, decisions: [decision])
    #expect(update?.title == "Running on warm-3: step 2 of 2, run tests")
    let summary = update?.summary ?? ""
    for part in [
      "| Wait | 1.2 s |", "| Container | warm-3 of pool linux, image runner:1 |", "| Resources | 1.5 CPU, 4 GiB |",
      "| Priority | CRITICAL: deploys to production |", "| Affinity | warm-3: scored 88 |", "1. ✓ Set up", "2. ▶ run tests",
      "| Policies | 7c1f9e |",
    ] {
      #expect(summary.contains(part), "\(part) in \(summary)")
    }
  }

  @Test("text from outside has no effect as Markdown, and the summary stays within the API's bound")
  func hostile() {
    var job = Sample.job(state: .running)
    job.placementReason = "a | b\n| c <img src=x> @everyone [x](http://y)"
    job.steps = (1...4000).map { JobStep(number: $0, name: String(repeating: "`", count: 900), status: "queued", conclusion: nil) }
    let summary = build(job)?.summary ?? ""
    #expect(summary.contains("| Placement | a \\| b \\| c \\<img src=x\\> @\u{200B}everyone \\[x\\](http://y) |"))
    #expect(summary.count <= 65_535)
    #expect(!summary.isEmpty)
  }
}
