import Domain
import Foundation
import RunnerHub
import Testing

@testable import Web

@Suite("The administration listener")
struct AdministrationTests {
  private func run(
    _ source: StoreStatusSource, metrics: PrometheusMetrics = PrometheusMetrics(), hostNames: [String] = [],
    _ work: @escaping @Sendable (LoopbackClient) async throws -> Void
  ) async throws {
    try await withServer(
      { onServerRunning in
        let options = ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning)
        return AdministrationServer(source: source, metrics: metrics, options: options, hostNames: hostNames, logger: quiet)
      }, work)
  }
  private static func decoded<Value: Decodable>(_ type: Value.Type, _ reply: Reply) throws -> Value {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(type, from: Data(reply.body.utf8))
  }
  static let store = FixedStore(
    jobs: [
      Sample.job("unit <script>alert(1)</script>", state: .running, id: 29) {
        $0.containerID = ContainerID(rawValue: "rh-demo-warm-1")
        $0.assignment = AssignmentID(rawValue: "rh-1")
      },
      Sample.job("build", state: .queued, id: 30) { $0.placementReason = "waits & waits" },
    ], containers: [Sample.container("warm-1", state: .busy, assignment: AssignmentID(rawValue: "rh-1")), Sample.container("warm-2")])

  @Test("probes say alive, ready and healthy, and each its opposite with 503")
  func probes() async throws {
    try await run(Sample.source(Self.store)) { client async throws in
      #expect(try await client.get("/livez").status == 200)
      #expect(try await client.get("/readyz").status == 200)
      let health = try await client.get("/health")
      #expect(health.status == 200)
      #expect(try Self.decoded(HealthDocument.self, health).components["store"]?.detail == "3 ms")
    }
    try await run(Sample.source(Self.store, isReady: false, health: .failing, state: .draining)) { client async throws in
      #expect(try await client.get("/livez").status == 200)
      #expect(try await client.get("/readyz").status == 503)
      #expect(try await client.get("/health").status == 503)
    }
    try await run(Sample.source(Self.store, health: .degraded)) { client async throws in
      #expect(try await client.get("/health").status == 200)
    }
  }

  @Test("the API tells of status, jobs, one job, containers and deliveries")
  func api() async throws {
    try await run(Sample.source(Self.store)) { client async throws in
      let overview = try Self.decoded(Overview.self, try await client.get("/api/v1/status"))
      #expect(overview.state == .processing && overview.utilisation == 0.5 && overview.decisions == 12)
      #expect(overview.jobCounts["running"] == 1 && overview.jobCounts["failed"] == 0)
      #expect(overview.jobs.map(\.container) == ["warm-1", nil])
      #expect(overview.pools.first?.busy == 1 && overview.pools.first?.idle == 1)
      #expect(try Self.decoded([JobRow].self, try await client.get("/api/v1/jobs?limit=1")).count == 1)
      let story = try Self.decoded(JobStory.self, try await client.get("/api/v1/jobs/29"))
      #expect(story.job.id.rawValue == "29" && story.timeline.map(\.text) == ["delivery stored"])
      #expect(try Self.decoded([ContainerRow].self, try await client.get("/api/v1/containers")).map(\.ageSeconds) == [60, 60])
      #expect(try Self.decoded([DeliveryRow].self, try await client.get("/api/v1/deliveries")).map(\.bytes) == [2])
    }
  }

  @Test("every number from outside is bounded, and what is no number is 400")
  func bounds() async throws {
    try await run(Sample.source(Self.store)) { client async throws in
      for limit in ["0", "-5", "99999999999"] { #expect(try await client.get("/api/v1/jobs?limit=\(limit)").status == 200) }
      for path in [
        "/api/v1/jobs?limit=x", "/api/v1/jobs?limit=99999999999999999999", "/api/v1/jobs/..", "/api/v1/jobs/a%2Fb",
        "/api/v1/jobs/29/log?from=-1",
      ] {
        #expect(try await client.get(path).status == 400, "\(path)")
      }
      for path in ["/api/v1/jobs/404", "/api/v1/jobs/404/log", "/nothing", "/api/v1/jobs/29/other"] {
        let reply = try await client.get(path)
        #expect(reply.status == 404 && reply.headers["content-type"]?.hasPrefix("application/json") == true, "\(path)")
      }
    }
  }

  @Test("a log is read from an offset and says where to go on")
  func log() async throws {
    try await run(Sample.source(Self.store)) { client async throws in
      let reply = try await client.get("/api/v1/jobs/29/log?from=4")
      #expect(reply.body == "456789" && reply.headers["x-next-offset"] == "10")
      #expect(try await client.get("/api/v1/jobs/29/log?from=9223372036854775807").status == 200)
      let unbound = try await client.get("/api/v1/jobs/30/log")
      #expect(unbound.status == 200 && unbound.body.isEmpty && unbound.headers["x-next-offset"] == "0")
    }
  }

  @Test("only reading is possible, only by a known name, and every answer is protected")
  func protection() async throws {
    try await run(Sample.source(Self.store), hostNames: ["Runners.Acme.example"]) { client async throws in
      for host in ["localhost:1", "127.0.0.1", "[::1]:80", "runners.acme.example"] {
        #expect(try await client.get("/livez", host: host).status == 200, "\(host)")
      }
      for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:x", "[::1"] {
        let reply = try await client.get("/livez", host: host)
        #expect(reply.status == 421 || reply.status == 400, "\(host)")
      }
      #expect(try await client.post("/api/v1/jobs", headers: [:], body: "{}").status == 405)
      for path in ["/", "/livez", "/nothing", "/metrics"] {
        let reply = try await client.get(path)
        #expect(reply.headers["x-content-type-options"] == "nosniff" && reply.headers["x-frame-options"] == "DENY")
        #expect(reply.headers["content-security-policy"]?.contains("default-src 'none'") == true)
      }
      let head = try await client.get("/", method: "HEAD")
      #expect(head.status == 200 && head.body.isEmpty)
    }
  }

  @Test("the page escapes what it shows, and only its own script may run")
  func page() async throws {
    try await run(Sample.source(Self.store)) { client async throws in
      let page = try await client.get("/")
      #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.body.contains("unit &lt;script&gt;alert(1)&lt;/script&gt;"))
      #expect(!page.body.contains("<script>") && !page.body.contains("<b>"))
      #expect(page.body.contains("waits &amp; waits"))
      #expect(page.body.contains("p50 5 ms, p95 33 ms of 3"))
      #expect(page.body.contains("<caption>Jobs</caption>") && page.body.contains(#"scope="col""#))
      let policy = try #require(page.headers["content-security-policy"])
      let nonce = try #require(policy.firstMatch(of: /script-src 'nonce-([0-9a-f]{32})'/)?.1)
      #expect(page.body.contains(#"<script nonce="\#(nonce)">"#))
      #expect(try await !client.get("/").body.contains(nonce))
    }
    try await run(Sample.source(FixedStore())) { client async throws in #expect(try await client.get("/").body.contains("No jobs yet")) }
  }

  @Test("while the store fails, pages are 503 without its words, and probes and metrics still answer")
  func failingStore() async throws {
    try await run(Sample.source(FixedStore(failure: .unavailable("/secret/place")))) { client async throws in
      for path in ["/", "/api/v1/status", "/api/v1/jobs", "/api/v1/jobs/1"] {
        let reply = try await client.get(path)
        #expect(reply.status == 503 && !reply.body.contains("secret"), "\(path)")
      }
      #expect(try await client.get("/livez").status == 200)
      #expect(try await client.get("/metrics").body.contains("runnerhub_store_up 0"))
    }
  }

  @Test("metrics are valid and tell of jobs, pools and the process")
  func metrics() async throws {
    try await run(Sample.source(Self.store)) { client async throws in
      let reply = try await client.get("/metrics")
      #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      let families = try ExpositionParser.parse(reply.body)
      #expect(families["runnerhub_jobs"]?.samples[#"runnerhub_jobs{state="running"}"#] == 1)
      #expect(families["runnerhub_pool_containers"]?.samples[#"runnerhub_pool_containers{pool="demo",use="busy"}"#] == 1)
      #expect(try #require(families["process_resident_memory_bytes"]?.samples["process_resident_memory_bytes"]) > 1_000_000)
    }
  }

  @Test("events tell the status at once and again when it changed, and end when the server does")
  func events() async throws {
    let source = Sample.source(Self.store)
    try await run(source) { client async throws in
      let request = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let text = try await client.exchange([request]) { text in
        source.noteChange()
        return text.components(separatedBy: "event: status\ndata: {").count > 2
      }
      #expect(text.contains("text/event-stream"))
      #expect(text.contains(#""state":"PROCESSING""#))
    }
    // A reader that stays: the server still ends.
    try await within(.seconds(8)) {
      try await run(source) { client async throws in
        _ = try await client.exchange(["GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"]) { $0.contains("event: status") }
      }
    }
  }
}
