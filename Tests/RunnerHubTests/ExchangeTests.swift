import Domain
import Foundation
import RunnerHub
import Testing

@Suite("Runners that the forge gives to other jobs")
struct ExchangeTests {
  @Test("two jobs whose runners were crossed have exchanged them", arguments: [[7, 8], [8, 7]] as [[Int64]])
  func crossed(order: [Int64]) async throws {
    let bench = try Bench()
    let first = try await bench.begin(7)
    let second = try await bench.begin(8)
    let given: [Int64: Assignment] = [7: second, 8: first]
    for id in order { try await bench.deliver(Bench.report(id, "in_progress", runner: try #require(given[id]).id.rawValue)) }
    for (id, assignment) in given {
      let job = try await bench.job(id)
      #expect(job.state == .running && job.assignment == assignment.id && job.containerID == assignment.containerID)
      let row = try await bench.now(assignment)
      #expect(row.jobID == job.id && row.phase == .running)
      #expect(try await bench.container(assignment.containerID).state == .busy)
    }
  }

  @Test(
    "jobs of two repositories exchange runners in containers that nothing has run in, and each container is then of the job that it got")
  func unused() async throws {
    let bench = try Bench { $0.scope = .organization("acme") }
    let website = Repository(id: 901, fullName: "acme/website", isPrivate: true, defaultBranch: "main")
    let first = try await bench.begin(7)
    let second = try await bench.begin(8, repository: website)
    try await bench.deliver(Bench.report(8, "in_progress", runner: first.id.rawValue, repository: website))
    let left = try await bench.job(7)
    #expect(left.state == .starting && left.assignment == second.id)
    try await bench.deliver(Bench.report(7, "in_progress", runner: second.id.rawValue))
    for (container, owner) in [(first.containerID, website), (second.containerID, Bench.repository)] {
      let row = try await bench.container(container)
      #expect(row.state == .busy && row.trustScope == owner.fullName && !row.isTainted)
    }
  }

  @Test("a job whose runner went to another one without a runner waits again at its old place")
  func taken() async throws {
    let bench = try Bench()
    let first = try await bench.begin(7)
    let key = try await bench.job(7).orderKey
    try await bench.deliver(Bench.report(9, "in_progress", runner: first.id.rawValue))
    let left = try await bench.job(7)
    #expect(left.state == .queued && left.assignment == nil && left.orderKey == key && left.tries == 0)
    #expect(try await bench.job(9).assignment == first.id)
    #expect(try await bench.now(first).jobID == JobID(forgeID: 9, attempt: 1))
  }

  @Test("a completed event makes the exchange whose in_progress was lost")
  func lostExchange() async throws {
    let bench = try Bench()
    let first = try await bench.begin(7)
    let second = try await bench.begin(8)
    try await bench.deliver(Bench.report(7, "completed", conclusion: "success", runner: second.id.rawValue))
    #expect(try await bench.job(7).state == .completed)
    let released = try await bench.now(second)
    #expect(released.phase == .releasing && released.endedWithJob && released.jobID == JobID(forgeID: 7, attempt: 1))
    let other = try await bench.job(8)
    #expect(other.assignment == first.id && other.state == .starting)
  }

  @Test("a job on a foreign runner runs, and its own runner is removed before its container")
  func foreign() async throws {
    let bench = try Bench()
    let own = try await bench.begin(7)
    try await bench.deliver(Bench.report(7, "in_progress", runner: "their-runner"))
    #expect(try await bench.job(7).state == .running)
    #expect(try await bench.job(7).assignment == nil)
    #expect(try await bench.now(own).phase == .releasing)
    try await bench.work()
    #expect(bench.forge.runnerNames.isEmpty)
    #expect(try await bench.now(own).phase == .released)
    #expect(bench.engine.containers.isEmpty)
  }

  @Test("a runner that is to be removed and has just got a job keeps it")
  func resurrected() async throws {
    let bench = try Bench()
    let own = try await bench.begin(7)
    try await bench.queue(9)
    bench.forge.with { _ = $0.busy.insert(own.id.rawValue) }
    try await bench.deliver(Bench.report(7, "completed", conclusion: "cancelled"))
    #expect(try await bench.work().contains { $0.contains("has just got a job") })
    #expect(bench.engine.containers == [own.containerID])
    try await bench.deliver(Bench.report(9, "in_progress", runner: own.id.rawValue))
    #expect(try await bench.now(own).phase == .running)
    try await bench.finish(9, on: own)
    try await bench.work()
    #expect(try await bench.now(own).phase == .released)
    #expect(bench.engine.containers.isEmpty)
  }
}
