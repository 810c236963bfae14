import AsyncHTTPClient
import Foundation
import Testing

@testable import Emulator

/// Each fault as it is met from outside, ordered by HTTP as a person would.
struct FaultsOverLoopbackTests {
  private static let workflow = "on: push\njobs:\n  build: { runs-on: linux, steps: [{ run: echo hello }] }\n"

  /// A local GitHub whose deliveries arrive at a receiver.
  private func withReceiver(_ body: @Sendable @escaping (LocalGitHub, Receiver) async throws -> Void) async throws {
    let receiver = Receiver()
    try await receiver.run { address in
      try await LocalGitHub.run({ $0.webhook = .init(url: address, secret: LocalGitHub.secret) }) { github in
        try await body(github, receiver)
      }
    }
  }

  private func inject(_ plan: JSON, into github: LocalGitHub) async throws {
    let reply = try await github.call("POST", "/_emulator/faults", plan)
    #expect(reply.status == 204, "\(reply.text)")
  }

  private func strikes(_ github: LocalGitHub) async throws -> [JSON] {
    try #require(try await github.call("GET", "/_emulator/ledger").body["faults"].array)
  }

  @Test("a lost delivery reaches nobody, and the ledger says so")
  func lost() async throws {
    try await withReceiver { github, receiver in
      try await inject(["webhooks": [["fault": "lose", "event": "workflow_job", "action": "queued"]]], into: github)
      _ = try await github.push(Self.workflow)
      _ = try await github.runOne()
      try await eventually("the rest arrives") { receiver.story.contains("workflow_run.completed") }
      #expect(!receiver.story.contains("workflow_job.queued build"))
      #expect(try await strikes(github) == [["kind": "lost", "what": "workflow_job.queued build"]])
      let listed = try await github.call("GET", "/orgs/acme/hooks/1/deliveries").body.array ?? []
      #expect(!listed.isEmpty && !listed.contains { $0["action"] == "queued" && $0["event"] == "workflow_job" })
    }
  }

  @Test("a doubled delivery comes twice with the same body, under one GUID or from a second hook")
  func doubled() async throws {
    try await withReceiver { github, receiver in
      try await inject(["seed": 3, "webhooks": [["fault": "double"]]], into: github)
      for _ in 0..<8 { _ = try await github.push(Self.workflow) }
      try await eventually("all arrive twice") { receiver.received.count == 32 }
      let groups = Dictionary(grouping: receiver.received, by: \.raw)
      #expect(groups.count == 16 && groups.values.allSatisfy { $0.count == 2 })
      for pair in groups.values {
        let guids = Set(pair.compactMap { $0.headers["x-github-delivery"] })
        let hooks = Set(pair.compactMap { $0.headers["x-github-hook-id"] })
        #expect(guids.count == hooks.count)
      }
      #expect(Set(groups.values.map { Set($0.compactMap { $0.headers["x-github-delivery"] }).count }) == [1, 2])
      #expect(try await strikes(github).count { $0["kind"] == "doubled" } == 16)
    }
  }

  @Test("a late delivery comes after its time, and a reordered one after later ones")
  func lateAndReordered() async throws {
    try await withReceiver { github, receiver in
      try await inject(
        [
          "webhooks": [
            ["fault": "delay", "seconds": .number(1.5), "event": "workflow_run", "action": "requested", "next": 1],
            ["fault": "reorder", "event": "workflow_job", "action": "queued", "next": 1],
          ]
        ], into: github)
      let start = ContinuousClock.now
      _ = try await github.push(Self.workflow)
      _ = try await github.runOne()
      try await eventually("all arrive") { receiver.received.count == 6 }
      let story = receiver.story
      let queued = try #require(story.firstIndex(of: "workflow_job.queued build"))
      let begun = try #require(story.firstIndex(of: "workflow_job.in_progress build"))
      #expect(begun < queued, "\(story)")
      #expect(story.firstIndex(of: "workflow_run.requested") != 0)
      #expect(ContinuousClock.now - start >= .milliseconds(1500))
      #expect(Set(try await strikes(github).compactMap { $0["kind"].string }) == ["late", "reordered"])
    }
  }

  @Test("a reordered delivery that nothing overtakes comes by itself")
  func reorderedAlone() async throws {
    try await withReceiver { github, receiver in
      try await inject(["webhooks": [["fault": "reorder", "event": "workflow_job"]]], into: github)
      _ = try await github.push(Self.workflow)
      try await eventually("it comes") { receiver.story.contains("workflow_job.queued build") }
    }
  }

  @Test("a 5xx before the effect leaves nothing behind, one after it leaves the registration, and so do cut connections")
  func brokenRequests() async throws {
    try await LocalGitHub.run { github in
      func register(_ name: String) async throws -> Int {
        try await github.call(
          "POST", "/orgs/acme/actions/runners/generate-jitconfig", ["name": .string(name), "runner_group_id": 1, "labels": ["linux"]]
        ).status
      }
      func isThere(_ name: String) async throws -> Bool {
        try await github.call("GET", "/orgs/acme/actions/runners?name=\(name)").body["total_count"] == 1
      }
      try await inject(["requests": [["fault": "fail_before", "status": 503, "path": "/generate-jitconfig", "next": 1]]], into: github)
      #expect(try await register("one") == 503)
      #expect(try await !isThere("one"))
      try await inject(["requests": [["fault": "fail_after", "path": "/generate-jitconfig", "next": 1]]], into: github)
      #expect(try await register("two") == 502)
      #expect(try await isThere("two"))
      #expect(try await register("two") == 409)
      try await inject(["requests": [["fault": "cut_before", "path": "/generate-jitconfig", "next": 1]]], into: github)
      await #expect(throws: HTTPClientError.self) { try await register("three") }
      #expect(try await !isThere("three"))
      try await inject(["requests": [["fault": "cut_after", "path": "/generate-jitconfig", "next": 1]]], into: github)
      await #expect(throws: HTTPClientError.self) { try await register("four") }
      #expect(try await isThere("four"))
      let kinds = try await strikes(github).compactMap { $0["kind"].string }
      #expect(kinds == ["failed_before", "failed_after", "cut_before", "cut_after"])
    }
  }

  @Test("while GitHub is unreachable nobody gets an answer and deliveries fail; afterwards both work again")
  func unreachable() async throws {
    try await withReceiver { github, receiver in
      try await inject(["unreachable_seconds": .number(0.8)], into: github)
      await #expect(throws: HTTPClientError.self) { try await github.call("GET", "/meta") }
      _ = try await github.push(Self.workflow)
      try await eventually("it answers again") { (try? await github.call("GET", "/meta").status) == 200 }
      #expect(receiver.received.isEmpty)
      _ = try await github.push(Self.workflow)
      try await eventually("the second push is told of") { receiver.received.count >= 2 }
      let failed = try #require(try await github.call("GET", "/orgs/acme/hooks/1/deliveries?per_page=100").body.array)
        .filter { $0["status_code"] == 0 }
      #expect(failed.count == 2 && failed.allSatisfy { $0["status"] != "OK" })
      #expect(try await strikes(github).contains { $0["kind"] == "unreachable" && $0["what"] == "GET /meta" })
    }
  }

  @Test("a runner whose registration vanishes while it is idle ends with code 0, and the next one gets the job")
  func vanishes() async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push(Self.workflow)
      try await inject(["vanishing": ["after_seconds": .number(0.3), "next": 1]], into: github)
      let first = try await github.runOne("first")
      #expect(first.output.contains("has been deleted from the server"), "\(first.output)")
      #expect(await github.job("build")["status"] == "queued")
      _ = try await github.runOne("second")
      let build = await github.job("build")
      #expect(build["runner_name"] == "second" && build["conclusion"] == "success")
      let fates = await github.server.github.ledger()["registrations"].array?.map { $0["fate"] }
      #expect(fates?.first == "vanished")
      #expect(try await strikes(github) == [["kind": "vanished", "what": "first"]])
    }
  }

  @Test("a hired runner takes jobs until it is dismissed, and each counts as stolen")
  func thief() async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push(Self.workflow)
      #expect(try await github.call("POST", "/_emulator/runners", ["name": "thief", "labels": ["linux"]]).status == 201)
      try await eventually("it is done") { await github.job("build")["conclusion"] == "success" }
      #expect(await github.job("build")["runner_name"] == "thief")
      #expect(try await github.call("DELETE", "/_emulator/runners/thief").status == 204)
      #expect(try await github.call("DELETE", "/_emulator/runners/thief").status == 404)
      _ = try await github.push(Self.workflow.replacing("build", with: "later"))
      #expect(await github.job("later")["status"] == "queued")
      #expect(try await strikes(github) == [["kind": "stolen", "what": "build by thief"]])
    }
  }

  @Test("limits are refused with GitHub's status and headers, and shown with every answer")
  func limits() async throws {
    try await LocalGitHub.run { github in
      let run = try await github.push(Self.workflow)
      try await inject(["limits": ["core": ["limit": 2, "seconds": 30]]], into: github)
      let path = "/repos/acme/shop/actions/runs/\(run)"
      #expect(try await github.call("GET", path).headers["x-ratelimit-remaining"] == "1")
      #expect(try await github.call("GET", path).headers["x-ratelimit-remaining"] == "0")
      let refused = try await github.call("GET", path)
      #expect(refused.status == 403 && refused.body["message"].string?.contains("rate limit") == true)
      #expect(refused.headers["x-ratelimit-remaining"] == "0" && refused.headers["x-ratelimit-resource"] == "core")
      let reset = try #require(refused.headers["x-ratelimit-reset"].flatMap { Double($0) })
      #expect((0...31).contains(Date(timeIntervalSince1970: reset).timeIntervalSinceNow.rounded(.up)))

      try await inject(["limits": ["registrations": [["limit": 1, "seconds": 20]]]], into: github)
      _ = try await github.register("one")
      let second = try await github.call(
        "POST", "/orgs/acme/actions/runners/generate-jitconfig", ["name": "two", "runner_group_id": 1, "labels": ["linux"]])
      #expect(second.status == 403 && second.headers["x-ratelimit-resource"] == "actions_runner_registration")
      let wait = try #require(second.headers["retry-after"].flatMap { Int($0) })
      #expect((1...20).contains(wait))
      #expect(try await strikes(github).map { $0["kind"] } == ["rate_limited", "rate_limited"])
      try await inject([:], into: github)
      #expect(try await github.call("GET", path).status == 200)
    }
  }

  @Test("an answer that has not changed is a 304, which costs nothing")
  func unchanged() async throws {
    try await LocalGitHub.run({ $0.rateLimits = .gitHub }) { github in
      let run = try await github.push(Self.workflow)
      let path = "/repos/acme/shop/actions/runs/\(run)/jobs"
      let first = try await github.call("GET", path)
      let tag = try #require(first.headers["etag"])
      let again = try await github.call("GET", path, headers: ["User-Agent": "test", "If-None-Match": tag])
      #expect(again.status == 304 && again.text.isEmpty)
      #expect(again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"])
      #expect(try await github.call("POST", "/repos/acme/shop/actions/runs/\(run)/cancel").status == 202)
      #expect(try await github.call("GET", path, headers: ["User-Agent": "test", "If-None-Match": tag]).status == 200)
    }
  }

  @Test("an organisation's repositories are listed, the latest push first")
  func repositories() async throws {
    try await LocalGitHub.run({ $0.repositories.append(.init("acme/old")) }) { github in
      _ = try await github.push(Self.workflow)
      let listed = try await github.call("GET", "/orgs/acme/repos?sort=pushed&direction=desc").body.array
      #expect(listed?.map { $0["full_name"] } == ["acme/shop", "acme/old"])
    }
  }
}
