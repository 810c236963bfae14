import Domain
import Emulator
import Foundation
import NIOHTTP1
import Testing

@testable import Command

/// The decisions of a verification. Its way through a whole account is tested end to end.
struct VerifyTests {
  // MARK: News of jobs

  private static func job(_ id: Int64, _ status: String) -> JSON { ["id": .int(id), "status": .string(status)] }

  @Test("each state of a job is told once, states between two looks are passed over, and none goes backwards")
  func news() {
    var watch = JobWatch()
    func news(_ jobs: JSON...) -> [String] { watch.news(in: jobs).map { "\($0.job["id"].int ?? 0) \($0.action)" } }
    #expect(news(Self.job(1, "queued"), Self.job(2, "queued")) == ["1 queued", "2 queued"])
    #expect(news(Self.job(1, "queued"), Self.job(2, "in_progress")) == ["2 in_progress"])
    #expect(news(Self.job(1, "completed"), Self.job(2, "queued")) == ["1 completed"])
    #expect(news(Self.job(1, "completed"), Self.job(2, "completed")) == ["2 completed"])
    #expect(news(Self.job(1, "completed"), Self.job(3, "waiting")) == ["3 waiting"])
    #expect(news(Self.job(4, "requested"), ["id": 5]) == [], "REST knows states that no webhook tells")
    #expect(watch.count == 3)
  }

  // MARK: Advice

  private static func answer(_ status: Int, _ message: String = "", _ headers: HTTPHeaders = [:]) -> VerifyClient.Answer {
    VerifyClient.Answer(
      call: "GET /x", status: status, headers: headers, body: Data(#"{"message": "\#(message)"}"#.utf8), took: .milliseconds(1))
  }

  private static let refusals: [(answer: VerifyClient.Answer, advice: String)] = [
    (answer(401, "Bad credentials"), "make a new one"),
    (
      answer(403, "Resource not accessible by personal access token", ["X-Accepted-GitHub-Permissions": "administration=write"]),
      "“Administration: Read and write” (GitHub asks for administration=write), a classic one the scope repo"
    ),
    (answer(404, "Not Found"), "GitHub says 404 also for what a token may not see"),
    (answer(403, "Resource not accessible by integration"), "a personal access token is needed"),
    (
      answer(403, "Resource protected by SAML", ["X-GitHub-SSO": "required; url=https://github.com/orgs/x/sso"]),
      "https://github.com/orgs/x/sso"
    ),
    (
      answer(403, "API rate limit exceeded", ["X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": "0"]),
      "1970-01-01"
    ),
    (answer(403, "secondary rate limit", ["Retry-After": "60"]), "wait 60 s"), (answer(429), "try again in a few minutes"),
    (answer(502), "githubstatus.com"),
  ]

  @Test("an answer that was not hoped for is followed by what to do", arguments: refusals)
  func advice(_ answer: VerifyClient.Answer, _ words: String) {
    let text = TokenAdvice.text(on: answer, needing: .writeAdministration) ?? ""
    #expect(text.contains(words), "\(text)")
  }

  @Test("every right has its words on GitHub's forms, and workflows alone need a scope of their own")
  func rights() {
    for right in TokenRight.allCases {
      #expect(right.fineGrained.contains(": Read"))
      #expect(right.scope == (right == .writeWorkflows ? "workflow" : "repo"))
    }
  }

  // MARK: The list

  @Test("no line of the list shows a secret, and a step that fails is told with what to do and counted")
  func list() async throws {
    let (lines, continuation) = AsyncStream.makeStream(of: String.self)
    let list = Checklist(total: 3, secrets: ["ghp_secret"]) { continuation.yield($0) }
    try await list.step(1, "one") { await list.see("an answer with ghp_secret in it\u{1B}[2J") }
    await #expect(throws: Checklist.StepFailed.self) {
      try await list.step(2, "two") { throw VerifyFailure(seen: "ghp_secret was refused", advice: "make another") }
    }
    continuation.finish()
    var text = ""
    for await line in lines { text += line + "\n" }
    #expect(!text.contains("ghp_secret") && !text.contains("\u{1B}"))
    #expect(text.contains("\n2/3   two\n    ✗ *** was refused\n    → make another"))
    #expect(await list.summary == "3 steps, 1 passed, 1 failed, 1 not run")
    #expect(await !list.isWhole)
  }

  @Test("the word that the log must hold stands nowhere in the workflow") func word() {
    let plan = VerifyPlan(
      repository: "acme/sandbox", apiURL: "http://127.0.0.1", engine: .process(image: "stand-in"), policies: "policies",
      allowsPublic: false,
      interval: .seconds(1), timeLimit: .seconds(1), token: "t", identities: RandomIdentitySource())
    #expect(!plan.workflow.contains(plan.word) && plan.workflow.contains(plan.halves.0))
    #expect(plan.workflow.contains("runs-on: [self-hosted, linux, \(plan.tag)]"))
    #expect(!plan.configuration(webhooks: "127.0.0.1:1", data: "/d").contains("token"))
  }

  // MARK: Wrong calls

  @Test(
    "a wrong call is refused before anything is asked of anybody",
    arguments: [
      (["--repository", "acme", "--image", "stand-in"], "--repository is \"acme\": expected OWNER/NAME"),
      (["--repository", "acme/..", "--image", "stand-in"], "expected OWNER/NAME"),
      (["--repository", "acme/shop", "--image", "stand-in"], "the local GitHub's own runner"),
      (["--repository", "acme/shop", "--image", "/nowhere"], "expected an absolute folder with GitHub's runner"),
      (["--repository", "acme/shop"], "--image"),
      (["--repository", "acme/shop", "--image", "x", "--engine", "docker", "--interval", "1"], "--interval is 1"),
      (["--repository", "acme/shop", "--image", "x", "--engine", "docker"], "--token-file token cannot be read"),
    ])
  func wrongCalls(_ arguments: [String], _ words: String) throws {
    let outcome = try Binary.run(["verify", "github", "--token-file", "token"] + arguments)
    #expect(outcome.status == 64, "\(outcome)")
    #expect(outcome.error.contains(words), "\(outcome.error)")
  }

  @Test("a token's file must hold one word", arguments: ["", "\n", "one two\n", "one\ntwo\n"]) func tokenFile(_ text: String) throws {
    let outcome = try Binary.run(
      ["verify", "github", "--token-file", "token", "--repository", "acme/shop", "--image", "x", "--engine", "docker"],
      files: ["token": text])
    #expect(outcome.status == 64 && outcome.error.contains("must hold one token and nothing else"), "\(outcome)")
  }

  private static let missing: [(given: [String: String], words: [String])] = [
    ([:], ["REPO is missing", "TOKEN_FILE is missing"]),
    (["REPO": "acme/shop", "TOKEN_FILE": "/nowhere"], ["/nowhere, which cannot be read"]),
    (["REPO": "acme/shop", "TOKEN_FILE": "/dev/null", "ENGINE": "docker"], ["IMAGE is missing"]),
    (["REPO": "acme/shop", "TOKEN_FILE": "/dev/null", "ENGINE": "lxc"], ["ENGINE is 'lxc'"]),
  ]

  @Test("make verify-github says which variables are missing or wrong, before it installs or builds anything", arguments: missing)
  func variables(_ given: [String: String], _ words: [String]) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let process = Process()
    process.executableURL = root.appending(path: "scripts/verify-github")
    process.arguments = ["check"]
    process.environment = given.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own }
    let error = Pipe()
    process.standardError = error
    try process.run()
    let said = String(decoding: try error.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 64)
    for text in words { #expect(said.contains(text), "\(said)") }
  }
}
