import Foundation
import Testing

@testable import Emulator

struct JobQueueTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var jobLabels = ["linux"]
    var jobGroup: String?
    var runnerLabels = ["linux"]
    var runnerGroup = "Default"
    var scope = JobQueue.Scope.organisation("acme")
    var repositories: Set<String>?
    let isServed: Bool
  }

  static let cases = [
    Case(testDescription: "the same labels", isServed: true),
    Case(testDescription: "a runner with more labels", runnerLabels: ["x64", "linux", "gpu"], isServed: true),
    Case(testDescription: "a runner that lacks one", jobLabels: ["linux", "gpu"], isServed: false),
    Case(testDescription: "labels in another case", jobLabels: ["Linux", "GPU"], runnerLabels: ["linux", "gpu"], isServed: true),
    Case(testDescription: "no labels at all but the group", jobLabels: [], jobGroup: "fast", runnerGroup: "fast", isServed: true),
    Case(testDescription: "another group", jobGroup: "fast", isServed: false),
    Case(testDescription: "the group in another case", jobGroup: "FAST", runnerGroup: "fast", isServed: true),
    Case(testDescription: "a runner of the repository", scope: .repository("acme/shop"), isServed: true),
    Case(testDescription: "a runner of another repository", scope: .repository("acme/other"), isServed: false),
    Case(testDescription: "a runner of another organisation", scope: .organisation("acm"), isServed: false),
    Case(testDescription: "a group that serves the repository", repositories: ["acme/shop"], isServed: true),
    Case(testDescription: "a group that does not", repositories: ["acme/other"], isServed: false),
  ]

  @Test("a job goes to a runner that has all its labels, in its group and scope", arguments: cases)
  func matching(_ value: Case) {
    var queue = JobQueue()
    queue.enqueue(.init(id: 1, repository: "acme/shop", labels: value.jobLabels, group: value.jobGroup, queuedAt: .distantPast))
    queue.offer(
      .init(id: 2, scope: value.scope, labels: value.runnerLabels, group: value.runnerGroup, repositories: value.repositories))
    #expect(queue.match().isEmpty != value.isServed)
    #expect(queue.jobs.isEmpty == value.isServed)
  }

  @Test("the oldest match is served first, whenever it was put in")
  func oldestFirst() {
    var queue = JobQueue()
    let start = Date(timeIntervalSince1970: 0)
    queue.enqueue(.init(id: 2, repository: "a/b", labels: ["x"], queuedAt: start + 2))
    queue.enqueue(.init(id: 3, repository: "a/b", labels: ["x"], queuedAt: start + 3))
    queue.enqueue(.init(id: 1, repository: "a/b", labels: ["y"], queuedAt: start + 1))
    queue.enqueue(.init(id: 0, repository: "a/b", labels: ["x"], queuedAt: start))
    for id in 10..<12 { queue.offer(.init(id: Int64(id), scope: .organisation("a"), labels: ["x"])) }
    #expect(queue.match() == [.init(job: 0, runner: 10), .init(job: 2, runner: 11)])
    #expect(queue.jobs.map(\.id) == [1, 3])
  }

  @Test("runners of the repository go before those of the organisation")
  func repositoryFirst() {
    var queue = JobQueue()
    queue.offer(.init(id: 1, scope: .organisation("a"), labels: ["x"]))
    queue.offer(.init(id: 2, scope: .repository("a/b"), labels: ["x"]))
    queue.enqueue(.init(id: 7, repository: "a/b", labels: ["x"], queuedAt: .distantPast))
    #expect(queue.match() == [.init(job: 7, runner: 2)])
  }

  @Test("a runner is given one job, and a job to one runner")
  func once() {
    var queue = JobQueue()
    queue.offer(.init(id: 1, scope: .organisation("a"), labels: ["x"]))
    queue.offer(.init(id: 1, scope: .organisation("a"), labels: ["x"]))
    for _ in 0..<2 { queue.enqueue(.init(id: 7, repository: "a/b", labels: ["x"], queuedAt: .distantPast)) }
    #expect(queue.match().count == 1)
    #expect(queue.match().isEmpty)
    #expect(queue.jobs.isEmpty && queue.runners.isEmpty)
  }
}
