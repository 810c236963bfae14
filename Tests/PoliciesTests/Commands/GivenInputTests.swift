import Domain
import Foundation
import RunnerHub
import Testing

@testable import Policies

@Suite("Inputs that somebody wrote")
struct GivenInputTests {
  private static let now = PolicySamples.now

  @Test("a fleet may have every part that policies see")
  func fleet() throws {
    let fleet = try GivenInputs.fleet(
      .map([
        "queue": .list([
          .map(["labels": .list([.text("GPU")]), "count": .integer(3), "priority": .text("HIGH"), "waiting_seconds": .integer(9)])
        ]),
        "repositories": .list([.map(["repository": .text("acme/shop"), "active": .integer(2)])]),
        "pools": .list([
          .map([
            "name": .text("gpu"), "gpus": .integer(1), "labels": .list([.text("gpu")]), "start_failures": .integer(4), "forks": .bool(true),
            "grown_at": .integer(1_736_154_000), "history": .list([.map(["total": .integer(4), "busy": .integer(1)])]),
          ])
        ]),
      ]), now: Self.now)
    #expect(fleet.queue == [PolicyQueue(scope: "acme", labels: ["gpu"], count: 3, priority: .high, queuedAt: Self.now - 9)])
    #expect(fleet.classes == 1 && fleet.repositories == [PolicyUse(repository: "acme/shop", active: 2)])
    let pool = try #require(fleet.pools.first)
    #expect(pool.template.resources.gpus == 1 && pool.template.labels == ["gpu"] && pool.template.acceptsForks)
    #expect(pool.startFailures == 4 && pool.grownAt == Self.now && pool.history.map(\.utilisation) == [0.25])
  }

  @Test("a container may tell what it did last")
  func container() throws {
    let containers = try GivenInputs.containers(
      .list([.map(["last_job": .text("build"), "last_workflow": .text("CI"), "failed_checks": .integer(1), "is_starting": .bool(true)])]),
      now: Self.now)
    #expect(containers.first?.lastJob == LastJob(workflow: "CI", name: "build", branch: nil))
    #expect(containers.first?.failedChecks == 1 && containers.first?.isStarting == true)
  }

  static let slips: [(LuaValue, String)] = [
    (.map(["queue": .list([.map(["cuont": .integer(1)])])]), "queue[1]: unknown field 'cuont' – did you mean 'count'?"),
    (.map(["queue": .list([.map(["priority": .text("URGENT")])])]), "expected a level"),
    (.map(["repositories": .list([.map(["active": .integer(1)])])]), "repository is missing"),
  ]

  @Test("what does not fit is told with its place", arguments: slips)
  func slip(given: LuaValue, message: String) {
    let fault = #expect(throws: GivenInputs.Fault.self) { try GivenInputs.fleet(given, now: Self.now) }
    #expect(fault?.description.contains(message) == true)
  }
}
