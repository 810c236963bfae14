import Domain
import Foundation
import GitHub
import GitHubDescription
import RunnerHub
import Testing

@Suite("Runs tell which commits may hold their definition") struct RunEventTests {
  /// GitHub's example of a run as the body of an event, changed as the test needs.
  private func report(_ changes: [String: JSONValue], repository: JSONValue? = nil) throws -> RunReport {
    var run = try #require(try GitHubDescription.standard().example("workflow-run"))
    for (name, value) in changes { run[name] = value }
    let body: JSONValue = .object([
      "action": .string("requested"), "workflow_run": run,
      "repository": repository
        ?? .object(["id": .integer(1), "full_name": .string("acme/shop"), "private": .bool(true), "default_branch": .string("main")]),
    ])
    guard
      case .run(let report) = try GitHubDeliveryDecoder().decode(CorpusCase.delivery(event: "workflow_run", body: try body.data()))
    else { throw MalformedDelivery("no run") }
    return report
  }

  private let pull: JSONValue = .array([
    .object(["number": .integer(78), "base": .object(["ref": .string("release/1")]), "head": .object(["ref": .string("topic")])])
  ])

  @Test(
    "each event points at the commit whose workflow file its run executes",
    arguments: [
      ("push", false, ["abc"]), ("workflow_dispatch", false, ["abc"]), ("schedule", false, ["abc"]), ("release", false, ["abc"]),
      ("pull_request", true, ["refs/pull/78/merge", "abc"]), ("pull_request", false, ["abc"]),
      ("pull_request_review", true, ["refs/pull/78/merge", "abc"]),
      ("pull_request_target", true, ["main", "release/1"]), ("issue_comment", false, ["main"]), ("workflow_run", false, ["main"]),
      ("an_event_of_tomorrow", false, ["main"]),
    ])
  func definitionRefs(event: String, hasPull: Bool, expected: [String]) throws {
    let report = try report(["event": .string(event), "head_sha": .string("abc"), "pull_requests": hasPull ? pull : .array([])])
    #expect(report.definitionRefs == expected)
  }

  @Test("a fork's commit is never taken for the definition of a trusted event") func trustedEventsIgnoreTheHead() throws {
    let bare: JSONValue = .object(["id": .integer(1), "full_name": .string("acme/shop")])
    let report = try report(
      ["event": .string("pull_request_target"), "head_sha": .string("abc"), "pull_requests": .null, "repository": .null], repository: bare)
    #expect(report.definitionRefs == ["HEAD"])
  }

  @Test("the path of the workflow file loses its ref") func pathHasNoRef() throws {
    #expect(try report(["path": .string(".github/workflows/ci.yml@refs/heads/main")]).context.path == ".github/workflows/ci.yml")
    #expect(try report(["path": .null]).context.path == nil)
  }

  @Test("the commits of called workflows are told by their references") func calledCommits() throws {
    let called: JSONValue = .array([
      .object(["path": .string("acme/ci/.github/workflows/a.yml@v1"), "sha": .string("abc"), "ref": .string("refs/tags/v1")])
    ])
    #expect(try report(["referenced_workflows": called]).calledCommits == ["acme/ci/.github/workflows/a.yml@v1": "abc"])
    #expect(try report(["referenced_workflows": .null]).calledCommits == nil)
  }

  @Test("a head repository that was deleted counts as another repository") func deletedForkIsAFork() throws {
    #expect(try report(["head_repository": .null]).context.headRepositoryID == 0)
    #expect(try report(["head_repository": .object(["id": .integer(5)])]).context.headRepositoryID == 5)
  }
}
