import AsyncHTTPClient
import Domain
import Foundation
import GitHubDescription
import Logging
import NIOHTTP1
import RunnerHub
import Testing

@testable import GitHub

@Suite("Requests reach GitHub as it wants them", .timeLimit(.minutes(2))) struct TransportTests {
  private let path = "GET /repos/acme/shop/actions/runs/7"
  private func run() throws -> Answer { try .json(try GitHubDescription.standard().example("workflow-run")) }
  private func ask(_ forge: GitHubForge) async throws -> RunReport {
    try await forge.run(id: 7, repository: "acme/shop", installationID: nil)
  }

  @Test("each request carries the headers that GitHub requires") func headers() async throws {
    let github = ScriptedGitHub([path: [try run()]])
    try await github.withForge { forge in _ = try await ask(forge) }
    let headers = try #require(github.exchanges.first?.requestHeaders)
    #expect(headers["user-agent"] == "RunnerHub")
    #expect(headers["accept"] == "application/vnd.github+json")
    #expect(headers["x-github-api-version"] == "2022-11-28")
    #expect(headers["authorization"] == "Bearer secret-token-1")
  }

  @Test("an Enterprise Server's path goes before each call") func enterpriseBase() async throws {
    let github = ScriptedGitHub(["GET /api/v3/repos/acme/shop/actions/runs/7": [try run()]])
    try await github.withForge(settings: { $0.baseURL += "/api/v3/" }, checks: false) { forge in _ = try await ask(forge) }
    #expect(github.exchanges.count == 1)
  }

  @Test("a base URL that is none is refused", arguments: ["", "api.github.com", "ftp://x", "http://", "file:///etc"])
  func badBase(url: String) async throws {
    let settings = GitHubSettings(baseURL: url)
    let http = GitHubClient.makeHTTPClient(settings: settings)
    await expectRefusal("is not the http(s) address") {
      try await GitHubClient(settings: settings, credentials: .token("t"), http: http, logger: Logger(label: "test"))
    }
    try await http.shutdown()
  }

  @Test("a read is repeated after a fault, with pauses that grow") func readsAreRepeated() async throws {
    let time = TestTime()
    let github = ScriptedGitHub([path: [.message(502, "Bad gateway"), .cut, .message(500, "oops"), try run()]])
    try await github.withForge(time: time, checks: false) { forge in
      let run = try await ask(forge)
      #expect(run.id == 30_433_642)
    }
    #expect(github.exchanges.count == 4)
    #expect(time.pauses == [.milliseconds(500), .seconds(1), .seconds(2)])
  }

  @Test("a read is repeated a bounded number of times") func repetitionIsBounded() async throws {
    let github = ScriptedGitHub([path: [.message(503, "no")]])
    try await github.withForge(settings: { $0.maximumRetries = 2 }) { forge in
      let error = await expectRefusal("was answered 503 no") { try await ask(forge) }
      guard case .unavailable = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    #expect(github.exchanges.count == 3)
  }

  @Test("a write is never repeated by itself") func writesAreNotRepeated() async throws {
    let cancel = "POST /repos/acme/shop/actions/runs/7/cancel"
    let github = ScriptedGitHub([cancel: [.message(502, "Bad gateway")]])
    try await github.withForge { forge in
      await expectRefusal("no answer") { try await forge.cancelRun(id: 7, repository: .shop, installationID: nil) }
    }
    #expect(github.exchanges.count == 1)
  }

  @Test("nobody there is an unavailable forge") func nobodyThere() async throws {
    let github = ScriptedGitHub([:])
    try await github.withForge(settings: { $0.baseURL = "http://127.0.0.1:1" }) { forge in
      await expectRefusal("got no answer") { try await ask(forge) }
    }
  }

  @Test("garbage in an answer is said with its place, and nothing of its content") func garbage() async throws {
    let github = ScriptedGitHub([path: [Answer(body: "<html>"), Answer(body: #"{"id": "classified"}"#), Answer(body: "")]])
    try await github.withForge(checks: false) { forge in
      for _ in 0..<3 {
        let error = await expectRefusal("cannot be read") { try await ask(forge) }
        #expect(error?.description.contains("classified") == false)
      }
    }
  }

  @Test("an answer larger than the limit is not read") func tooLarge() async throws {
    let github = ScriptedGitHub([path: [Answer(body: String(repeating: " ", count: 100_000))]])
    try await github.withForge(settings: { $0.maximumAnswerBytes = 10_000 }, checks: false) { forge in
      await expectRefusal("larger than 10000 bytes") { try await ask(forge) }
    }
  }

  @Test("a renamed repository is followed with the same verb", arguments: [301, 302, 307, 308]) func renamed(status: Int) async throws {
    let github = ScriptedGitHub([
      path: [.empty(status, headers: ["Location": "{base}/repositories/1/actions/runs/7"])],
      "GET /repositories/1/actions/runs/7": [try run()],
      "POST /repos/acme/shop/actions/runs/7/cancel": [.empty(status, headers: ["Location": "/repositories/1/actions/runs/7/cancel"])],
      "POST /repositories/1/actions/runs/7/cancel": [Answer(status: 202, body: "{}")],
    ])
    try await github.withForge(checks: false) { forge in
      _ = try await ask(forge)
      try await forge.cancelRun(id: 7, repository: .shop, installationID: nil)
    }
    #expect(github.exchanges.allSatisfy { $0.requestHeaders["authorization"] == "Bearer secret-token-1" })
  }

  @Test("on another host the authorization is left out, and a write does not go there") func anotherHost() async throws {
    let stranger = ScriptedGitHub(["GET /there": [try run()]])
    try await stranger.run(checks: false) { stranger in
      let github = ScriptedGitHub([
        path: [.empty(302, headers: ["Location": stranger.base + "/there"])],
        "POST /repos/acme/shop/actions/runs/7/cancel": [.empty(307, headers: ["Location": stranger.base + "/there"])],
      ])
      try await github.withForge { forge in
        _ = try await ask(forge)
        await expectRefusal("another host") { try await forge.cancelRun(id: 7, repository: .shop, installationID: nil) }
      }
    }
    #expect(stranger.exchanges.count == 1)
    #expect(stranger.exchanges.first?.requestHeaders["authorization"] == nil)
  }

  @Test("a circle of redirects ends") func circle() async throws {
    let github = ScriptedGitHub([path: [.empty(301, headers: ["Location": "{base}/repos/acme/shop/actions/runs/7"])]])
    try await github.withForge { forge in await expectRefusal("redirected more than") { try await ask(forge) } }
    #expect(github.exchanges.count == 6)
  }

  @Test("a next page on another host is not followed") func pagesStayHome() async throws {
    let page = try GitHubDescription.standard().example("runner-groups-org")
    let github = ScriptedGitHub([
      "GET /orgs/acme/actions/runner-groups": [try .json(page, headers: ["Link": #"<http://localhost:1/evil>; rel="next""#])]
    ])
    try await github.withForge { forge in
      let request = RunnerRequest(
        name: "rh-1", jobClass: .init(scope: "acme", group: "none such", labels: ["x"]), repository: "acme/shop", installationID: nil)
      await expectRefusal("on another host") { try await forge.register(request) }
    }
  }

  @Test("no more requests are under way than allowed") func concurrencyIsBounded() async throws {
    let github = ScriptedGitHub([path: [try run()]])
    try await github.withForge(settings: { $0.maximumConcurrentRequests = 3 }) { forge in
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for _ in 0..<24 { tasks.addTask { _ = try await ask(forge) } }
        try await tasks.waitForAll()
      }
    }
    #expect(github.exchanges.count == 24)
    #expect(github.mostAtOnce <= 3)
  }

  @Test("a task that is cancelled while it waits gives up its place") func gateCancels() async throws {
    let gate = RequestGate(limit: 1)
    let (entered, told) = AsyncStream.makeStream(of: Void.self)
    let (released, release) = AsyncStream.makeStream(of: Void.self)
    await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        try await gate.run {
          told.yield()
          for await _ in released { break }
        }
      }
      for await _ in entered { break }
      await withThrowingTaskGroup(of: Void.self) { waiting in
        waiting.addTask { try await gate.run {} }
        waiting.cancelAll()
        await #expect(throws: CancellationError.self) { try await waiting.next() }
      }
      release.yield()
    }
    let next = try await gate.run { 2 }
    #expect(next == 2)
  }
}

@Suite("GitHub's wish to wait is obeyed", .timeLimit(.minutes(2))) struct RateLimitTests {
  private let path = "GET /repos/acme/shop/actions/runs/7"
  private static let now = Date(timeIntervalSince1970: 1_790_000_000)

  @Test(
    "retry-after comes first, then the reset of an empty budget, else the wait has no name",
    arguments: [
      (429, ["retry-after": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1790009999"], "", RateLimit.Wait.until(now + 30)),
      (403, ["retry-after": "7"], "", .until(now + 7)),
      (403, ["x-ratelimit-remaining": "0", "x-ratelimit-reset": "1790000120"], "", .until(now + 120)),
      (403, ["x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"], "", .until(now + 1)),
      (429, ["retry-after": "1e300"], "", .until(now + 86_400)), (429, ["retry-after": "nan"], "", .unnamed),
      (429, ["retry-after": "soon"], "", .unnamed), (429, [:], "", .unnamed),
      (403, [:], "You have exceeded a secondary rate limit.", .unnamed), (503, ["retry-after": "5"], "", .until(now + 5)),
    ] as [(Int, [String: String], String, RateLimit.Wait)])
  func waits(status: Int, headers: [String: String], message: String, expected: RateLimit.Wait) {
    let wait = RateLimit.wait(status: status, headers: HTTPHeaders(headers.map { ($0.key, $0.value) }), message: message, now: Self.now)
    #expect(wait == expected)
  }

  @Test(
    "other refusals are none of the rate",
    arguments: [
      (403, ["x-ratelimit-remaining": "0"], "Resource not accessible by integration"), (403, ["x-ratelimit-remaining": "10"], "Forbidden"),
      (404, ["retry-after": "5"], ""), (200, ["x-ratelimit-remaining": "0"], ""), (500, [:], ""),
    ] as [(Int, [String: String], String)])
  func doesNotWait(status: Int, headers: [String: String], message: String) {
    let wait = RateLimit.wait(status: status, headers: HTTPHeaders(headers.map { ($0.key, $0.value) }), message: message, now: Self.now)
    #expect(wait == nil)
  }

  @Test("an unnamed wait doubles with each refusal in a row, and starts again after an answer") func doubles() {
    let throttle = Throttle()
    var now = Self.now
    for minutes in [1.0, 2, 4, 8, 16, 32, 32] {
      let until = throttle.refused("token", wait: .unnamed, now: now)
      #expect(until == now + minutes * 60)
      #expect(throttle.blocked("token", now: now) == until)
      #expect(throttle.blocked("installation 1", now: now) == nil)
      now = until
      #expect(throttle.blocked("token", now: now) == nil)
    }
    throttle.answered("token", now: now)
    #expect(throttle.refused("token", wait: .unnamed, now: now) == now + 60)
  }

  @Test("requests that are refused together count as one refusal in a row") func together() {
    let throttle = Throttle()
    for _ in 0..<32 { #expect(throttle.refused("token", wait: .unnamed, now: Self.now) == Self.now + 60) }
    // A registration that was under way too.
    #expect(throttle.refused("token", .registration, wait: .unnamed, now: Self.now) == Self.now + 60)
    #expect(throttle.refused("token", wait: .unnamed, now: Self.now + 60) == Self.now + 180)
  }

  @Test("what waits for its place when GitHub refuses is not sent") func silenceInTheGate() async throws {
    let github = ScriptedGitHub([path: [.message(429, "slow down")]])
    try await github.withForge(settings: { $0.maximumConcurrentRequests = 1 }) { forge in
      await withTaskGroup(of: Void.self) { tasks in
        for _ in 0..<8 {
          tasks.addTask {
            _ = await expectRefusal("throttled") { try await forge.run(id: 7, repository: "acme/shop", installationID: nil) }
          }
        }
      }
    }
    #expect(github.exchanges.count == 1)
  }

  @Test("while GitHub wants silence nothing is sent; afterwards it is") func silence() async throws {
    let time = TestTime()
    let run = try Answer.json(try GitHubDescription.standard().example("workflow-run"))
    let github = ScriptedGitHub([path: [.message(429, "slow down", headers: ["Retry-After": "90"]), run]])
    try await github.withForge(time: time) { forge in
      for _ in 0..<3 {
        let error = await expectRefusal("throttled") { try await forge.run(id: 7, repository: "acme/shop", installationID: nil) }
        guard case .throttled(let until, _) = error else { continue }
        #expect(until == Self.now + 90)
      }
      #expect(github.exchanges.count == 1)
      time.advance(by: 90)
      _ = try await forge.run(id: 7, repository: "acme/shop", installationID: nil)
    }
    #expect(github.exchanges.count == 2)
  }
}
