import Emulator
import Foundation
import GitHubDescription
import Glibc
import Logging
import NIOHTTP1
import Testing

/// `runnerhub verify github` as an operator calls it, with a local GitHub as the account.
@Suite("Verifying an account", .serialized) struct VerifyTests {
  @Test("all steps pass, each says what was seen, and nothing of it is left") func passes() async throws {
    try await VerifyBench.run { bench in
      #expect(try await bench.verify() == 0, "\(bench.output)")
      let output = bench.output
      #expect(output.contains("7 steps, 7 passed, 0 failed, 0 not run"), "\(output)")
      for words in [
        "GET /user → 200", "4999 of 5000 requests left", "private, default branch main", "Actions are enabled",
        "→ 201", "removed again", "GitHub cannot reach this machine", "workflow_job queued of succeeds",
        "workflow_job completed of fails-as-written", "GitHub: succeeds ended with success on runner rh-",
        "RunnerHub: fails-as-written ended with failure; it registered rh-", "bytes, with “the word is ",
        "RunnerHub's log of succeeds holds “the word is", "RunnerHub / succeeds success", "with 304",
        "serve was drained, and ended (exited(0))",
        "the branch is deleted",
      ] { #expect(output.contains(words), "\(words)\n\(output)") }
      #expect(!output.contains(VerifyBench.token))

      let ledger = await bench.github.ledger()
      let jobs = (ledger["jobs"].array ?? []).filter { ($0["runner_name"].string ?? "").hasPrefix("rh-") }
      #expect(Set(jobs.compactMap { $0["name"].string }) == ["succeeds", "fails-as-written"])
      for job in jobs { #expect(job["times_started"].int == 1 && job["times_ended"].int == 1, "\(job)") }
      #expect(ledger["runs"].array?.count == 2, "the repository's own workflow began with its own push alone")
      try await bench.expectNothingLeft()
      let left = try FileManager.default.contentsOfDirectory(atPath: bench.folder.path(percentEncoded: false))
      #expect(!left.contains { $0.hasPrefix("runnerhub-verify-") }, "\(left)")
      try await bench.expectDescribed()
    }
  }

  /// What is wrong with an account, and what is said of it.
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var change: @Sendable (inout EmulatorConfiguration) -> Void = { _ in }
    var repository = "acme/sandbox"
    var token = VerifyBench.token
    /// The step that fails, as the list numbers it.
    var step: Int
    var words: [String]

    static func without(_ permission: String, _ level: String?, step: Int, _ words: String) -> Case {
      Case(
        testDescription: "the permission \(permission) is \(level ?? "missing")", change: { $0.permissions[permission] = level },
        step: step,
        words: ["→ 403", words])
    }
  }

  private static let cases = [
    Case(
      testDescription: "a wrong token", token: "ghp_wrong", step: 1,
      words: ["401 “Bad credentials”", "the token is wrong, revoked or at its end"]),
    Case(
      testDescription: "a classic token without a scope", change: { $0.tokenScopes = ["repo"] }, step: 1,
      words: ["scopes: repo", "lacks the scopes workflow"]),
    Case(
      testDescription: "an unknown repository", repository: "acme/nowhere", step: 2, words: ["404 “Not Found”", "what a token may not see"]),
    Case(testDescription: "a public repository", repository: "acme/open", step: 2, words: ["the repository is public", "--allow-public"]),
    Case(testDescription: "an archived repository", repository: "acme/old", step: 2, words: ["archived or disabled"]),
    Case(testDescription: "a repository without Actions", repository: "acme/quiet", step: 2, words: ["Actions are disabled"]),
    Case(
      testDescription: "an empty repository", repository: "acme/empty", step: 3,
      words: ["409 “Git Repository is empty.”", "commit a README"]),
    .without("administration", nil, step: 2, "Administration: Read and write"),
    .without("administration", "read", step: 3, "GitHub asks for administration=write"),
    .without("contents", "read", step: 3, "Contents: Read and write"), .without("actions", "read", step: 3, "Actions: Read and write"),
    .without("statuses", "read", step: 3, "Commit statuses: Read and write"),
    .without("workflows", nil, step: 4, "Workflows: Read and write"),
  ]

  @Test("what is wrong with token or repository is said at its step, with what to do, and nothing is left", arguments: cases)
  func refusals(_ wrong: Case) async throws {
    try await VerifyBench.run(wrong.change) { bench in
      #expect(try await bench.verify(wrong.repository, token: wrong.token) == 1, "\(bench.output)")
      let output = bench.output
      // All before it passed, it failed, and the last step alone came after it.
      #expect(output.contains("7 steps, \(wrong.step) passed, 1 failed, \(6 - wrong.step) not run"), "\(output)")
      let failed = output.components(separatedBy: "\n\(wrong.step)/7 ").last?.components(separatedBy: "\n7/7 ").first ?? ""
      #expect(failed.contains("    ✗ ") && output.contains("\n7/7   nothing is left\n"), "\(output)")
      for words in wrong.words { #expect(failed.contains(words), "\(words)\n\(output)") }
      #expect(!output.contains(wrong.token))
      #expect(await bench.github.ledger()["runs"].array?.count == 1)
      try await bench.expectNothingLeft()
    }
  }

  @Test("a public repository is taken where that is said") func allowsPublic() async throws {
    try await VerifyBench.run { bench in
      _ = try await bench.github.push(Push(repository: "acme/open", files: ["README.md": "open"]))
      #expect(try await bench.verify("acme/open", ["--allow-public"]) == 0, "\(bench.output)")
      try await bench.expectNothingLeft("acme/open")
    }
  }

  @Test("Ctrl-C in the middle ends serve, cancels the run, and takes branch and runners away", arguments: ["5/7", "6/7"])
  func interrupted(_ step: String) async throws {
    try await VerifyBench.run { bench in
      let verify = try await bench.launch()
      try await eventually("the run has begun") { bench.output.contains(step) }
      await verify.signal(SIGINT)
      #expect(try await verify.exit(within: .seconds(90)) == 130, "\(bench.output)")
      #expect(bench.output.contains("✗ it was ended before it was done"), "\(bench.output)")
      #expect(bench.output.contains("(interrupted)") && bench.output.contains("the branch is deleted"), "\(bench.output)")
      let run = await bench.github.ledger()["runs"].array?.last
      #expect(run?["status"] == "completed", "\(bench.output)")
      try await bench.expectNothingLeft()
    }
  }

  @Test("jobs that RunnerHub does not take are told with its own words, and everything is taken away") func neverRuns() async throws {
    try await VerifyBench.run { bench in
      let policies = bench.folder.appending(path: "policies", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: policies, withIntermediateDirectories: true)
      let routing =
        "local routing = { api = 1 }\nfunction routing.route(job, fleet) return 'traditional', 'not today' end\nreturn routing\n"
      try Data(routing.utf8).write(to: policies.appending(path: "routing.lua"))
      let status = try await bench.verify(
        "acme/sandbox", ["--policies", policies.path(percentEncoded: false), "--time-limit", "3"])
      #expect(status == 1, "\(bench.output)")
      #expect(bench.output.contains("RunnerHub: ") && bench.output.contains("not today"), "\(bench.output)")
      #expect(bench.output.contains("the jobs have not ended within 3.0 s"), "\(bench.output)")
      #expect(bench.output.contains("what was left to look at: "), "\(bench.output)")
      #expect(await bench.github.ledger()["runs"].array?.last?["conclusion"] == "cancelled")
      try await bench.expectNothingLeft()
    }
  }
}

/// A local GitHub as somebody's account, and the command that verifies it.
struct VerifyBench: Sendable {
  static let token = "ghp_verified_end_to_end"

  let github: EmulatedGitHub
  let url: String
  /// Everything that the command writes is here.
  let folder: URL

  /// Runs the account while the body runs, and leaves nothing behind. It has one repository with a workflow of its own, and some that do not fit.
  static func run(
    _ change: @Sendable (inout EmulatorConfiguration) -> Void = { _ in }, _ body: @Sendable @escaping (VerifyBench) async throws -> Void
  ) async throws {
    var configuration = EmulatorConfiguration(
      organisation: "acme",
      repositories: [
        .init("acme/sandbox"), .init("acme/open", isPrivate: false), .init("acme/old", isArchived: true),
        .init("acme/quiet", runsActions: false), .init("acme/empty"),
      ], token: token)
    change(&configuration)
    var logger = Logger(label: "emulator")
    logger.logLevel = .critical
    let server = EmulatorServer(configuration: configuration, logger: logger)
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "runnerhub-verify-test-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      group.addTask {
        let bench = VerifyBench(github: server.github, url: try await server.url(), folder: folder)
        let workflow = "on: push\njobs:\n  theirs:\n    runs-on: ubuntu-latest\n    steps: [{ run: echo theirs }]\n"
        _ = try await server.github.push(Push(repository: "acme/sandbox", files: [".github/workflows/ci.yml": workflow]))
        do {
          try await body(bench)
        } catch {
          Issue.record("\(error)\n\(bench.output)")
        }
        try await bench.command([]).remove()
      }
      try await group.next()
      group.cancelAll()
      // The server ends by its cancellation, which is no failure of the test.
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
      }
    }
  }

  private func command(_ arguments: [String]) -> HubProcess {
    HubProcess(folder: folder, arguments: arguments, environment: ["TMPDIR": folder.path(percentEncoded: false)])
  }

  var output: String { command([]).output }

  /// Starts the command.
  func launch(_ repository: String = "acme/sandbox", _ options: [String] = [], token: String = VerifyBench.token) async throws -> HubProcess
  {
    let file = folder.appending(path: "token")
    try Data((token + "\n").utf8).write(to: file)
    let verify = command(
      [
        "verify", "github", "--repository", repository, "--token-file", file.path(percentEncoded: false), "--api-url", url, "--image",
        "stand-in", "--interval", "200",
      ] + options)
    try await verify.launch()
    return verify
  }

  /// Runs the command to its end.
  /// - Returns: its exit status.
  func verify(_ repository: String = "acme/sandbox", _ options: [String] = [], token: String = VerifyBench.token) async throws -> Int32 {
    try await launch(repository, options, token: token).exit(within: .seconds(120))
  }

  /// No branch, registration or process of the verification.
  func expectNothingLeft(_ repository: String = "acme/sandbox", _ location: SourceLocation = #_sourceLocation) async throws {
    let tag = try #require(output.firstMatch(of: /runnerhub-verify-[0-9a-f]{8}/)?.output, sourceLocation: location)
    let branch = try await House.send(
      .GET, "\(url)/repos/\(repository)/git/ref/heads/\(tag)", headers: [("User-Agent", "test"), ("Authorization", "Bearer \(Self.token)")])
    // A token without the right to see it could not have made it.
    #expect(branch.status == 404, "\(branch.text)", sourceLocation: location)
    let registrations = (await github.ledger()["registrations"].array ?? []).filter { $0["state"].string != "gone" }
    #expect(registrations.isEmpty, "\(registrations)", sourceLocation: location)
    let processes = Processes.of(folder)
    #expect(processes.isEmpty, "\(Processes.describe(processes))", sourceLocation: location)
  }

  /// Every request and answer is as GitHub describes it, where it describes it.
  func expectDescribed() async throws {
    let description = try GitHubDescription.standard()
    let recorded = try await House.send(.GET, "\(url)/_emulator/exchanges").json
    // Git's objects are not in the described part of the API, nor are the answers to probes and to conditional reads.
    let exchanges = try (recorded.array ?? []).map(RecordedExchange.init).filter { exchange in
      !exchange.path.contains("/git/") && !exchange.path.hasSuffix("/actions/permissions") && ![304, 404, 422].contains(exchange.status)
    }
    #expect(exchanges.count > 20)
    let complaints = Set(
      exchanges.flatMap { exchange in description.findings(exchange).map { "\(exchange.method) \(exchange.path): \($0)" } })
    #expect(complaints.isEmpty, "\(complaints.sorted().joined(separator: "\n"))")
  }
}
