import Domain
import Foundation
import GitHubDescription
import NIOHTTP1
import RunnerHub
import Testing

@testable import GitHub

/// What a short allowance is spent on, and what a refusal silences.
@Suite("Limits of rate, by what a request is for", .timeLimit(.minutes(2))) struct BudgetTests {
  private static let now = Date(timeIntervalSince1970: 1_790_000_000)
  private static let runs = "GET /repos/acme/shop/actions/runs"
  private static let run = "GET /repos/acme/shop/actions/runs/7"
  private static let status = "POST /repos/acme/shop/statuses/\(sha)"
  private static let sha = String(repeating: "a", count: 40)

  private func headers(remaining: Int, of limit: Int = 100, reset: TimeInterval = 600) -> HTTPHeaders {
    [
      "x-ratelimit-remaining": "\(remaining)", "x-ratelimit-limit": "\(limit)",
      "x-ratelimit-reset": "\(Int(Self.now.timeIntervalSince1970 + reset))",
    ]
  }

  @Test(
    "a refusal silences what its limit is of, and no more",
    arguments: [
      (.content, false, [.content]), (.content, true, [.content, .core]), (.core, true, [.content, .core]),
      (.core, false, [.content, .core, .registration]), (.registration, false, [.content, .core, .registration]),
      (.registration, true, [.registration]),
    ] as [(Bucket, Bool, Set<Bucket>)])
  func silences(bucket: Bucket, isPrimary: Bool, silenced: Set<Bucket>) {
    let throttle = Throttle()
    let until = throttle.refused("token", bucket, wait: .until(Self.now + 30), isPrimary: isPrimary, now: Self.now)
    #expect(until == Self.now + 30)
    for other in Bucket.allCases {
      #expect(throttle.blocked("token", other, now: Self.now) == (silenced.contains(other) ? until : nil), "\(other)")
    }
  }

  @Test(
    "the less is left of a primary limit, the more urgent must be what it is spent on",
    arguments: [
      (21, [.registration, .removal, .repair, .report, .sweep]), (19, [.registration, .removal, .repair, .report]),
      (9, [.registration, .removal, .repair]),
      (4, [.registration, .removal]), (0, [.registration, .removal]),
    ] as [(Int, Set<Purpose>)])
  func reserves(remaining: Int, allowed: Set<Purpose>) {
    let throttle = Throttle()
    throttle.answered("token", .core, headers: headers(remaining: remaining), now: Self.now)
    for purpose in Purpose.allCases {
      let until = throttle.blocked("token", .core, for: purpose, now: Self.now)
      #expect((until == nil) == allowed.contains(purpose), "\(purpose)")
      if let until { #expect(until == Self.now + 600) }
      #expect(throttle.blocked("token", .core, for: purpose, now: Self.now + 600) == nil, "a new window")
      #expect(throttle.blocked("another", .core, for: purpose, now: Self.now) == nil)
    }
    // Registrations have a primary limit of their own.
    #expect(throttle.blocked("token", .registration, for: .registration, now: Self.now) == nil)
    #expect((throttle.blocked("token", .content, for: .report, now: Self.now) == nil) == allowed.contains(.report))
  }

  @Test("while statuses are refused, jobs are registered and read") func contentRefused() async throws {
    let generate = "POST /orgs/acme/actions/runners/generate-jitconfig"
    let description = try GitHubDescription.standard()
    var registration = try #require(description.example("runner-jitconfig"))
    registration["encoded_jit_config"] = .string(
      Data(#"{".runner": "e30=", ".credentials": "e30=", ".credentials_rsaparams": "e30="}"#.utf8).base64EncodedString())
    let github = ScriptedGitHub([
      Self.status: [.message(403, "You have exceeded a secondary rate limit", headers: ["Retry-After": "60"])],
      generate: [try .json(registration, status: 201)], Self.run: [try .json(description.example("workflow-run"))],
    ])
    try await github.withForge { forge in
      let update = StatusUpdate(
        jobID: JobID(forgeID: 1, attempt: 1), repository: "acme/shop", installationID: nil, headSHA: Self.sha, name: "RunnerHub / build",
        status: .queued, conclusion: nil, title: "waits", summary: "", detailsURL: nil, startedAt: nil, completedAt: nil)
      for _ in 0..<2 { _ = await expectRefusal("throttled") { try await forge.publish(update, handle: nil) } }
      #expect(github.count(Self.status) == 1, "held back the second time")
      let request = RunnerRequest(
        name: "rh-1", jobClass: JobClass(scope: "acme", group: "", labels: ["linux"]), repository: "acme/shop", installationID: nil)
      _ = try await forge.register(request)
      _ = try await forge.run(id: 7, repository: "acme/shop", installationID: nil)
    }
  }

  @Test("kept answers have a bound in bytes: past it those not asked for lately go, down to half") func forgets() throws {
    let capacity = 64 << 10
    let memory = AnswerMemory(capacity: capacity, largest: 4 << 10)
    func request(_ number: Int) throws -> GitHubRequest { try GitHubRequest(.GET, ["repos", "acme", "r\(number)"], for: .sweep) }
    func answer(_ status: HTTPResponseStatus = .ok, bytes: Int = 3 << 10) -> GitHubResponse {
      GitHubResponse(status: Int(status.code), headers: ["etag": "one"], body: Data(count: bytes), request: "")
    }
    func isKept(_ number: Int) throws -> Bool { try memory.tag(for: request(number), credential: "token") != nil }
    _ = try memory.settle(answer(bytes: 5 << 10), to: request(0), credential: "token")
    #expect(try !isKept(0), "too large")
    for number in 1...1000 {
      _ = try memory.settle(answer(), to: request(number), credential: "token")
      #expect(memory.bytes <= capacity)
      #expect(memory.bytes >= min(number * (3 << 10), capacity / 2 - (4 << 10)), "\(number)")
      #expect(try isKept(1), "asked for each time")
    }
    #expect(try isKept(1000))
    #expect(try !isKept(2))
    let last = try request(1000)
    #expect(memory.settle(answer(.notModified, bytes: 0), to: last, credential: "token").body.count == 3 << 10)
    _ = memory.settle(answer(.notFound, bytes: 0), to: last, credential: "token")
    #expect(try !isKept(1000), "what is gone is not kept")
  }

  @Test("a search that finds nothing new is a 304: the kept answer counts, and is asked for with its tag") func unchanged() async throws {
    let page = Answer(headers: ["ETag": "W/\"one\""], body: #"{"total_count": 0, "workflow_runs": []}"#)
    let github = ScriptedGitHub([Self.runs: [page, .empty(304), .empty(304)]])
    try await github.withForge { forge in
      for _ in 0..<3 {
        let found = try await forge.runs(.queued, of: "acme/shop", installationID: nil)
        #expect(found.isEmpty)
      }
    }
    #expect(github.exchanges.map { $0.requestHeaders["if-none-match"] } == [nil, "W/\"one\"", "W/\"one\""])
    #expect(github.exchanges.allSatisfy { $0.query.contains("status=queued") })
  }

  @Test("a file at a branch is asked for again with its tag, one at a commit is not", arguments: [true, false])
  func unchangedFile(isBranch: Bool) async throws {
    let file = Answer(headers: ["ETag": "\"one\""], body: "jobs: {}")
    let ref = isBranch ? "main" : Self.sha
    let github = ScriptedGitHub(["GET /repos/acme/shop/contents/.github/runnerhub.yaml": [file, isBranch ? .empty(304) : file]])
    try await github.withForge { forge in
      for _ in 0..<2 {
        let text = try await forge.file(path: ".github/runnerhub.yaml", ref: ref, repository: "acme/shop", installationID: nil)
        #expect(text == "jobs: {}")
      }
    }
    #expect(github.exchanges.map { $0.requestHeaders["if-none-match"] } == [nil, isBranch ? "\"one\"" : nil])
  }

  @Test("jobs of a run are read over all pages") func pages() async throws {
    let path = "/repos/acme/shop/actions/runs/7/jobs"
    var job = try #require(try GitHubDescription.standard().example("job"))
    func page(_ id: Int64, next: Bool) throws -> Answer {
      job["id"] = .integer(id)
      job["created_at"] = .string("2026-01-01T00:00:00Z")
      let body = JSONValue.object(["total_count": .integer(2), "jobs": .array([job])])
      return try .json(body, headers: next ? ["Link": "<{base}\(path)?page=2>; rel=\"next\""] : [:])
    }
    let github = ScriptedGitHub(["GET \(path)": [try page(1, next: true), try page(2, next: false)]])
    try await github.withForge { forge in
      let repository = Repository(id: 1, fullName: "acme/shop", isPrivate: true, defaultBranch: "main")
      let jobs = try await forge.jobs(ofRun: 7, repository: repository, installationID: nil)
      #expect(jobs.map(\.forgeID) == [1, 2] && jobs.allSatisfy { $0.repository == repository && $0.action == nil })
    }
  }

  @Test("an organisation's repositories come as they are listed") func repositories() async throws {
    let body = #"[{"id": 5, "full_name": "acme/shop", "private": true, "default_branch": "main"}, {"id": 6, "full_name": "acme/site"}]"#
    let github = ScriptedGitHub(["GET /orgs/acme/repos": [Answer(body: body)]])
    // This operation is not in the part of the description that is at hand.
    try await github.withForge(checks: false) { forge in
      let found = try await forge.repositories(of: "acme")
      #expect(found.map(\.fullName) == ["acme/shop", "acme/site"] && found.map(\.isPrivate) == [true, false])
    }
    #expect(github.exchanges.first?.query.contains("sort=pushed") == true)
  }
}
