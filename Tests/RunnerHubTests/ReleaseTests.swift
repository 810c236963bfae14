import Domain
import Foundation
import Scheduling
import Testing

@testable import RunnerHub

@Suite("Releasing runners and containers")
struct ReleaseTests {
  private func reusable(_ change: (inout Pool) -> Void = { _ in }) throws -> Bench {
    try Bench {
      $0.pools = [
        Bench.pool { pool in
          pool.reuse = ReuseRule(maximumUses: 2, maximumAgeSeconds: 600)
          pool.acceptsForks = true
          change(&pool)
        }
      ]
    }
  }

  @Test("a container serves the next job of its repository, and no more than its uses")
  func reuse() async throws {
    let bench = try reusable()
    let first = try await bench.running(7)
    try await bench.finish(7, on: first)
    try await bench.work()
    #expect(try await bench.container(first.containerID).state == .ready)
    #expect(bench.engine.with { $0.recycled } == [first.containerID])
    let second = try await bench.running(8)
    #expect(second.containerID == first.containerID && second.use == 2)
    try await bench.finish(8, on: second)
    try await bench.work()
    #expect(try await bench.container(first.containerID).state == .gone)
  }

  @Test("a used container is not given to another repository")
  func scope() async throws {
    let bench = try reusable()
    let first = try await bench.running(7)
    try await bench.finish(7, on: first)
    try await bench.work()
    let other = Repository(id: 2, fullName: "acme/other", isPrivate: true, defaultBranch: nil)
    #expect(try await bench.begin(8, repository: other).containerID != first.containerID)
  }

  @Test("a container ends after its job when it is old, cannot be cleaned, is ill, or RunnerHub drains", arguments: 0..<4)
  func noReuse(cause: Int) async throws {
    let bench = try reusable()
    let assignment = try await bench.running(7)
    switch cause {
    case 0: bench.clock.advance(601)
    case 1: bench.engine.set(.unavailable("busy volume"), on: .recycle)
    case 2:
      bench.engine.set(.unavailable("no answer"), on: .list)
      for _ in 0..<3 { await bench.makeHealth().check(bench.engine) }
    default: bench.drain.turnOn()
    }
    try await bench.finish(7, on: assignment)
    try await bench.work()
    try await bench.work()
    #expect(try await bench.container(assignment.containerID).state == .gone)
    #expect(bench.engine.containers.isEmpty)
  }

  @Test("no job follows a fork's job in its container")
  func fork() async throws {
    let bench = try reusable()
    bench.forge.with {
      $0.runs[100] = RunReport(
        action: nil, id: 100, attempt: 1, repository: "acme/shop", headSHA: "a", status: "queued", conclusion: nil,
        context: RunContext(event: "pull_request", path: nil, headRepositoryID: 99, actor: nil), definitionRefs: [])
    }
    let assignment = try await bench.running(7)
    #expect(try await bench.job(7).isFromFork)
    try await bench.finish(7, on: assignment)
    try await bench.work()
    try await bench.work()
    #expect(try await bench.container(assignment.containerID).state == .gone)
  }

  @Test("the log is kept before the container is removed")
  func log() async throws {
    let bench = try Bench()
    let assignment = try await bench.running(7)
    try await bench.finish(7, on: assignment, log: "hello\n")
    try await bench.work()
    let data = try await bench.blobs.read(LogCollector.blobName(of: assignment.id), from: 0, limit: 100)
    #expect(String(decoding: data, as: UTF8.self) == "hello\n")
    let story = bench.engine.with { $0.story }
    #expect(story.first == "log \(assignment.containerID)" && story.last == "remove \(assignment.containerID)")
  }

  @Test("a runner gets its time to end after its job, and is ended then")
  func slowEnd() async throws {
    let bench = try Bench()
    let assignment = try await bench.running(7)
    try await bench.deliver(Bench.report(7, "completed", conclusion: "success", runner: assignment.id.rawValue))
    #expect(try await bench.work() == ["the runner has not ended yet"])
    #expect(bench.engine.containers.count == 1)
    bench.clock.advance(31)
    try await bench.work()
    #expect(try await bench.now(assignment).phase == .released)
    #expect(bench.engine.containers.isEmpty)
  }

  @Test("an engine that is silent at the end delays the release and loses nothing")
  func silentEngine() async throws {
    let bench = try Bench()
    let assignment = try await bench.running(7)
    try await bench.finish(7, on: assignment)
    bench.engine.set(.unavailable("no answer"), on: .inspect)
    #expect(try await bench.work().count == 1)
    #expect(try await bench.now(assignment).phase == .releasing)
    bench.engine.set(nil, on: .inspect)
    try await bench.work()
    #expect(try await bench.now(assignment).phase == .released)
  }
}
