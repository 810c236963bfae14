import Domain
import Foundation
import GitHub
import GitHubDescription
import RunnerHub
import Testing

@Suite("The forge does what the core asks of it", .timeLimit(.minutes(2))) struct ForgeTests {
  private let examples = Result { try GitHubDescription.standard() }

  private func example(_ name: String) throws -> JSONValue { try #require(try examples.get().example(name)) }

  // MARK: Runners

  private static let files = [".runner": "{\"agentId\": 1}", ".credentials": "{}", ".credentials_rsaparams": "{\"d\": \"x\"}"]

  /// GitHub's example of a registration, with a configuration that can be read.
  private func registration(_ id: Int64 = 23) throws -> JSONValue {
    let map = JSONValue.object(Self.files.mapValues { .string(Data($0.utf8).base64EncodedString()) })
    var answer = try example("runner-jitconfig")
    answer["runner"]?["id"] = .integer(id)
    answer["encoded_jit_config"] = .string(try map.data().base64EncodedString())
    return answer
  }

  private func runners(_ name: String?, busy: Bool = false) throws -> JSONValue {
    var page = try example("runner-paginated")
    if let name {
      page["runners"]?[0]?["name"] = .string(name)
      page["runners"]?[0]?["busy"] = .bool(busy)
      page["runners"]?[0]?["id"] = .integer(99)
    } else {
      page["runners"] = .array([])
    }
    return page
  }

  private func request(scope: String = "acme", group: String = "", labels: Labels = ["linux", "x64"]) -> RunnerRequest {
    RunnerRequest(
      name: "rh-1", jobClass: JobClass(scope: scope, group: group, labels: labels), repository: "acme/shop", installationID: nil)
  }

  private let generate = "POST /orgs/acme/actions/runners/generate-jitconfig"
  private let list = "GET /orgs/acme/actions/runners"
  private let removal = "DELETE /orgs/acme/actions/runners/99"

  @Test("a registration gives the runner's id and its files, for its user's eyes only") func registers() async throws {
    let github = ScriptedGitHub([generate: [try .json(try registration(), status: 201)]])
    try await github.withForge { forge in
      let registration = try await forge.register(request())
      #expect(registration.runnerID == 23)
      #expect(registration.files.map(\.path) == [".credentials", ".credentials_rsaparams", ".runner"])
      #expect(registration.files.allSatisfy { $0.mode == 0o400 })
      for file in registration.files { #expect(String(decoding: file.contents, as: UTF8.self) == Self.files[file.path]) }
    }
    let body = try #require(try github.bodies(generate).first)
    #expect(
      body == .object(["name": .string("rh-1"), "runner_group_id": .integer(1), "labels": .array([.string("linux"), .string("x64")])]))
  }

  @Test("a repository's runner is registered with the repository") func registersWithRepository() async throws {
    let call = "POST /repos/acme/shop/actions/runners/generate-jitconfig"
    let github = ScriptedGitHub([call: [try .json(try registration(), status: 201)]])
    try await github.withForge { forge in _ = try await forge.register(request(scope: "acme/shop", group: "ignored here")) }
    #expect(try github.bodies(call).first?["runner_group_id"]?.integer == 1)
  }

  @Test("a named group is looked up once, over all pages") func looksUpGroup() async throws {
    var second = try example("runner-groups-org")
    second["runner_groups"]?[0]?["name"] = .string("GPU")
    second["runner_groups"]?[0]?["id"] = .integer(42)
    let groups = "GET /orgs/acme/actions/runner-groups"
    let github = ScriptedGitHub([
      groups: [
        try .json(
          try example("runner-groups-org"),
          headers: ["Link": #"<{base}/orgs/acme/actions/runner-groups?per_page=100&page=2>; rel="next", <{base}/x>; rel="last""#]),
        try .json(second),
      ],
      generate: [try .json(try registration(), status: 201)],
    ])
    try await github.withForge { forge in
      _ = try await forge.register(request(group: "gpu"))
      _ = try await forge.register(request(group: "gpu"))
    }
    #expect(github.count(groups) == 2)
    #expect(github.exchanges.filter { $0.path.hasSuffix("runner-groups") }.last?.query == "per_page=100&page=2")
    #expect(try github.bodies(generate).allSatisfy { $0["runner_group_id"]?.integer == 42 })
  }

  @Test("a taken name is freed and taken again") func takenNameIsFreed() async throws {
    let github = ScriptedGitHub([
      generate: [.message(409, "Already exists"), try .json(try registration(), status: 201)],
      list: [try .json(try runners("rh-1"))], removal: [.empty(204)],
    ])
    try await github.withForge { forge in
      let registration = try await forge.register(request())
      #expect(registration.runnerID == 23)
    }
    #expect(github.calls == [generate, list, removal, generate])
    #expect(github.exchanges[1].query == "name=rh-1&per_page=100")
  }

  @Test(
    "a registration whose answer was lost is found and renewed",
    arguments: [Answer.message(502, "Bad gateway"), .cut, Answer(status: 201, body: "<html>")])
  func lostAnswerIsRenewed(loss: Answer) async throws {
    let github = ScriptedGitHub([
      generate: [loss, try .json(try registration(), status: 201)], list: [try .json(try runners("rh-1"))], removal: [.empty(204)],
    ])
    try await github.withForge(checks: false) { forge in
      let registration = try await forge.register(request())
      #expect(registration.runnerID == 23)
    }
    #expect(github.calls == [generate, list, removal, generate])
  }

  @Test("a name is not taken twice, and a busy runner is left alone") func busyRunnerIsKept() async throws {
    let busy = ScriptedGitHub([generate: [.message(409, "Already exists")], list: [try .json(try runners("rh-1", busy: true))]])
    try await busy.withForge { forge in
      await expectRefusal("exists already") { try await forge.register(request()) }
    }
    #expect(busy.calls == [generate, list])

    let justBusy = ScriptedGitHub([
      generate: [.message(409, "Already exists")], list: [try .json(try runners("rh-1"))],
      removal: [.message(422, "Runner is still running a job")],
    ])
    try await justBusy.withForge { forge in
      await expectRefusal("has just got a job") { try await forge.register(request()) }
    }
    let stubborn = ScriptedGitHub([generate: [.message(409, "Already exists")], list: [try .json(try runners(nil))]])
    try await stubborn.withForge { forge in
      await expectRefusal("exists already") { try await forge.register(request()) }
    }
    #expect(stubborn.calls == [generate, list, generate])
  }

  @Test(
    "a configuration that cannot be read is an error, not a trap",
    arguments: ["", "?!", "bm90IGpzb24=", "W10=", "e30=", "eyIuLi94IjogIiJ9", "eyJhIjogIj8/PyJ9", "eyJhIjogMX0="])
  func garbageConfiguration(text: String) async throws {
    var answer = try registration()
    answer["encoded_jit_config"] = .string(text)
    let github = ScriptedGitHub([generate: [try .json(answer, status: 201)]])
    try await github.withForge { forge in
      await expectRefusal("just-in-time configuration") { try await forge.register(request()) }
    }
  }

  @Test(
    "a removal is done when the runner is gone, and refused while it works",
    arguments: [(204, RunnerRemoval.removed), (404, .absent), (422, .busy)])
  func removal(status: Int, expected: RunnerRemoval) async throws {
    let github = ScriptedGitHub([removal: [status == 204 ? .empty(204) : .message(status, "no")]])
    try await github.withForge { forge in
      let result = try await forge.removeRunner(id: 99, scope: request().jobClass, repository: "acme/shop", installationID: nil)
      #expect(result == expected)
    }
  }

  @Test("a runner whose id was never learnt is found by its name and removed", arguments: [(204, RunnerRemoval.removed), (422, .busy)])
  func removalByName(status: Int, expected: RunnerRemoval) async throws {
    let scope = request().jobClass
    let github = ScriptedGitHub([
      list: [try .json(try runners("rh-1"))], removal: [status == 204 ? .empty(204) : .message(status, "no")],
    ])
    try await github.withForge { forge in
      let result = try await forge.removeRunner(named: "rh-1", scope: scope, repository: "acme/shop", installationID: nil)
      #expect(result == expected)
    }
    #expect(github.calls == [list, removal])
    #expect(github.exchanges[0].query == "name=rh-1&per_page=100")

    let absent = ScriptedGitHub([list: [try .json(try runners(nil))]])
    try await absent.withForge { forge in
      let result = try await forge.removeRunner(named: "rh-1", scope: scope, repository: "acme/shop", installationID: nil)
      #expect(result == .absent)
    }
    #expect(absent.calls == [list])
  }

  // MARK: Reading

  @Test("a run, a job and a file are read") func reads() async throws {
    var job = try example("job")
    job["created_at"] = .string("2026-01-01T00:00:00Z")
    var run = try example("workflow-run")
    run["path"] = .string(".github/workflows/build.yml@main")
    let github = ScriptedGitHub([
      "GET /repos/acme/shop/actions/runs/30433642": [try .json(run)], "GET /repos/acme/shop/actions/jobs/399444496": [try .json(job)],
      "GET /repos/acme/shop/contents/.github/workflows/b%C3%BCild%20%231.yml": [Answer(body: "on: push\n# ü\n")],
    ])
    try await github.withForge { forge in
      let run = try await forge.run(id: 30_433_642, repository: "acme/shop", installationID: nil)
      #expect(run.id == 30_433_642)
      #expect(run.repository == "acme/shop")
      #expect(run.context.path == ".github/workflows/build.yml")
      let shop = Repository(id: 1, fullName: "acme/shop", isPrivate: true, defaultBranch: "main")
      let job = try await forge.job(id: 399_444_496, repository: shop, installationID: nil)
      #expect(job.forgeID == 399_444_496)
      #expect(job.action == nil)
      #expect(!job.steps.isEmpty)
      let text = try await forge.file(
        path: ".github/workflows/büild #1.yml", ref: "refs/pull/7/merge", repository: "acme/shop", installationID: nil)
      #expect(text == "on: push\n# ü\n")
    }
    let file = try #require(github.exchanges.last)
    #expect(file.query == "ref=refs%2Fpull%2F7%2Fmerge")
    #expect(file.requestHeaders["accept"] == "application/vnd.github.raw+json")
  }

  @Test("a path that climbs is refused before anything is sent", arguments: ["../x", ".github/../../secret", "", "a//b"])
  func climbingPaths(path: String) async throws {
    let github = ScriptedGitHub([:])
    try await github.withForge { forge in
      await expectRefusal("refused as invalid") {
        try await forge.file(path: path, ref: "main", repository: "acme/shop", installationID: nil)
      }
      await expectRefusal("owner/name") { try await forge.run(id: 1, repository: "acme", installationID: nil) }
    }
    #expect(github.exchanges.isEmpty)
  }

  @Test("a run that has ended counts as cancelled; a missing permission is said") func cancels() async throws {
    let cancel = "POST /repos/acme/shop/actions/runs/7/cancel"
    let github = ScriptedGitHub([
      cancel: [
        Answer(status: 202, body: "{}"), .message(409, "Cannot cancel a workflow run that is completed."),
        .message(403, "Resource not accessible by integration", headers: ["x-accepted-github-permissions": "actions=write"]),
      ]
    ])
    try await github.withForge { forge in
      try await forge.cancelRun(id: 7, repository: .shop, installationID: nil)
      try await forge.cancelRun(id: 7, repository: .shop, installationID: nil)
      await expectRefusal("needs the permissions actions=write") {
        try await forge.cancelRun(id: 7, repository: .shop, installationID: nil)
      }
    }
  }

  // MARK: Status

  private func update(_ status: StatusUpdate.Status, _ conclusion: Conclusion? = nil, title: String = "waits") -> StatusUpdate {
    StatusUpdate(
      jobID: JobID(forgeID: 11, attempt: 2), repository: "acme/shop", installationID: 5, headSHA: "abc", name: "RunnerHub / build",
      status: status, conclusion: conclusion, title: title, summary: String(repeating: "é", count: 70_000),
      detailsURL: "http://127.0.0.1/jobs/11",
      startedAt: Date(timeIntervalSince1970: 1_790_000_000), completedAt: conclusion.map { _ in Date(timeIntervalSince1970: 1_790_000_060) }
    )
  }

  @Test(
    "a token speaks by commit statuses",
    arguments: [
      (Conclusion.success, "success"), (.failure, "failure"), (.cancelled, "error"), (.skipped, "success"), (.timedOut, "failure"),
      (.other("odd"), "error"),
    ])
  func commitStatuses(conclusion: Conclusion, state: String) async throws {
    let call = "POST /repos/acme/shop/statuses/abc"
    let github = ScriptedGitHub([call: [try .json(try example("status"), status: 201)]])
    try await github.withForge { forge in
      let first = try await forge.publish(update(.queued, title: String(repeating: "t", count: 200)), handle: nil)
      let second = try await forge.publish(update(.completed, conclusion), handle: first)
      #expect([first, second] == ["status", "status"])
    }
    let bodies = try github.bodies(call)
    #expect(bodies[0]["state"]?.string == "pending")
    #expect(bodies[0]["description"]?.string?.count == 140)
    #expect(bodies[0]["context"]?.string == "RunnerHub / build")
    #expect(bodies[0]["target_url"]?.string == "http://127.0.0.1/jobs/11")
    #expect(bodies[1]["state"]?.string == state)
  }

  private let tokenCall = "POST /app/installations/5/access_tokens"
  private let checks = "POST /repos/acme/shop/check-runs"
  private let commitChecks = "GET /repos/acme/shop/commits/abc/check-runs"

  private func token() throws -> JSONValue {
    var token = try example("installation-token")
    token["expires_at"] = .string("2027-01-01T00:00:00Z")
    return token
  }

  @Test("an App speaks by check runs: created once, then updated") func checkRuns() async throws {
    var page = try example("check-run-paginated")
    page["check_runs"]?[0]?["external_id"] = .string("somebody else's")
    let github = ScriptedGitHub([
      tokenCall: [try .json(try token(), status: 201)], commitChecks: [try .json(page)],
      checks: [try .json(try example("check-run"), status: 201)],
      "PATCH /repos/acme/shop/check-runs/4": [try .json(try example("check-run"))],
    ])
    try await github.withForge(try AppKey.app()) { forge in
      let handle = try await forge.publish(update(.inProgress), handle: nil)
      #expect(handle == "check:4")
      let again = try await forge.publish(update(.completed, .timedOut), handle: handle)
      #expect(again == handle)
    }
    let created = try #require(try github.bodies(checks).first)
    #expect(created["external_id"]?.string == "11.2")
    #expect(created["status"]?.string == "in_progress")
    #expect(created["conclusion"] == nil)
    #expect(created["output"]?["summary"]?.string?.unicodeScalars.count == 65_535)
    let updated = try #require(try github.bodies("PATCH /repos/acme/shop/check-runs/4").first)
    #expect(updated["conclusion"]?.string == "timed_out")
    #expect(updated["completed_at"]?.string == "2026-09-21T14:14:20Z")
  }

  @Test("a check run whose creation was not remembered is found by the job's id") func checkRunIsFoundAgain() async throws {
    var page = try example("check-run-paginated")
    page["check_runs"]?[0]?["external_id"] = .string("11.2")
    page["check_runs"]?[0]?["id"] = .integer(77)
    var check = try example("check-run")
    check["id"] = .integer(77)
    let github = ScriptedGitHub([
      tokenCall: [try .json(try token(), status: 201)], commitChecks: [try .json(page)],
      "PATCH /repos/acme/shop/check-runs/77": [try .json(check)],
    ])
    try await github.withForge(try AppKey.app()) { forge in
      let handle = try await forge.publish(update(.queued), handle: nil)
      #expect(handle == "check:77")
    }
    #expect(github.count(checks) == 0)
    #expect(github.exchanges.first { $0.path.hasSuffix("commits/abc/check-runs") }?.query.contains("filter=all") == true)
  }
}
