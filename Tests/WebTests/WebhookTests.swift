import Foundation
import RunnerHub
import Testing

@testable import Web

@Suite("Webhooks")
struct WebhookTests {
  let path = "/webhooks/github"
  static let body = #"{"action":"queued","workflow_job":{"id":1,"name":"bauen é ☕"}}"#

  @Test("a signed delivery is stored byte for byte before it is answered 202, and intake is woken once")
  func stored() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let reply = try await client.post(path, headers: WebhookFixture.headers(for: Self.body), body: Self.body)
      #expect(reply.status == 202)
      #expect(try reply.members["status"] == "accepted")
      let delivery = try #require(await fixture.inbox.deliveries.first)
      #expect(delivery.body == Data(Self.body.utf8))
      #expect(delivery.guid == "72d3162e-cc78-11e3-81ab-4c9367dc0958")
      #expect(delivery.hookID == "292430182")
      #expect(delivery.event == "workflow_job")
      #expect(delivery.target == "repository/79929171")
      #expect(fixture.wakes.count == 1)
    }
  }

  @Test("the same delivery again is answered 200 and wakes nobody; from another hook it is another delivery")
  func duplicate() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let headers = WebhookFixture.headers(for: Self.body)
      #expect(try await client.post(path, headers: headers, body: Self.body).status == 202)
      let again = try await client.post(path, headers: headers, body: Self.body)
      #expect(again.status == 200)
      #expect(try again.members["status"] == "duplicate")
      #expect(fixture.wakes.count == 1)
      let other = WebhookFixture.headers(for: Self.body, ["X-GitHub-Hook-ID": "7"])
      #expect(try await client.post(path, headers: other, body: Self.body).status == 202)
      #expect(await fixture.inbox.deliveries.count == 2)
    }
  }

  /// A body of job 1 as GitHub words it, so far as a repetition is recognised by it.
  private static func job(_ action: String, status: String, attempt: Int = 1) -> String {
    #"{"action":"\#(action)","workflow_job":{"id":1,"run_attempt":\#(attempt),"status":"\#(status)"}}"#
  }

  @Test("the same body under a fresh GUID, of whichever hook, is answered 200, counted, stored once and wakes nobody")
  func repeated() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let body = Self.job("in_progress", status: "in_progress")
      let first = WebhookFixture.headers(for: body, ["X-GitHub-Delivery": "first"])
      #expect(try await client.post(path, headers: first, body: body).status == 202)
      for (guid, hook) in [("second", "292430182"), ("third", "7")] {
        let headers = WebhookFixture.headers(for: body, ["X-GitHub-Delivery": guid, "X-GitHub-Hook-ID": hook])
        let reply = try await client.post(path, headers: headers, body: body)
        #expect(reply.status == 200)
        #expect(try reply.members["status"] == "repeated")
      }
      #expect(try await client.post(path, headers: first, body: body).members["status"] == "duplicate")
      #expect(await fixture.inbox.deliveries.map(\.guid) == ["first"])
      #expect(await fixture.inbox.deliveries.map(\.transition) == ["1.1/in_progress/in_progress"])
      #expect(fixture.wakes.count == 1)
      #expect(fixture.metrics.render().contains(#"runnerhub_webhooks_total{outcome="repeated"} 2"#))
    }
  }

  @Test("queued while it waits for an approval, queued after it, and queued of the next attempt are three deliveries")
  func approval() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let bodies = [
        Self.job("queued", status: "waiting"), Self.job("queued", status: "queued"), Self.job("queued", status: "queued", attempt: 2),
      ]
      for (number, body) in bodies.enumerated() {
        let headers = WebhookFixture.headers(for: body, ["X-GitHub-Delivery": "\(number)"])
        #expect(try await client.post(path, headers: headers, body: body).status == 202)
      }
      #expect(await fixture.inbox.deliveries.map(\.transition) == ["1.1/queued/waiting", "1.1/queued/queued", "1.2/queued/queued"])
    }
  }

  @Test("a forged delivery does not use up the transition of the real one, nor does the body under the name of another event")
  func forged() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let body = Self.job("completed", status: "completed")
      for signature in [nil, WebhookFixture.signature("other")] {
        let headers = WebhookFixture.headers(for: body, ["X-Hub-Signature-256": signature, "X-GitHub-Delivery": "forged"])
        #expect(try await client.post(path, headers: headers, body: body).status == 401)
      }
      let renamed = WebhookFixture.headers(for: body, ["X-GitHub-Event": "workflow_run", "X-GitHub-Delivery": "renamed"])
      #expect(try await client.post(path, headers: renamed, body: body).status == 202)
      #expect(try await client.post(path, headers: WebhookFixture.headers(for: body), body: body).status == 202)
      #expect(await fixture.inbox.deliveries.map(\.transition) == [nil, "1.1/completed/completed"])
    }
  }

  @Test("a form delivery is verified on the form's bytes and stored as its JSON")
  func form() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let form = "a=1&payload=%7B%22zen%22%3A%22a+b%2Bc+%C3%A9%22%7D"
      let headers = WebhookFixture.headers(for: form, ["Content-Type": "application/x-www-form-urlencoded; charset=utf-8"])
      #expect(try await client.post(path, headers: headers, body: form).status == 202)
      #expect(await fixture.inbox.deliveries.first?.body == Data(#"{"zen":"a b+c é"}"#.utf8))
      for bad in ["other=1", "payload=%7", "payload=%zz", "payload={}&payload={}", "payload={"] {
        let headers = WebhookFixture.headers(for: bad, ["Content-Type": "application/x-www-form-urlencoded"])
        #expect(try await client.post(path, headers: headers, body: bad).status == 400)
      }
      #expect(await fixture.inbox.deliveries.count == 1)
    }
  }

  @Test("a signed JSON body sent again as a form is refused: a stranger's text in it must not pass for the message")
  func jsonAsForm() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let forged = "%7B%22action%22:%22completed%22,%22workflow_job%22:%7B%22id%22:1,%22run_attempt%22:1,%22status%22:%22completed%22%7D%7D"
      let body = #"{"ref":"fix&payload=\#(forged)&x"}"#
      let headers = WebhookFixture.headers(for: body, ["Content-Type": "application/x-www-form-urlencoded"])
      let reply = try await client.post(path, headers: headers, body: body)
      #expect(reply.status == 400)
      #expect(try reply.members["reason"]?.contains("JSON") == true)
      #expect(await fixture.inbox.deliveries.isEmpty)
    }
  }

  @Test("what is not signed as configured is answered 401, counted, and leaves nothing")
  func unauthorized() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let right = WebhookFixture.signature(Self.body)
      let signatures: [String?] = [nil, "", "sha256=00", right + "0", "sha1=" + right.dropFirst(7), WebhookFixture.signature("other")]
      for signature in signatures {
        let reply = try await client.post(
          path, headers: WebhookFixture.headers(for: Self.body, ["X-Hub-Signature-256": signature]), body: Self.body)
        #expect(reply.status == 401)
        #expect(try reply.members["reason"]?.contains("X-Hub-Signature-256") == true)
      }
      let changed = Self.body.replacing(#""id":1"#, with: #""id":2"#)
      #expect(try await client.post(path, headers: WebhookFixture.headers(for: Self.body), body: changed).status == 401)
      #expect(await fixture.inbox.deliveries.isEmpty)
      #expect(fixture.wakes.count == 0)
      #expect(fixture.metrics.render().contains(#"runnerhub_webhooks_total{outcome="unauthorized"} 7"#))
    }
  }

  @Test(
    "a missing or unusable header is answered 400 with its name",
    arguments: [
      ("X-GitHub-Event", nil), ("X-GitHub-Delivery", nil), ("X-GitHub-Event", "a b"), ("X-GitHub-Delivery", "<script>"),
      ("X-GitHub-Delivery", String(repeating: "a", count: 101)), ("X-GitHub-Hook-ID", "1;2"),
      ("X-GitHub-Hook-Installation-Target-Type", "a/b"),
    ] as [(String, String?)])
  func headers(name: String, value: String?) async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let reply = try await client.post(path, headers: WebhookFixture.headers(for: Self.body, [name: value]), body: Self.body)
      #expect(reply.status == 400)
      #expect(try reply.members["reason"]?.contains(name) == true)
      #expect(await fixture.inbox.deliveries.isEmpty)
    }
  }

  @Test("a ping is answered 200 and stored; an event that nobody knows is stored and answered 202")
  func pingAndUnknown() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      let zen = #"{"zen":"Design for failure.","hook_id":1}"#
      let ping = try await client.post(
        path, headers: WebhookFixture.headers(for: zen, ["X-GitHub-Event": "ping", "X-GitHub-Delivery": "p"]), body: zen)
      #expect(ping.status == 200)
      #expect(try ping.members["message"] == "pong")
      let unknown = WebhookFixture.headers(for: zen, ["X-GitHub-Event": "moon_landing", "X-GitHub-Delivery": "m"])
      #expect(try await client.post(path, headers: unknown, body: zen).status == 202)
      #expect(await fixture.inbox.deliveries.map(\.event) == ["ping", "moon_landing"])
    }
  }

  @Test("malformed JSON is answered 400 and another content type 415, both only to a sender that signs")
  func contents() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      for body in ["", "{", "[]", "null", #"{"a":01}"#, "{} {}"] {
        let reply = try await client.post(path, headers: WebhookFixture.headers(for: body), body: body)
        #expect(reply.status == 400)
        #expect(try reply.members["reason"]?.hasPrefix("the JSON is malformed") == true)
      }
      for type in ["text/plain", "application/jsonp", nil] {
        let headers = WebhookFixture.headers(for: Self.body, ["Content-Type": type])
        #expect(try await client.post(path, headers: headers, body: Self.body).status == 415)
      }
      let unsigned = WebhookFixture.headers(for: "{", ["Content-Type": "text/plain", "X-Hub-Signature-256": "sha256=00"])
      #expect(try await client.post(path, headers: unsigned, body: "{").status == 401)
      #expect(await fixture.inbox.deliveries.isEmpty)
    }
  }

  @Test("while the store is unavailable the answer is 503 with Retry-After, and 202 as soon as it is back")
  func unavailable() async throws {
    let fixture = WebhookFixture()
    try await fixture.run { client async throws in
      await fixture.inbox.fail(with: .unavailable("disk full at /secret/place"))
      let reply = try await client.post(path, headers: WebhookFixture.headers(for: Self.body), body: Self.body)
      #expect(reply.status == 503)
      #expect(reply.headers["retry-after"] == "5")
      #expect(!reply.body.contains("secret"))
      #expect(fixture.wakes.count == 0)
      await fixture.inbox.fail(with: .damaged("page 4"))
      #expect(try await client.post(path, headers: WebhookFixture.headers(for: Self.body), body: Self.body).status == 500)
      await fixture.inbox.fail(with: nil)
      #expect(try await client.post(path, headers: WebhookFixture.headers(for: Self.body), body: Self.body).status == 202)
    }
  }

  @Test("other addresses and methods are refused in JSON")
  func others() async throws {
    try await WebhookFixture().run { client async throws in
      #expect(try await client.get("/livez").status == 200)
      let wrong = try await client.get(path)
      #expect(wrong.status == 405)
      #expect(wrong.headers["allow"] == "POST")
      #expect(try await client.get("/health").members["status"] == "refused")
      #expect(try await client.post("/", headers: [:], body: "{}").status == 404)
    }
  }
}
