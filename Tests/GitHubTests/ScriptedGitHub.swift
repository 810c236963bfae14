import AsyncHTTPClient
import Foundation
import GitHub
import GitHubDescription
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOFoundationCompat
import ServiceLifecycle
import Synchronization
import Testing

/// One answer of the script. `{base}` in headers and bodies stands for the server's own address.
struct Answer: Sendable {
  var status = 200
  var headers: [String: String] = [:]
  var body = ""
  /// The connection ends in the middle of the body.
  var isCut = false

  static func json(_ value: JSONValue?, status: Int = 200, headers: [String: String] = [:]) throws -> Answer {
    let value = try #require(value, "the description has no such example")
    return Answer(status: status, headers: headers, body: String(decoding: try value.data(), as: UTF8.self))
  }
  static func empty(_ status: Int, headers: [String: String] = [:]) -> Answer { Answer(status: status, headers: headers) }
  static func message(_ status: Int, _ text: String, headers: [String: String] = [:]) -> Answer {
    Answer(status: status, headers: headers, body: #"{"message": "\#(text)", "documentation_url": "https://docs.github.com/rest"}"#)
  }
  static let cut = Answer(body: #"{"id": 1, "cut": ""#, isCut: true)
}

/// A server on the loopback that answers by a script and keeps what went over the wire.
final class ScriptedGitHub: Sendable {
  private struct State {
    var script: [String: [Answer]]
    var exchanges: [RecordedExchange] = []
    var underWay = 0
    var mostAtOnce = 0
    var base = ""
  }
  private let state: Mutex<State>

  /// - Parameter script: answers by verb and path (`GET /app`), in turn; the last one stays.
  init(_ script: [String: [Answer]]) { state = Mutex(State(script: script)) }

  var base: String { state.withLock(\.base) }
  var exchanges: [RecordedExchange] { state.withLock(\.exchanges) }
  var mostAtOnce: Int { state.withLock(\.mostAtOnce) }
  func count(_ call: String) -> Int { exchanges.filter { "\($0.method) \($0.path)" == call }.count }
  func bodies(_ call: String) throws -> [JSONValue] {
    try exchanges.filter { "\($0.method) \($0.path)" == call }.map { try JSONValue(json: Data($0.requestBody.utf8)) }
  }
  var calls: [String] { exchanges.map { "\($0.method) \($0.path)" } }

  /// Runs the server, does the work, and checks each request, and each answer of success, against GitHub's description.
  func run(checks: Bool = true, _ work: @Sendable (ScriptedGitHub) async throws -> Void) async throws {
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    var quiet = Logger(label: "scripted")
    quiet.logLevel = .critical
    let application = Application(
      responder: CallbackResponder { [self] request, _ in try await respond(to: request) } as CallbackResponder<BasicRequestContext>,
      configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in told.yield(channel.localAddress?.port ?? 0) }, logger: quiet)
    let group = ServiceGroup(services: [application], logger: quiet)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      state.withLock { $0.base = "http://127.0.0.1:\(port)" }
      do {
        try await work(self)
      } catch {
        await group.triggerGracefulShutdown()
        throw error
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
    if checks { try check() }
  }

  /// Refusals and redirects may come from anywhere, described or not; everything else must be as described.
  private func check() throws {
    let description = try GitHubDescription.standard()
    for exchange in exchanges {
      let findings = description.findings(exchange).filter { exchange.status < 300 || $0.place.hasPrefix("request") }
      #expect(findings.isEmpty, "\(exchange.method) \(exchange.path): \(findings)")
    }
  }

  private func respond(to request: Request) async throws -> Response {
    let call = "\(request.method.rawValue) \(request.uri.path)"
    state.withLock { state in
      state.underWay += 1
      state.mostAtOnce = max(state.mostAtOnce, state.underWay)
    }
    defer { state.withLock { $0.underWay -= 1 } }
    let body = try await request.body.collect(upTo: 1 << 20)
    let answer = state.withLock { state -> Answer in
      guard let answers = state.script[call], let first = answers.first else {
        return .message(404, "the script has no answer to \(call)")
      }
      if answers.count > 1 { state.script[call] = Array(answers.dropFirst()) }
      return first
    }
    let base = base
    let text = answer.body.replacingOccurrences(of: "{base}", with: base)
    var headers = HTTPFields()
    for (name, value) in answer.headers {
      if let name = HTTPField.Name(name) { headers[name] = value.replacingOccurrences(of: "{base}", with: base) }
    }
    if !text.isEmpty { headers[.contentType] = "application/json; charset=utf-8" }
    let sent = headers
    state.withLock { state in
      state.exchanges.append(
        RecordedExchange(
          method: request.method.rawValue, path: request.uri.path, query: request.uri.query ?? "",
          requestHeaders: Dictionary(request.headers.map { ($0.name.canonicalName, $0.value) }) { first, _ in first },
          requestBody: String(buffer: body), status: answer.status,
          responseHeaders: Dictionary(sent.map { ($0.name.canonicalName, $0.value) }) { first, _ in first }, responseBody: text))
    }
    if answer.isCut {
      return Response(
        status: .init(code: answer.status), headers: headers,
        body: ResponseBody(contentLength: text.utf8.count + 100) { writer in
          try await writer.write(ByteBuffer(string: text))
          throw CutConnection()
        })
    }
    return Response(status: .init(code: answer.status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  private struct CutConnection: Error {}
}

/// A clock that a test holds in its hand: pauses are over at once, and are noted.
final class TestTime: Sendable {
  private struct State {
    var now = Date(timeIntervalSince1970: 1_790_000_000)
    var pauses: [Duration] = []
  }
  private let state = Mutex(State())

  var now: Date { state.withLock(\.now) }
  var pauses: [Duration] { state.withLock(\.pauses) }
  func advance(by seconds: Double) { state.withLock { $0.now += seconds } }

  /// - Parameter chance: what the dice show, always.
  func timing(chance: Double = 0) -> GitHubTiming {
    GitHubTiming(now: { self.now }, clock: NotingClock(time: self), chance: { chance })
  }

  private struct NotingClock: Clock {
    let time: TestTime
    let start = ContinuousClock.now
    var now: ContinuousClock.Instant { start }
    var minimumResolution: Duration { .nanoseconds(1) }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
      try Task.checkCancellation()
      time.state.withLock { $0.pauses.append(start.duration(to: deadline)) }
    }
  }
}

extension ScriptedGitHub {
  /// Runs the script with a client of it.
  func withClient(
    _ credentials: GitHubCredentials, time: TestTime = TestTime(), settings change: @Sendable (inout GitHubSettings) -> Void = { _ in },
    checks: Bool = true, _ work: @Sendable (GitHubClient) async throws -> Void
  ) async throws {
    try await run(checks: checks) { server in
      var settings = GitHubSettings(baseURL: server.base)
      change(&settings)
      let http = GitHubClient.makeHTTPClient(settings: settings)
      do {
        let client = try await GitHubClient(
          settings: settings, credentials: credentials, http: http, logger: Logger(label: "test"), timing: time.timing())
        try await work(client)
      } catch {
        try await http.shutdown()
        throw error
      }
      try await http.shutdown()
    }
  }

  /// Runs the script with a forge on it.
  func withForge(
    _ credentials: GitHubCredentials = .token("secret-token-1"), time: TestTime = TestTime(),
    settings change: @Sendable (inout GitHubSettings) -> Void = { _ in }, checks: Bool = true,
    _ work: @Sendable (GitHubForge) async throws -> Void
  ) async throws {
    try await withClient(credentials, time: time, settings: change, checks: checks) { client in
      try await work(GitHubForge(client: client, logger: Logger(label: "test")))
    }
  }
}
