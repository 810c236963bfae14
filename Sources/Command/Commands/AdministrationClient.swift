import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import RunnerHub
import Web

/// Asks a running `runnerhub serve` by its administration listener.
struct AdministrationClient: Sendable {
  /// `http://127.0.0.1:8081`, without a slash at its end.
  let address: String

  /// `HTTPClient.shared`, but for its patience: it tries a refused connection again for ten seconds, and what answers here is on this machine or is
  /// not running.
  private static let http: HTTPClient = {
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }()

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  func overview(jobs: Int) async throws -> Overview { try await get("/api/v1/status?limit=\(jobs)") }
  func jobs(limit: Int) async throws -> [JobRow] { try await get("/api/v1/jobs?limit=\(limit)") }
  func story(of id: JobID) async throws -> JobStory { try await get("/api/v1/jobs/\(id)") }

  /// A job's log from a byte offset; empty where there is no more now.
  func log(of id: JobID, from offset: Int) async throws -> Data {
    Data(buffer: try await fetch("/api/v1/jobs/\(id)/log?from=\(offset)"))
  }

  /// The newest job of a name, or the job of an id.
  func find(_ nameOrID: String) async throws -> JobRow {
    let rows = try await jobs(limit: 1000)
    if let row = rows.first(where: { $0.id.rawValue == nameOrID }) ?? rows.first(where: { $0.name == nameOrID }) { return row }
    let hint = Suggestion.nearest(to: nameOrID, among: rows.map(\.name)).map { " – did you mean '\($0)'?" } ?? ""
    throw Failure(description: "no job '\(nameOrID)' among the newest \(rows.count)\(hint)")
  }

  func policies() async throws -> PoliciesDocument { try await get("/api/v1/policies") }
  func policyHistory(limit: Int) async throws -> [PolicyEvent] { try await get("/api/v1/policies/history?limit=\(limit)") }

  /// Asks for a change. What the other side says against it is the failure's text.
  func post<Value: Decodable>(_ path: String, _ wish: some Encodable) async throws -> Value {
    var request = HTTPClientRequest(url: address + path)
    request.method = .POST
    request.headers = ["Content-Type": "application/json", "X-RunnerHub-Request": "runnerhub"]
    request.body = .bytes(try WireJSON.encoder.encode(wish))
    // A reload takes as long as the bundle's tests do.
    let body = try await fetch(request, path, patience: .seconds(120))
    do {
      return try WireJSON.decoder.decode(Value.self, from: Data(buffer: body))
    } catch {
      throw Failure(description: "\(address)\(path) answered something else than expected: \(error)")
    }
  }

  func get<Value: Decodable>(_ path: String) async throws -> Value {
    let body = try await fetch(path)
    do {
      return try WireJSON.decoder.decode(Value.self, from: Data(buffer: body))
    } catch {
      throw Failure(description: "\(address)\(path) answered something else than expected: \(error)")
    }
  }

  private func fetch(_ path: String) async throws -> ByteBuffer {
    try await fetch(HTTPClientRequest(url: address + path), path, patience: .seconds(10))
  }

  private func fetch(_ request: HTTPClientRequest, _ path: String, patience: TimeAmount) async throws -> ByteBuffer {
    do {
      let response = try await Self.http.execute(request, timeout: patience)
      let body = try await response.body.collect(upTo: 64 << 20)
      guard response.status == .ok else {
        // A refusal of the API has its reason in words; anything else is shown as it came.
        let reason = try? JSONDecoder().decode([String: String].self, from: Data(buffer: body))["reason"]
        throw Failure(description: "\(address)\(path) answered \(response.status.code): \(reason ?? String(buffer: body))")
      }
      return body
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(description: "\(address) does not answer: \(error). Is `runnerhub serve` running there?")
    }
  }
}
