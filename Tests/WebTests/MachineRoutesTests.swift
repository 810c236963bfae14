import Foundation
import RunnerHub
import Synchronization
import Testing

@testable import Web

/// Answers with what it was asked.
private final class EchoDesk: MachineDesk {
  private let asked = Mutex<[MachineRequest]>([])
  var requests: [MachineRequest] { asked.withLock { $0 } }

  func answer(_ request: MachineRequest) async -> MachineAnswer {
    asked.withLock { $0.append(request) }
    guard request.token == "good" else { return MachineAnswer(status: 401, type: "application/json", body: Data("{}".utf8)) }
    let text = "\(request.counter.rawValue) \(request.isChange) \(request.path) \(request.query["offset"] ?? "-") \(request.body.count)"
    return MachineAnswer(status: request.path == "early" ? 425 : 200, type: "text/plain", body: Data(text.utf8), retryAfter: 2)
  }
}

@Suite("Addresses for machines") struct MachineRoutesTests {
  private func run(_ desk: EchoDesk?, _ work: @escaping @Sendable (LoopbackClient) async throws -> Void) async throws {
    try await withServer(
      { onServerRunning in
        let handler = OrchestratorWebhookHandler(
          secrets: try WebhookSecrets(["secret"]), inbox: MemoryInbox(), metrics: PrometheusMetrics(), logger: quiet, wake: {})
        return WebhookServer(
          handler: handler, machines: desk, options: ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning),
          logger: quiet)
      }, work)
  }

  private func get(_ client: LoopbackClient, _ path: String, token: String? = "good") async throws -> Reply {
    let header = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    let text = try await client.exchange(["GET \(path) HTTP/1.1\r\nHost: h\r\n\(header)Connection: close\r\n\r\n"])
    return try #require(Reply(text))
  }

  private func status(_ client: LoopbackClient, _ request: String) async throws -> Int {
    let text = try await client.exchange([request])
    return try #require(Reply(text)).status
  }

  @Test("a machine's question comes to the desk with its token, its path with or without a slash at the end, and its query")
  func passesOn() async throws {
    let desk = EchoDesk()
    try await run(desk) { (client) async throws in
      for path in ["/api/v1/metadata/credentials/runner", "/api/v1/metadata/credentials/runner/"] {
        let reply = try await get(client, path)
        #expect(reply.status == 200 && reply.body == "metadata false credentials/runner - 0")
        #expect(reply.headers["cache-control"] == "no-store" && reply.headers["content-type"] == "text/plain")
      }
      let post = try await client.post(
        "/api/v1/callbacks/log/?offset=7", headers: ["Authorization": "Bearer good"], body: String(repeating: "x", count: 500_000))
      #expect(post.status == 200 && post.body == "callbacks true log 7 500000")
      let early = try await get(client, "/api/v1/metadata/early")
      #expect(early.status == 425 && early.headers["retry-after"] == "2")
    }
  }

  @Test("without a token nothing comes to the desk; with a wrong one, what the desk says")
  func tokens() async throws {
    let desk = EchoDesk()
    try await run(desk) { (client) async throws in
      #expect(try await get(client, "/api/v1/metadata/install-script", token: nil).status == 401)
      #expect(try await client.post("/api/v1/callbacks/status", headers: ["Authorization": "Basic eA=="], body: "{}").status == 401)
      #expect(desk.requests.isEmpty)
      #expect(try await get(client, "/api/v1/metadata/install-script", token: "bad").status == 401)
      #expect(desk.requests.count == 1)
    }
  }

  @Test("a body of more than 1 MiB, other methods and other addresses are refused before the desk hears of them")
  func bounds() async throws {
    let desk = EchoDesk()
    try await run(desk) { (client) async throws in
      let large = "POST /api/v1/callbacks/log HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer good\r\nContent-Length: 1048577\r\n\r\n"
      #expect(try await status(client, large) == 413)
      let put = "PUT /api/v1/callbacks/log HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer good\r\nConnection: close\r\n\r\n"
      #expect(try await status(client, put) == 405)
      #expect(try await get(client, "/api/v1/jobs").status == 404)
      #expect(try await get(client, "/api/v1/metadata/\(String(repeating: "x", count: 300))").status == 404)
      #expect(desk.requests.isEmpty)
    }
  }

  @Test("where no pool has machines, their addresses do not exist")
  func absent() async throws {
    try await run(nil) { (client) async throws in
      #expect(try await get(client, "/api/v1/metadata/install-script").status == 404)
      #expect(try await client.get("/livez").status == 200)
    }
  }
}
