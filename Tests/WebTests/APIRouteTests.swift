import Foundation
import NIOCore
import RunnerHub
import Synchronization
import Testing

@testable import Web

@Suite("Addresses that change something")
struct APIRouteTests {
  private struct Wish: Codable { var name: String? }

  private func run(_ work: @escaping @Sendable (LoopbackClient, _ heard: Heard) async throws -> Void) async throws {
    let heard = Heard()
    let routes = [
      APIRoute.get("/api/v1/things") { query in
        ["limit": "\(try query.limit())", "since": try query.time("since").map { "\($0.timeIntervalSince1970)" } ?? "none"]
      },
      APIRoute.post("/api/v1/things/rename") { (wish: Wish, _) in
        guard let name = wish.name else { throw APIRefusal(.unfit, "a thing has a name") }
        heard.note(name)
        return ["name": name]
      },
    ]
    try await withServer { onServerRunning in
      AdministrationServer(
        source: Sample.source(FixedStore()), metrics: PrometheusMetrics(),
        options: ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning), hostNames: ["hub.acme.example"],
        routes: routes, logger: quiet)
    } _: { client async throws in
      try await work(client, heard)
    }
  }

  private static let meant = [WriteRule.header: "test", "Content-Type": "application/json"]

  @Test("a program on this machine that means it is heard, and its answer is JSON")
  func heard() async throws {
    try await run { client, heard async throws in
      let reply = try await client.post("/api/v1/things/rename", headers: Self.meant, body: #"{"name":"new"}"#)
      #expect(reply.status == 200 && reply.body == #"{"name":"new"}"#)
      #expect(reply.headers["content-type"] == "application/json; charset=utf-8")
      let own = Self.meant.merging(["Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"]) { _, new in new }
      #expect(try await client.post("/api/v1/things/rename", headers: own, body: #"{"name":"page"}"#).status == 200)
      #expect(heard.names == ["new", "page"])
      let read = try await client.get("/api/v1/things?limit=5&since=2026-11-26T09:14:02Z")
      #expect(read.body == #"{"limit":"5","since":"1795684442.0"}"#)
    }
  }

  @Test(
    "what a foreign page, a proxy or a careless form sends changes nothing",
    arguments: [
      ([WriteRule.header: ""], "localhost", 403), (["Content-Type": "text/plain"], "localhost", 415),
      (["Origin": "https://evil.example"], "localhost", 403), (["Origin": "null"], "localhost", 403),
      (["Sec-Fetch-Site": "cross-site"], "localhost", 403), (["X-Forwarded-For": "10.0.0.1"], "localhost", 403),
      ([:], "hub.acme.example", 403), ([:], "evil.example", 421),
    ])
  func foreign(headers: [String: String], host: String, status: Int) async throws {
    try await run { client, heard async throws in
      var sent = Self.meant.merging(headers) { _, new in new }
      if sent[WriteRule.header]?.isEmpty == true { sent[WriteRule.header] = nil }
      let reply = try await client.post("/api/v1/things/rename", headers: sent, body: #"{"name":"x"}"#, host: host)
      #expect(reply.status == status)
      #expect(try reply.members["reason"]?.isEmpty == false)
      #expect(heard.names.isEmpty)
    }
  }

  @Test("another machine changes nothing, whatever it says", arguments: [("192.0.2.7", false), ("127.8.9.1", true), ("::1", true)])
  func peers(address: String, isHeard: Bool) throws {
    #expect(WriteRule.isLoopback(try SocketAddress(ipAddress: address, port: 1)) == isHeard)
    #expect(!WriteRule.isLoopback(nil))
  }

  @Test("a body that is too large, no JSON, of another shape or not to be fulfilled is refused with a reason")
  func bodies() async throws {
    try await run { client, heard async throws in
      func post(_ body: String) async throws -> Reply {
        try await client.post("/api/v1/things/rename", headers: Self.meant, body: body)
      }
      #expect(try await post("{").status == 400)
      #expect(
        try await post(#"{"name":5}"#).members["reason"] == "the body is not the JSON that is expected here: 'name' is of another type")
      #expect(try await post("").status == 422)
      #expect(try await post("{\"name\":\"\(String(repeating: "x", count: 70_000))\"}").status == 413)
      #expect(heard.names.isEmpty)
    }
  }

  @Test("an address is asked in its own way")
  func methods() async throws {
    try await run { client, _ async throws in
      let reply = try await client.get("/api/v1/things/rename")
      #expect(reply.status == 405 && reply.headers["allow"] == "POST")
      #expect(try await client.post("/api/v1/things", headers: Self.meant, body: "{}").status == 405)
      #expect(try await client.get("/api/v1/things?limit=x").status == 400)
      #expect(try await client.get("/api/v1/things?since=yesterday").status == 400)
    }
  }
}

/// What a route was asked for.
private final class Heard: Sendable {
  private let state = Mutex([String]())
  var names: [String] { state.withLock { $0 } }
  func note(_ name: String) { state.withLock { $0.append(name) } }
}
