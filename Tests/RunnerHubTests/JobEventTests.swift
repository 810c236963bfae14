import Domain
import Foundation
import RunnerHub
import Testing

@Suite("Intake")
struct JobEventTests {
  /// Every order of these words without and with one of them lost or doubled.
  private static let stories: [[String]] = {
    let words = ["queued", "in_progress", "completed"]
    var found: [[String]] = []
    func arrange(_ rest: [String], _ chosen: [String]) {
      if rest.isEmpty { found.append(chosen) }
      for index in rest.indices {
        var left = rest
        left.remove(at: index)
        arrange(left, chosen + [rest[index]])
      }
    }
    for lost in [nil] + words.map(Optional.some) where lost != "completed" {
      let kept = words.filter { $0 != lost }
      arrange(kept, [])
      for doubled in kept { arrange(kept + [doubled], []) }
    }
    return Array(Set(found)).sorted { $0.joined() < $1.joined() }
  }()

  @Test("however the events of a job come, its completed event ends it for good")
  func orders() async throws {
    #expect(Self.stories.count > 30)
    for isOneBatch in [true, false] {
      let bench = try Bench()
      for (number, story) in Self.stories.enumerated() {
        let id = Int64(number + 1)
        let reports = story.map {
          Bench.report(id, $0, conclusion: $0 == "completed" ? "failure" : nil, runner: $0 == "queued" ? nil : "somebody-else")
        }
        if isOneBatch { try await bench.deliver(reports) } else { for report in reports { try await bench.deliver(report) } }
        let job = try await bench.job(id)
        #expect(job.state == .completed && job.conclusion == .failure, "\(story)")
      }
      #expect(try await bench.store.pendingDeliveries(limit: 10).isEmpty)
    }
  }

  @Test("a batch is one commit, and a doubled event in it is a repetition")
  func oneBatch() async throws {
    let bench = try Bench()
    try await bench.deliver(Bench.report(7, "queued"), Bench.report(7, "queued"), Bench.report(8, "queued"))
    #expect(try await bench.job(7).version == 1)
    let counts = try await bench.store.deliveryCounts()
    #expect(counts[.processed] == 2)
    #expect(counts[.repeated] == 1)
  }

  @Test("a job that was never seen queued is adopted when a runner works on it")
  func adoption() async throws {
    let bench = try Bench()
    try await bench.deliver(Bench.report(7, "in_progress", runner: "other"))
    let job = try await bench.job(7)
    #expect(job.route == .traditional)
    #expect(job.routeReason == "runner other took it before it was routed")
    #expect(job.state == .running)
    #expect(job.runnerName == "other")
  }

  @Test("a skipped job without labels ends at once and is no demand, and the forge is told nothing of it")
  func skipped() async throws {
    let bench = try Bench()
    try await bench.deliver(Bench.report(7, "completed", conclusion: "skipped", labels: []))
    let job = try await bench.job(7)
    #expect(job.state == .completed && job.conclusion == .skipped && job.startedAt == nil)
    #expect(try await bench.store.queue(heads: 1).isEmpty)
    #expect(try await bench.store.effectCount() == 0)
  }

  @Test("a job that waits for approval is no demand until it is queued")
  func approval() async throws {
    let bench = try Bench()
    try await bench.deliver(Bench.report(7, "queued", status: "waiting"))
    try await bench.decide()
    #expect(try await bench.job(7).state == .waiting)
    try await bench.deliver(Bench.report(7, "queued"))
    try await bench.decide()
    #expect(try await bench.job(7).state == .queued)
    try await bench.deliver(Bench.report(7, "waiting"))
    #expect(try await bench.job(7).state == .queued)
  }

  @Test("what cannot be understood or is of no use is marked, and what follows it is applied")
  func malformed() async throws {
    let bench = try Bench()
    for (guid, event) in [("a", "workflow_job"), ("b", "ping")] {
      _ = try await bench.store.append(
        Delivery(guid: guid, hookID: "1", event: event, body: Data("{".utf8), receivedAt: bench.clock.now))
    }
    try await bench.deliver(Bench.report(7, "mystery"), Bench.report(8, "queued"))
    let counts = try await bench.store.deliveryCounts()
    #expect(counts == [.malformed: 1, .ignored: 2, .processed: 1])
    #expect(try await bench.store.job(JobID(forgeID: 7, attempt: 1)) == nil)
  }

  @Test("a job that was cancelled on a runner has run, though the news of its start was lost")
  func cancelledOnRunner() async throws {
    let bench = try Bench()
    let assignment = try await bench.begin(7)
    try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled", runner: assignment.id.rawValue))
    #expect(try await bench.job(7).state == .completed)
    #expect(try await bench.now(assignment).phase == .releasing)
    try await bench.queue(8)
    try await bench.deliver(Bench.report(8, "completed", conclusion: "cancelled"))
    #expect(try await bench.job(8).state == .cancelled)
  }
}
