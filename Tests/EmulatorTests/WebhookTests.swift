import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOFoundationCompat
import ServiceLifecycle
import Synchronization
import Testing

@testable import Emulator

/// Where deliveries arrive in these tests.
final class Receiver: Sendable {
  struct Message: Sendable {
    let headers: [String: String]
    let raw: Data
    let body: JSON
  }

  private let messages = Mutex<[Message]>([])
  let statusCode: Int

  init(statusCode: Int = 202) { self.statusCode = statusCode }

  var received: [Message] { messages.withLock { $0 } }

  /// `event.action` and the job's name or the run's id, in the order of arrival.
  var story: [String] {
    received.map { message in
      let name = message.body["workflow_job"]["name"].string.map { " \($0)" } ?? ""
      return "\(message.headers["x-github-event"] ?? "").\(message.body["action"].string ?? "")\(name)"
    }
  }

  /// Listens while the body runs, which is told the address.
  func run(_ body: @Sendable @escaping (String) async throws -> Void) async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "receiver")
    logger.logLevel = .critical
    let application = Application(
      responder: CallbackResponder<BasicRequestContext> { request, _ in
        let raw = Data(buffer: try await request.body.collect(upTo: 25 << 20))
        let headers = Dictionary(request.headers.map { ($0.name.canonicalName, $0.value) }, uniquingKeysWith: { first, _ in first })
        let message = Message(headers: headers, raw: raw, body: try JSON(parsing: raw))
        self.messages.withLock { $0.append(message) }
        return Response(status: .init(code: self.statusCode))
      }, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      group.addTask {
        for await number in ports {
          try await body("http://127.0.0.1:\(number)/webhooks/github")
          return
        }
      }
      try await group.next()
      group.cancelAll()
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
      }
    }
  }
}

struct WebhookTests {
  @Test("a delivery to a receiver that is not there fails at once, and comes again only when it is asked for")
  func nobodyThere() async throws {
    try await LocalGitHub.run({ $0.webhook = .init(url: "http://127.0.0.1:1/webhooks/github", secret: LocalGitHub.secret) }) { github in
      _ = try await github.push(RESTTests.workflow)
      @Sendable func deliveries() async -> [JSON] { await github.server.github.ledger()["deliveries"].array ?? [] }
      @Sendable func haveFailed(_ all: [JSON]) -> Bool {
        !all.isEmpty && all.allSatisfy { $0["status"].string == "failed to connect to host" }
      }
      try await eventually("the deliveries have failed") { haveFailed(await deliveries()) }
      let before = await deliveries()
      let first = try #require(before.first?["id"].int)
      #expect(try await github.call("POST", "/orgs/acme/hooks/41177210/deliveries/\(first)/attempts").status == 202)
      try await eventually("the second attempt has failed too") {
        let all = await deliveries()
        return all.count == before.count + 1 && haveFailed(all)
      }
    }
  }

  @Test("a run that does not heed its cancellation goes on, and ends by force") func unheeded() async throws {
    try await LocalGitHub.run({ $0.heedsCancellations = false }) { github in
      let run = "/repos/acme/shop/actions/runs/\(try await github.push(RESTTests.workflow))"
      for (verb, status) in [("cancel", "queued"), ("force-cancel", "completed")] {
        #expect(try await github.call("POST", "\(run)/\(verb)").status == 202)
        #expect(try await github.call("GET", run).body["status"].string == status)
      }
    }
  }

  @Test("a registration is there before its late answer") func lateAnswer() async throws {
    try await LocalGitHub.run({ $0.registrationLatency = .milliseconds(300) }) { github in
      let start = ContinuousClock.now
      async let registered = github.register("late")
      try await eventually("the registration") { await github.server.github.ledger()["registrations"].array?.count == 1 }
      _ = try await registered
      #expect(ContinuousClock.now - start >= .milliseconds(300))
    }
  }

  @Test("a job's way is told by signed webhooks in GitHub's shapes, in its order")
  func story() async throws {
    let receiver = Receiver()
    try await receiver.run { address in
      try await LocalGitHub.run({ $0.webhook = .init(url: address, secret: LocalGitHub.secret) }) { github in
        _ = try await github.push(RESTTests.workflow)
        _ = try await github.runOne("one", labels: ["self-hosted", "linux"])
        let expected = [
          "workflow_run.requested", "workflow_job.queued build", "workflow_job.in_progress build", "workflow_run.in_progress",
          "workflow_job.completed build", "workflow_run.completed",
        ]
        try await eventually("all events arrive") { receiver.received.count >= expected.count }
        #expect(receiver.story == expected)
        try await eventually("answers are recorded") {
          await github.server.github.ledger()["deliveries"].array?.allSatisfy { $0["status_code"] == 202 } == true
        }
      }
    }
    let key = SymmetricKey(data: Data(LocalGitHub.secret.utf8))
    var guids: Set<String> = []
    for message in receiver.received {
      let code = HMAC<SHA256>.authenticationCode(for: message.raw, using: key)
      #expect(message.headers["x-hub-signature-256"] == "sha256=\(code.hexadecimal)")
      #expect(message.headers["user-agent"]?.hasPrefix("GitHub-Hookshot/") == true)
      #expect(message.headers["x-github-hook-id"] != nil && message.headers["content-type"] == "application/json")
      #expect(message.body["repository"]["full_name"] == "acme/shop" && message.body["organization"]["login"] == "acme")
      guids.insert(message.headers["x-github-delivery"] ?? "")
    }
    #expect(guids.count == receiver.received.count)
    let queued = receiver.received[1].body["workflow_job"]
    #expect(queued["status"] == "queued" && queued["runner_name"].isNull && queued["steps"] == [])
    #expect(queued["labels"] == ["self-hosted", "linux"] && queued["started_at"] == queued["created_at"])
    let completed = receiver.received[4].body["workflow_job"]
    #expect(completed["conclusion"] == "success" && completed["runner_name"] == "one" && completed["runner_group_name"] == "Default")
    #expect(completed["steps"].array?.map { $0["name"] } == ["Set up job", "Run echo hello", "Complete job"])
    #expect(completed["steps"].array?.map { $0["number"] } == [1, 2, 3])
  }

  @Test("the signature is GitHub's: its own test vector comes out")
  func vector() {
    let key = SymmetricKey(data: Data(LocalGitHub.secret.utf8))
    let code = HMAC<SHA256>.authenticationCode(for: Data("Hello, World!".utf8), using: key)
    #expect(code.hexadecimal == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
  }

  @Test("a refused delivery is recorded and never sent again by itself, but on demand under the same GUID")
  func refused() async throws {
    let receiver = Receiver(statusCode: 503)
    try await receiver.run { address in
      try await LocalGitHub.run({ $0.webhook = .init(url: address, secret: LocalGitHub.secret) }) { github in
        _ = try await github.push("on: push\njobs:\n  job: { runs-on: nowhere, steps: [{ run: exit }] }\n")
        try await eventually("both were answered") {
          try await github.call("GET", "/orgs/acme/hooks/1/deliveries").body.array?.count == 2
        }
        let item = try #require(try await github.call("GET", "/orgs/acme/hooks/1/deliveries").body.array?.last)
        #expect(item["status_code"] == 503 && item["status"] != "OK" && item["event"] == "workflow_run")
        #expect(receiver.received.count == 2)
        let id = try #require(item["id"].int)
        #expect(try await github.call("POST", "/orgs/acme/hooks/1/deliveries/\(id)/attempts").status == 202)
        try await eventually("it comes again") { receiver.received.count == 3 }
        #expect(receiver.received[2].headers["x-github-delivery"] == receiver.received[0].headers["x-github-delivery"])
        #expect(receiver.received[2].raw == receiver.received[0].raw)
      }
    }
  }

  @Test("matrix jobs, approvals, traditional runners and cancellation are told as GitHub tells them")
  func manyWays() async throws {
    let receiver = Receiver()
    try await receiver.run { address in
      try await LocalGitHub.run({
        $0.webhook = .init(url: address, secret: LocalGitHub.secret)
        $0.protectedEnvironments = ["production"]
        $0.traditionalRunners = [.init(name: "legacy-win-1", labels: ["self-hosted", "windows"])]
      }) { github in
        let run = try await github.push(
          """
          on: push
          jobs:
            build:
              strategy: { matrix: { os: [ubuntu, debian], mode: [debug] } }
              runs-on: ["${{ matrix.os }}", "run-${{ github.run_id }}"]
              steps: [{ run: exit }]
            deploy: { environment: production, runs-on: linux, steps: [{ run: exit }] }
            installer: { runs-on: [self-hosted, Windows], steps: [{ run: exit }] }
          """)
        try await eventually("the traditional runner is done") { await github.job("installer")["conclusion"] == "success" }
        #expect(await github.job("installer")["runner_name"] == "legacy-win-1")
        #expect(await github.job("build (ubuntu, debug)")["labels"] == ["ubuntu", "run-\(run)"])
        let deploy = await github.job("deploy")
        #expect(deploy["status"] == "waiting")
        let id = try #require(deploy["id"].int)
        #expect(try await github.call("POST", "/_emulator/jobs/\(id)/approve").status == 204)
        #expect(await github.job("deploy")["status"] == "queued")
        #expect(try await github.call("POST", "/repos/acme/shop/actions/runs/\(run)/cancel").status == 202)
        try await eventually("the run's end arrives") { receiver.story.last == "workflow_run.completed" }
        let story = receiver.story
        for line in [
          "workflow_job.queued build (ubuntu, debug)", "workflow_job.queued build (debian, debug)", "workflow_job.waiting deploy",
          "workflow_job.queued deploy", "workflow_job.completed build (debian, debug)", "workflow_job.completed installer",
        ] {
          #expect(story.count { $0 == line } == 1, "\(line) in \(story)")
        }
      }
    }
  }
}
