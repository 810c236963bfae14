import Foundation
import GitHubDescription
import Testing

@Suite("GitHub's description judges messages") struct DescriptionTests {
  private static let description = Result { try GitHubDescription.standard() }
  private var description: GitHubDescription { get throws { try Self.description.get() } }

  @Test("101 of GitHub's own 118 examples satisfy it; the others are GitHub's slips") func examplesAreAccepted() throws {
    let examples = try description.examples()
    let right = examples.filter(\.findings.isEmpty)
    print("\(right.count) of \(examples.count) examples satisfy GitHub's description")
    #expect(examples.count == 118)
    #expect(right.count == 101)
  }

  @Test("the example deliveries satisfy the schemas of their events", arguments: CorpusCase.all)
  func deliveriesAreAccepted(example: CorpusCase) throws {
    // GitHub's examples of installations are older than its schemas: times as numbers, no slug.
    let stale: Set<String> = ["body.installation.app_slug", "body.installation.created_at", "body.installation.updated_at"]
    let isStale = example.event.hasPrefix("installation")
    let findings = try description.findings(webhook: example.event, body: example.body)
    #expect(findings.filter { !(isStale && stale.contains($0.place)) }.isEmpty, "\(findings)")
  }

  /// A right message with one thing made wrong, and where the fault must be found.
  struct Mutation: Sendable, CustomTestStringConvertible {
    let name: String
    let message: Message
    let place: String
    let change: @Sendable (inout RecordedExchange) throws -> Void
    var testDescription: String { name }
  }

  enum Message: String, Sendable, CaseIterable { case register, check, status, run, job, token, runners, cancel }

  @Test("the right messages that are mutated below are accepted", arguments: Message.allCases)
  func rightMessagesAreAccepted(message: Message) throws {
    let findings = try description.findings(exchange(message))
    #expect(findings.isEmpty, "\(findings)")
  }

  @Test("a mutated message is rejected where it was mutated", arguments: mutations)
  func mutatedMessagesAreRejected(mutation: Mutation) throws {
    var exchange = try exchange(mutation.message)
    try mutation.change(&exchange)
    let findings = try description.findings(exchange)
    #expect(findings.contains { $0.place.hasPrefix(mutation.place) }, "\(findings)")
  }

  @Test("thirty mutations have thirty names") func mutationsAreMany() {
    #expect(Set(Self.mutations.map(\.name)).count >= 30)
  }

  @Test(
    "a mutated event is rejected",
    arguments: [
      ("a job without its id", "body.workflow_job.id"), ("a job whose labels are one text", "body.workflow_job.labels"),
      ("an action nobody knows", "body"), ("a step whose status is a number", "body.workflow_job.steps[0].status"),
      ("a repository whose id is a text", "body.repository.id"),
    ])
  func mutatedEventsAreRejected(name: String, place: String) throws {
    let example = try #require(CorpusCase.all.first { $0.event == "workflow_job" && $0.name.hasPrefix("completed") })
    var body = try JSONValue(json: example.body)
    switch name {
    case "a job without its id": body["workflow_job"]?["id"] = nil
    case "a job whose labels are one text": body["workflow_job"]?["labels"] = .string("linux")
    case "an action nobody knows": body["action"] = .string("teleported")
    case "a step whose status is a number": body["workflow_job"]?["steps"]?[0]?["status"] = .integer(1)
    default: body["repository"]?["id"] = .string("1")
    }
    let findings = try description.findings(webhook: "workflow_job", body: try body.data())
    #expect(findings.contains { $0.place.hasPrefix(place) }, "\(findings)")
  }

  // MARK: Right messages

  private func exchange(_ message: Message) throws -> RecordedExchange {
    let examples = try description
    func right(_ method: String, _ path: String, _ query: String = "", _ body: String = "", _ status: Int, _ example: String?) throws
      -> RecordedExchange
    {
      let answer = try example.map { String(decoding: try #require(examples.example($0)).data(), as: UTF8.self) } ?? "{}"
      return RecordedExchange(
        method: method, path: path, query: query,
        requestHeaders: [
          "accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "test", "authorization": "Bearer x",
        ], requestBody: body, status: status, responseHeaders: [:], responseBody: answer)
    }
    switch message {
    case .register:
      let body = #"{"name": "rh-1", "runner_group_id": 1, "labels": ["linux", "x64"]}"#
      return try right("POST", "/orgs/acme/actions/runners/generate-jitconfig", "", body, 201, "runner-jitconfig")
    case .check:
      let body =
        #"{"name": "n", "head_sha": "abc", "status": "completed", "conclusion": "success", "output": {"title": "t", "summary": "s"}}"#
      return try right("POST", "/repos/acme/shop/check-runs", "", body, 201, "check-run")
    case .status:
      return try right("POST", "/repos/acme/shop/statuses/abc", "", #"{"state": "pending", "context": "RunnerHub"}"#, 201, "status")
    case .run: return try right("GET", "/repos/acme/shop/actions/runs/7", "", "", 200, "workflow-run")
    case .job:
      var exchange = try right("GET", "/repos/acme/shop/actions/jobs/7", "", "", 200, "job")
      // GitHub's example lacks a member that its schema requires.
      try exchange.changeAnswer { $0["created_at"] = .string("2026-01-01T00:00:00Z") }
      return exchange
    case .token: return try right("POST", "/app/installations/5/access_tokens", "", "{}", 201, "installation-token")
    case .runners: return try right("GET", "/orgs/acme/actions/runners", "name=rh-1&per_page=100", "", 200, "runner-paginated")
    case .cancel: return try right("POST", "/repos/acme/shop/actions/runs/7/cancel", "", "", 202, nil)
    }
  }

  // MARK: Thirty ways to be wrong

  private static func request(
    _ name: String, _ message: Message, _ place: String, _ change: @escaping @Sendable (inout JSONValue) -> Void
  ) -> Mutation {
    Mutation(name: name, message: message, place: "request body" + place) { try $0.changeRequest(change) }
  }
  private static func answer(
    _ name: String, _ message: Message, _ place: String, _ change: @escaping @Sendable (inout JSONValue) -> Void
  ) -> Mutation {
    Mutation(name: name, message: message, place: "response body" + place) { try $0.changeAnswer(change) }
  }

  static let mutations: [Mutation] = [
    Mutation(name: "a path that does not exist", message: .run, place: "request") { $0.path = "/repos/acme/shop/actions/run/7" },
    Mutation(name: "a trailing slash", message: .run, place: "request") { $0.path += "/" },
    Mutation(name: "a verb that the path does not have", message: .run, place: "request") { $0.method = "PUT" },
    Mutation(name: "an id that is no number", message: .run, place: "path parameter run_id") {
      $0.path = "/repos/acme/shop/actions/runs/seven"
    },
    Mutation(name: "no version of the API", message: .run, place: "request header x-github-api-version") {
      $0.requestHeaders["x-github-api-version"] = nil
    },
    Mutation(name: "no user agent", message: .run, place: "request header user-agent") { $0.requestHeaders["user-agent"] = nil },
    Mutation(name: "no authorization", message: .run, place: "request header authorization") { $0.requestHeaders["authorization"] = nil },
    Mutation(name: "plain JSON accepted", message: .run, place: "request header accept") {
      $0.requestHeaders["accept"] = "application/json"
    },
    Mutation(name: "a query that the operation does not know", message: .runners, place: "query parameter label") {
      $0.query += "&label=x"
    },
    Mutation(name: "a page size in words", message: .runners, place: "query parameter per_page") { $0.query = "per_page=many" },
    Mutation(name: "no body where one is required", message: .register, place: "request body") { $0.requestBody = "" },
    Mutation(name: "a body that is no JSON", message: .register, place: "request body") { $0.requestBody = "{name" },
    request("a runner without a name", .register, ".name") { $0["name"] = nil },
    request("a runner without labels", .register, ".labels") { $0["labels"] = .array([]) },
    request("101 labels", .register, ".labels") { $0["labels"] = .array((0...100).map { .string("l\($0)") }) },
    request("a label that is a number", .register, ".labels[1]") { $0["labels"]?[1] = .integer(7) },
    request("a group by name", .register, ".runner_group_id") { $0["runner_group_id"] = .string("default") },
    request("a completed check without conclusion", .check, "") { $0["conclusion"] = nil },
    request("a conclusion nobody knows", .check, "") { $0["conclusion"] = .string("great") },
    request("a check without a commit", .check, ".head_sha") { $0["head_sha"] = nil },
    request("an output without summary", .check, "") { $0["output"] = .object(["title": .string("t")]) },
    request("a summary that is too long", .check, "") { $0["output"]?["summary"] = .string(String(repeating: "s", count: 65_536)) },
    request("four buttons", .check, "") {
      let button: JSONValue = .object(["label": .string("l"), "description": .string("d"), "identifier": .string("i")])
      $0["actions"] = .array([button, button, button, button])
    },
    request("a state that is a conclusion", .status, ".state") { $0["state"] = .string("cancelled") },
    Mutation(name: "a status that is not described", message: .register, place: "response status") { $0.status = 200 },
    Mutation(name: "an answer that is no JSON", message: .run, place: "response body") { $0.responseBody = "<html>" },
    answer("a registration without its configuration", .register, ".encoded_jit_config") { $0["encoded_jit_config"] = nil },
    answer("a runner whose busy is a text", .register, ".runner.busy") { $0["runner"]?["busy"] = .string("no") },
    answer("a run without its head", .run, ".head_sha") { $0["head_sha"] = nil },
    answer("a run whose id is null", .run, ".id") { $0["id"] = .null },
    answer("a job whose status nobody knows", .job, ".status") { $0["status"] = .string("asleep") },
    answer("a job whose step has no number", .job, ".steps[0].number") { $0["steps"]?[0]?["number"] = nil },
    answer("a token without its end", .token, ".expires_at") { $0["expires_at"] = nil },
    answer("a permission nobody knows", .token, ".permissions") { $0["permissions"]?["contents"] = .string("everything") },
    answer("a list of runners without its count", .runners, ".total_count") { $0["total_count"] = nil },
    answer("a cancellation answered by a text", .cancel, "") { $0 = .string("done") },
  ]
}

extension RecordedExchange {
  fileprivate mutating func changeRequest(_ change: (inout JSONValue) -> Void) throws {
    var value = try JSONValue(json: Data(requestBody.utf8))
    change(&value)
    requestBody = String(decoding: try value.data(), as: UTF8.self)
  }
  fileprivate mutating func changeAnswer(_ change: (inout JSONValue) -> Void) throws {
    var value = try JSONValue(json: Data(responseBody.utf8))
    change(&value)
    responseBody = String(decoding: try value.data(), as: UTF8.self)
  }
}
