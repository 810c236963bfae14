import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import RunnerHub

/// The right to make a request: the secret to send, and the name under which its limits are kept.
struct Grant: Sendable, CustomStringConvertible, CustomReflectable {
  /// `token`, `app` or `installation 7`.
  let credential: String
  let secret: String

  var description: String { credential }
  var customMirror: Mirror { Mirror(self, children: []) }

  /// A text of the other side's making without the secret, should it have been echoed.
  func redact(_ text: String) -> String {
    secret.isEmpty ? text : text.replacingOccurrences(of: secret, with: "***")
  }
}

/// Carries requests to GitHub and answers back: required headers, redirects, limits of rate, size and number, repetition of reads.
/// It decides nothing by the meaning of an answer below 500.
struct GitHubTransport: Sendable {
  private let settings: GitHubSettings
  private let base: Address
  private let http: HTTPClient
  private let timing: GitHubTiming
  private let logger: Logger
  private let gate: RequestGate
  private let throttle = Throttle()
  private let memory = AnswerMemory()

  /// Redirects followed for one request.
  private static let maximumRedirects = 5

  /// - Throws: `invalid` when the base URL is none.
  init(settings: GitHubSettings, http: HTTPClient, timing: GitHubTiming, logger: Logger) throws(ForgeError) {
    guard let base = Address(settings.baseURL) else {
      throw .invalid("“\(settings.baseURL)” is not the http(s) address of a GitHub API")
    }
    self.settings = settings
    self.base = base
    self.http = http
    self.timing = timing
    self.logger = logger
    gate = RequestGate(limit: settings.maximumConcurrentRequests)
  }

  var now: Date { timing.now() }

  /// Sends a request and gives its answer of any status below 500.
  /// - Throws: `throttled` without sending while the credential must be silent, and when GitHub says so; `unavailable` after the last try.
  func exchange(_ request: GitHubRequest, grant: Grant) async throws(ForgeError) -> GitHubResponse {
    var tries = 0
    while true {
      try keepSilence(request, grant: grant)
      let failure: String
      do {
        let response = try await gate.run { () async throws -> GitHubResponse in
          // Asked again, and limits heeded before the place is given back: what waited for it must not be sent after a refusal.
          try keepSilence(request, grant: grant)
          let response = try await follow(request, grant: grant)
          try heedLimits(of: response, to: request, grant: grant)
          return response
        }
        guard response.status >= 500 else { return memory.settle(response, to: request, credential: grant.credential) }
        failure = "\(request.name) was answered \(response.status) \(grant.redact(response.message))"
      } catch let error as ForgeError {
        throw error
      } catch is CancellationError {
        throw .unavailable("\(request.name) was cancelled")
      } catch {
        failure = "\(request.name) got no answer: \(grant.redact(String(describing: error)))"
      }
      tries += 1
      guard request.isRepeatable, tries <= settings.maximumRetries else { throw .unavailable(failure) }
      logger.debug("asking GitHub again", metadata: ["failure": "\(failure)", "try": "\(tries)"])
      let pause = settings.retryPause * (1 << min(tries - 1, 10)) * (1 - timing.chance() / 2)
      do {
        try await timing.clock.sleep(for: pause)
      } catch {
        throw .unavailable("\(failure); cancelled before the next try")
      }
    }
  }

  /// - Throws: `throttled` while the request may not be sent.
  private func keepSilence(_ request: GitHubRequest, grant: Grant) throws(ForgeError) {
    guard let until = throttle.blocked(grant.credential, request.bucket, for: request.purpose, now: now) else { return }
    throw .throttled(
      until: until, "\(request.name) is held back: GitHub asked \(grant.credential) to wait, or little is left of its limit")
  }

  private func heedLimits(of response: GitHubResponse, to request: GitHubRequest, grant: Grant) throws(ForgeError) {
    let now = now
    let message = response.status < 400 ? "" : grant.redact(response.message)
    guard let wait = RateLimit.wait(status: response.status, headers: response.headers, message: message, now: now) else {
      throttle.answered(grant.credential, request.bucket, headers: response.headers, now: now)
      return
    }
    let isPrimary = response.headers.first(name: "x-ratelimit-remaining").flatMap { Int($0) } == 0
    let until = throttle.refused(grant.credential, request.bucket, wait: wait, isPrimary: isPrimary, now: now)
    logger.warning("GitHub asks to wait", metadata: ["credential": "\(grant.credential)", "until": "\(until)"])
    throw .throttled(until: until, "\(response.request) was answered \(response.status) \(message)")
  }

  /// One request and the redirects of its answer. GitHub asks to repeat the same verb (renamed repositories).
  private func follow(_ request: GitHubRequest, grant: Grant) async throws -> GitHubResponse {
    var address = try start(of: request)
    for _ in 0...Self.maximumRedirects {
      let response = try await once(request, at: address, grant: grant)
      guard [301, 302, 307, 308].contains(response.status), let location = response.headers.first(name: "location") else {
        return response
      }
      guard let next = address.resolving(location) else {
        throw ForgeError.invalid("\(request.name) was redirected to a place that cannot be followed")
      }
      guard next.isSameOrigin(as: base) || request.method == .GET else {
        throw ForgeError.invalid("\(request.name) was redirected to another host (\(next.host)), where it is not sent")
      }
      address = next
    }
    throw ForgeError.invalid("\(request.name) was redirected more than \(Self.maximumRedirects) times")
  }

  private func start(of request: GitHubRequest) throws(ForgeError) -> Address {
    if request.target.hasPrefix("/") {
      guard let address = base.appending(request.target) else { throw .invalid("\(request.name) is no address") }
      return address
    }
    guard let address = Address(request.target), address.isSameOrigin(as: base) else {
      throw .invalid("the next page of a list is on another host; it is not followed")
    }
    return address
  }

  private func once(_ request: GitHubRequest, at address: Address, grant: Grant) async throws -> GitHubResponse {
    var message = HTTPClientRequest(url: address.text)
    message.method = request.method
    message.headers.add(name: "user-agent", value: settings.userAgent)
    message.headers.add(name: "accept", value: request.accept)
    message.headers.add(name: "x-github-api-version", value: settings.apiVersion)
    if address.isSameOrigin(as: base) {
      message.headers.add(name: "authorization", value: "Bearer \(grant.secret)")
    }
    if let tag = memory.tag(for: request, credential: grant.credential) { message.headers.add(name: "if-none-match", value: tag) }
    if let body = request.body {
      message.headers.add(name: "content-type", value: "application/json")
      message.body = .bytes(ByteBuffer(data: body))
    }
    let answer = try await http.execute(message, timeout: .seconds(settings.timeoutSeconds))
    do {
      let body = try await answer.body.collect(upTo: settings.maximumAnswerBytes)
      return GitHubResponse(status: Int(answer.status.code), headers: answer.headers, body: Data(buffer: body), request: request.name)
    } catch is NIOTooManyBytesError {
      throw ForgeError.invalid("the answer to \(request.name) is larger than \(settings.maximumAnswerBytes) bytes")
    }
  }
}
