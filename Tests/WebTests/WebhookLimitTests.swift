import Foundation
import RunnerHub
import Testing

@testable import Web

@Suite("Senders that send too much, too slowly or without an end")
struct WebhookLimitTests {
  private static func head(_ lines: [String], signature: String = WebhookFixture.signature("x")) -> String {
    ([
      "POST /webhooks/github HTTP/1.1", "Host: localhost", "Content-Type: application/json", "X-GitHub-Event: push", "X-GitHub-Delivery: 1",
    ] + lines
      + (signature.isEmpty ? [] : ["X-Hub-Signature-256: \(signature)"]) + ["", ""]).joined(separator: "\r\n")
  }
  private static var small: WebhookFixture {
    var fixture = WebhookFixture()
    fixture.limits.bodyBytes = 65_536
    // Counted from before the answer is written: on a busy machine a tenth of a second was not enough to write it.
    fixture.limits.lingerTime = .seconds(2)
    return fixture
  }

  @Test("the cap is 25 MiB")
  func cap() {
    #expect(OrchestratorWebhookHandler.Limits().bodyBytes == 25 * 1024 * 1024)
  }

  @Test("a body of exactly the cap is taken")
  func exact() async throws {
    let fixture = Self.small
    try await fixture.run { client async throws in
      let body = #"{"a":""# + String(repeating: "a", count: 65_536 - 8) + #""}"#
      #expect(body.utf8.count == 65_536)
      #expect(try await client.post("/webhooks/github", headers: WebhookFixture.headers(for: body), body: body).status == 202)
      #expect(await fixture.inbox.deliveries.first?.body.count == 65_536)
    }
  }

  @Test("an announced length over the cap is refused without the body, and the connection is closed")
  func announced() async throws {
    let fixture = Self.small
    try await fixture.run { client async throws in
      let reply = try #require(Reply(try await client.exchange([Self.head(["Content-Length: 65537"])])))
      #expect(reply.status == 413)
      #expect(reply.headers["connection"] == "close")
      #expect(try reply.members["reason"]?.contains("65536") == true)
    }
  }

  @Test("a chunked body over the cap is refused while its sender goes on, and the connection is closed")
  func chunked() async throws {
    let fixture = Self.small
    try await fixture.run { client async throws in
      let chunk = "4000\r\n" + String(repeating: "a", count: 0x4000) + "\r\n"
      let endless = Array(repeating: chunk, count: 2_000)
      let reply = try #require(
        Reply(try await client.exchange([Self.head(["Transfer-Encoding: chunked"])] + endless, pause: .milliseconds(1))))
      #expect(reply.status == 413)
      #expect(await fixture.inbox.deliveries.isEmpty)
    }
  }

  @Test("an unsigned body is refused without being read, and the connection is closed")
  func unsigned() async throws {
    try await Self.small.run { client async throws in
      let reply = try #require(Reply(try await client.exchange([Self.head(["Content-Length: 60000"], signature: "")])))
      #expect(reply.status == 401)
    }
  }

  @Test("bodies that together hold more than the bound are refused 503")
  func held() async throws {
    var fixture = Self.small
    fixture.limits.heldBytes = 1_000
    try await fixture.run { client async throws in
      let body = #"{"a":""# + String(repeating: "a", count: 2_000) + #""}"#
      let reply = try await client.post("/webhooks/github", headers: WebhookFixture.headers(for: body), body: body)
      #expect(reply.status == 503)
      #expect(try await client.post("/webhooks/github", headers: WebhookFixture.headers(for: "{}"), body: "{}").status == 202)
    }
  }

  @Test("a sender that drips its body is cut off, though it never falls silent")
  func drippingBody() async throws {
    var fixture = Self.small
    fixture.limits.bodyTime = .milliseconds(300)
    let ready = fixture
    try await ready.run { client async throws in
      let drops = Array(repeating: "a", count: 200)
      let start = ContinuousClock.now
      _ = try await client.exchange([Self.head(["Content-Length: 60000"])] + drops, pause: .milliseconds(50))
      #expect(start.duration(to: .now) < .seconds(5))
      #expect(await ready.inbox.deliveries.isEmpty)
    }
  }

  @Test("a sender that never ends its head is cut off, though it never falls silent")
  func drippingHead() async throws {
    var fixture = Self.small
    fixture.idleTime = .milliseconds(300)
    try await fixture.run { client async throws in
      let start = ContinuousClock.now
      _ = try await client.exchange(
        ["POST /webhooks/github HTTP/1.1\r\n"] + Array(repeating: "X-A: b\r\n", count: 200), pause: .milliseconds(50))
      #expect(start.duration(to: .now) < .seconds(5))
    }
  }

  @Test("a body that ends early is not stored")
  func early() async throws {
    var fixture = Self.small
    fixture.idleTime = .milliseconds(200)
    let ready = fixture
    try await ready.run { client async throws in
      _ = try await client.exchange([Self.head(["Content-Length: 10"]) + "x"])
      #expect(await ready.inbox.deliveries.isEmpty)
    }
  }
}
