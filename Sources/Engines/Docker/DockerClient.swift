package import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOFoundationCompat
internal import NIOHTTP1
internal import Synchronization

/// Speaks the Docker Engine API over a unix socket or TLS (`api` = https://docs.docker.com/reference/api/engine/). It knows requests and answers, not what they are for.
package final class DockerClient: Sendable {
  private let http: HTTPClient
  private let base: String
  /// Where the daemon is, for messages.
  package let place: String
  private let agreed = Mutex<DockerAPIVersion?>(nil)

  /// - Parameters:
  ///   - socket: the path of the daemon's socket; at most 107 bytes (unix(7)).
  ///   - http: from `makeHTTPClient`; the owner shuts it down.
  package init(socket: String, http: HTTPClient) {
    place = socket
    self.http = http
    base = "http+unix://" + (socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
  }

  /// - Parameters:
  ///   - host: a name or an address, which the daemon's certificate must name.
  ///   - http: from `makeHTTPClient` with the certificates of this host; the owner shuts it down.
  package init(host: String, port: Int, http: HTTPClient) {
    place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    self.http = http
    base = "https://\(place)"
  }

  /// A client whose connections suit a daemon: many at once, since logs and events hold theirs.
  /// - Parameter certificates: for a daemon that is reached by TLS.
  /// - Throws: `DockerFailure.unusable`, which names the file.
  package static func makeHTTPClient(certificates: DockerCertificates) throws -> HTTPClient {
    var configuration = configuration
    configuration.tlsConfiguration = try certificates.tls()
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// The same for daemons of this machine.
  package static func makeHTTPClient() -> HTTPClient {
    HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  private static var configuration: HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration()
    // Docker speaks HTTP/1.1 only over its sockets; over TLS too, so that a broken stream never takes others with it.
    configuration.httpVersion = .http1Only
    configuration.redirectConfiguration = .disallow
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 512
    // A daemon that is not there is to be known at once.
    configuration.connectionPool.retryConnectionEstablishment = false
    // Also how long a request waits for a connection when all are taken.
    configuration.timeout.connect = .seconds(30)
    return configuration
  }

  /// One request.
  struct Call: Sendable {
    var method: HTTPMethod
    /// Without version: `/containers/json`. Names in it are escaped by the maker.
    var path: String
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: Body = .none
    /// For head and body of the answer together.
    var limit: Duration = .seconds(30)

    enum Body: Sendable {
      case none
      case json(Data)
      case tar(Data)
    }
  }

  struct Answer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: Data
  }

  /// Sends a request and gives its whole answer.
  /// - Throws: `DockerFailure`, `refused` for every status from 400 on; `CancellationError`. A call whose answer broke off is made once more.
  func send(_ call: Call) async throws -> Answer {
    do {
      return try await sendOnce(call)
    } catch DockerFailure.brokeOff {
      // Calls are made to be done twice: what was done is found done.
      return try await sendOnce(call)
    } catch DockerFailure.refused(400, let message) where message.hasPrefix(Self.versionRefusal) {
      // The daemon was replaced by another version: agree anew.
      agreed.withLock { $0 = nil }
      return try await sendOnce(call)
    }
  }

  private func sendOnce(_ call: Call) async throws -> Answer {
    let version = try await version()
    return try await within(call.limit, "\(call.method) \(call.path)") { [self] in
      let response = try await exchange(request(for: call, version: version))
      let body = try await Data(buffer: collect(response))
      if response.status.code >= 400 { throw refusal(response, body) }
      return Answer(status: Int(response.status.code), headers: response.headers, body: body)
    }
  }

  func json<Value: Decodable>(_ call: Call, as type: Value.Type = Value.self) async throws -> Value {
    try decode(type, from: try await send(call).body, of: call)
  }

  func decode<Value: Decodable>(_ type: Value.Type, from body: Data, of call: Call) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: body)
    } catch {
      throw DockerFailure.unreadable("\(call.method) \(call.path): \(error)")
    }
  }

  /// Sends a request and hands on its answer as it comes, until it ends or the body returns false.
  /// - Parameters:
  ///   - limit: for the head; the body may take as long as it likes.
  ///   - onHead: when the daemon has accepted the request.
  /// - Throws: as `send`.
  func stream(_ call: Call, onHead: () async throws -> Void = {}, _ body: (ByteBuffer) async throws -> Bool) async throws {
    let version = try await version()
    let response = try await within(call.limit, "\(call.method) \(call.path)") { [self] in
      try await exchange(request(for: call, version: version))
    }
    if response.status.code >= 400 {
      throw refusal(response, try await within(call.limit, call.path) { [self] in try await Data(buffer: collect(response)) })
    }
    try await onHead()
    var parts = response.body.makeAsyncIterator()
    while let part = try await Self.reading({ try await parts.next() }) {
      if !(try await body(part)) { return }
    }
  }

  /// The version that both sides speak, asked for once and again after the daemon has refused it.
  package func version() async throws -> DockerAPIVersion {
    if let known = agreed.withLock({ $0 }) { return known }
    let response = try await within(.seconds(10), "GET /_ping") { [self] in
      let response = try await exchange(request(for: Call(method: .GET, path: "/_ping"), version: nil))
      _ = try await collect(response)
      return response
    }
    guard response.status == .ok else {
      throw DockerFailure.refused(status: Int(response.status.code), message: "GET /_ping of \(place)")
    }
    guard let text = response.headers.first(name: "Api-Version"), let daemon = DockerAPIVersion(text) else {
      throw DockerFailure.unreadable("\(place) names no Api-Version: it is no Docker daemon")
    }
    guard let version = DockerAPIVersion.negotiated(with: daemon) else {
      throw DockerFailure.unreadable(
        "the daemon at \(place) speaks API \(daemon) at most, \(DockerAPIVersion.oldest) is the oldest that will do")
    }
    agreed.withLock { $0 = version }
    return version
  }

  // MARK: Parts

  /// "client version 1.45 is too new. Maximum supported API version is 1.41"
  private static let versionRefusal = "client version "
  private static let mostBody = 64 << 20

  private func request(for call: Call, version: DockerAPIVersion?) throws -> HTTPClientRequest {
    var url = base + (version.map { "/v\($0)" } ?? "") + call.path
    if !call.query.isEmpty {
      url += "?" + call.query.map { "\($0.name)=\(Self.escaped($0.value))" }.joined(separator: "&")
    }
    var request = HTTPClientRequest(url: url)
    request.method = call.method
    request.headers.add(name: "Host", value: "docker")
    for (name, value) in call.headers { request.headers.add(name: name, value: value) }
    switch call.body {
    case .none: break
    case .json(let data):
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(data: data))
    case .tar(let data):
      request.headers.add(name: "Content-Type", value: "application/x-tar")
      request.body = .bytes(ByteBuffer(data: data))
    }
    return request
  }

  static func escaped(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? ""
  }

  private func exchange(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
    do {
      // A year: the limit is ours, and holds for head and body together.
      return try await http.execute(request, timeout: .hours(8760))
    } catch let error as HTTPClientError where error == .cancelled {
      throw CancellationError()
    } catch let error as HTTPClientError where error == .remoteConnectionClosed {
      throw DockerFailure.brokeOff(error.description)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw DockerFailure.unreachable("\(place): \(error)")
    }
  }

  private func collect(_ response: HTTPClientResponse) async throws -> ByteBuffer {
    try await Self.reading {
      do {
        return try await response.body.collect(upTo: Self.mostBody)
      } catch is NIOTooManyBytesError {
        throw DockerFailure.unreadable("an answer of more than \(Self.mostBody) bytes")
      }
    }
  }

  /// Reads a part of an answer whose head is there: whatever goes wrong in it breaks it off.
  private static func reading<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch let failure as DockerFailure {
      throw failure
    } catch let error as HTTPClientError where error == .cancelled {
      throw CancellationError()
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw DockerFailure.brokeOff("\(error)")
    }
  }

  private func refusal(_ response: HTTPClientResponse, _ body: Data) -> DockerFailure {
    struct Message: Decodable { var message: String }
    let text = (try? JSONDecoder().decode(Message.self, from: body))?.message ?? String(decoding: body.prefix(500), as: UTF8.self)
    return .refused(status: Int(response.status.code), message: text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// Runs a call and ends it when its time is over.
  func within<Value: Sendable>(
    _ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask(operation: body)
      group.addTask {
        try await Task.sleep(for: limit)
        throw DockerFailure.timedOut("\(what) was not answered within \(limit)")
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() else { throw CancellationError() }
      return value
    }
  }
}
