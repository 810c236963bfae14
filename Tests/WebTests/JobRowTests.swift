import Domain
import Foundation
import Testing

@testable import Web

@Suite("Rows of jobs")
struct JobRowTests {
  static let cases: [(Job, String)] = [
    (Sample.job(state: .received), ""),
    (Sample.job(state: .waiting), "waits for an approval at the forge"),
    (Sample.job(state: .forwarded) { $0.routeReason = "label windows" }, "label windows"),
    (Sample.job(state: .refused) { $0.refusal = "image x is not approved" }, "image x is not approved"),
    (
      Sample.job(state: .cancelled) {
        $0.refusal = "image x is not approved"
        $0.conclusion = .cancelled
      }, "image x is not approved"
    ),
    (
      Sample.job(state: .queued) {
        $0.placementReason = "no capacity in pool demo"
        $0.routeReason = "linux container job"
      }, "no capacity in pool demo"
    ),
    (
      Sample.job(state: .queued) {
        $0.placementReason = "no capacity"
        $0.lastFailure = "image missing"
      }, "start failed: image missing"
    ),
    (
      Sample.job(state: .running) {
        $0.priority = .critical
        $0.priorityReason = "deploys to production"
        $0.placementReason = "least loaded"
      }, "deploys to production"
    ),
    (
      Sample.job(state: .running) {
        $0.priorityReason = "no rule applies"
        $0.placementReason = "has this repository's cache"
      }, "has this repository's cache"
    ),
    (
      Sample.job(state: .completed) {
        $0.conclusion = .failure
        $0.placementReason = "least loaded"
        $0.steps = [
          JobStep(number: 2, name: "checkout", status: "completed", conclusion: "success"),
          JobStep(number: 3, name: "run tests", status: "completed", conclusion: "failure"),
        ]
      }, #"step 3 "run tests" failed"#
    ),
    (
      Sample.job(state: .completed) {
        $0.conclusion = .success
        $0.routeReason = "linux container job"
      }, "linux container job"
    ),
    (Sample.job(state: .completed) { $0.conclusion = .timedOut }, "ended: timed_out"),
    (Sample.job(state: .failed) { $0.lastFailure = "the engine is gone" }, "the engine is gone"),
  ]

  @Test("why a job stands where it stands is told in one line", arguments: cases)
  func why(job: Job, expected: String) {
    #expect(JobRow.why(job) == expected)
  }

  @Test("waiting counts from queued to started or now, running from started to ended or now, and never below zero")
  func times() {
    let now = Sample.now
    func row(_ change: (inout Job) -> Void) -> JobRow { JobRow(Sample.job(state: .running, change), now: now) { _ in nil } }
    let waiting = row { $0.queuedAt = now - 4 }
    #expect(waiting.waitSeconds == 4 && waiting.runSeconds == nil)
    let running = row {
      $0.queuedAt = now - 10
      $0.startedAt = now - 7
    }
    #expect(running.waitSeconds == 3 && running.runSeconds == 7)
    let ended = row {
      $0.queuedAt = now - 10
      $0.startedAt = now - 7
      $0.completedAt = now - 2
    }
    #expect(ended.waitSeconds == 3 && ended.runSeconds == 5)
    let ahead = row { $0.queuedAt = now + 10 }
    #expect(ahead.waitSeconds == 0)
  }

  @Test("a job that is not ours to run has no priority and no wait; a container has its short name")
  func foreign() {
    let forwarded = JobRow(
      Sample.job(state: .forwarded) {
        $0.route = .traditional
        $0.queuedAt = Sample.now
      }, now: Sample.now
    ) { _ in nil }
    #expect(forwarded.priority == nil && forwarded.waitSeconds == nil)
    let held = JobRow(
      Sample.job(state: .running) {
        $0.containerID = ContainerID(rawValue: "rh-demo-1")
        $0.priority = .high
      }, now: Sample.now
    ) { _ in "warm-1" }
    #expect(held.container == "warm-1" && held.priority == "HIGH")
  }

  @Test("percentiles are waits that occurred")
  func percentiles() {
    #expect(WaitSummary([]).p50Seconds == nil)
    #expect(WaitSummary([7]).p95Seconds == 7)
    let summary = WaitSummary((1...100).map(Double.init).shuffled() + [.nan])
    #expect(summary.count == 100 && summary.p50Seconds == 50 && summary.p95Seconds == 95)
  }
}
