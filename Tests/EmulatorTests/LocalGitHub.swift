import AsyncHTTPClient
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Testing

@testable import Emulator

/// An emulator that listens, for the time of a test.
struct LocalGitHub: Sendable {
  static let token = "ghp_test"
  static let secret = "It's a Secret to Everybody"

  let server: EmulatorServer
  let url: String

  struct Reply: Sendable {
    let status: Int
    let headers: [String: String]
    let body: JSON
    let text: String
  }

  /// Runs the server while the body runs.
  static func run(
    _ change: (inout EmulatorConfiguration) -> Void = { _ in }, _ body: @Sendable @escaping (LocalGitHub) async throws -> Void
  ) async throws {
    var configuration = EmulatorConfiguration(organisation: "acme", repositories: [.init("acme/shop")], token: token)
    change(&configuration)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = EmulatorServer(configuration: configuration, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      group.addTask { try await body(LocalGitHub(server: server, url: try await server.url())) }
      try await group.next()
      group.cancelAll()
      // The server ends by its cancellation, which is no failure of the test.
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
      }
    }
  }

  func call(
    _ method: String, _ path: String, _ body: JSON? = nil, token: String? = LocalGitHub.token,
    headers: [String: String] = ["User-Agent": "test"]
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: url + path)
    request.method = .init(rawValue: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    if let body { request.body = .bytes(ByteBuffer(data: try body.encoded())) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let data = Data(buffer: try await response.body.collect(upTo: 64 << 20))
    let fields = Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    return Reply(
      status: Int(response.status.code), headers: fields, body: (try? JSON(parsing: data)) ?? .null,
      text: String(decoding: data, as: UTF8.self))
  }

  /// Pushes one workflow, and gives its run.
  func push(_ workflow: String, files: [String: String] = [:], event: String = "push") async throws -> Int64 {
    let outcome = try await server.github.push(
      Push(repository: "acme/shop", files: files.merging([".github/workflows/ci.yml": workflow]) { $1 }, event: event))
    #expect(outcome.invalid.isEmpty)
    return try #require(outcome.runs.first)
  }

  /// A registration's three files, and its identifier.
  func register(_ name: String, labels: [String] = ["linux"]) async throws -> (id: Int64, files: [String: Data]) {
    let reply = try await call(
      "POST", "/orgs/acme/actions/runners/generate-jitconfig",
      ["name": .string(name), "runner_group_id": 1, "labels": .texts(labels)])
    #expect(reply.status == 201, "\(reply.text)")
    let encoded = try #require(reply.body["encoded_jit_config"].string.flatMap { Data(base64Encoded: $0) })
    let files = try #require(try JSON(parsing: encoded).object).compactMapValues { $0.string.flatMap { Data(base64Encoded: $0) } }
    return (try #require(reply.body["runner"]["id"].int), files)
  }

  /// The ledger's line of a job, by name.
  func job(_ name: String) async -> JSON {
    await server.github.ledger()["jobs"].array?.last { $0["name"].string == name } ?? .null
  }

  func log(_ name: String) async throws -> String {
    try await server.github.log(of: try #require(await job(name)["id"].int))
  }
}

/// Waits until something holds, 20 seconds at most.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(20)
  while ContinuousClock.now < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(20))
  }
  Issue.record("never: \(what)")
}
