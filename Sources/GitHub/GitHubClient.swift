package import AsyncHTTPClient
import Foundation
package import Logging
import NIOCore
import NIOHTTP1
package import RunnerHub

/// GitHub's REST API with the rights of one token or one App.
package struct GitHubClient: Sendable {
  let authority: GitHubAuthority
  private let transport: GitHubTransport

  /// Pages of a list that are read at most.
  private static let maximumPages = 100

  /// An HTTP client as this one needs it: redirects are followed here, where `Authorization` can be held back. The caller shuts it down.
  package static func makeHTTPClient(settings: GitHubSettings) -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    // A refused connection is to be known at once; whether to try again is decided here, by the kind of request.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.timeout.connect = .seconds(settings.timeoutSeconds)
    configuration.timeout.read = .seconds(settings.timeoutSeconds)
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// - Parameter http: from `makeHTTPClient`.
  /// - Throws: `invalid` when the base URL, the token or the App's key is none. Nothing is sent.
  package init(
    settings: GitHubSettings, credentials: GitHubCredentials, http: HTTPClient, logger: Logger, timing: GitHubTiming = GitHubTiming()
  ) async throws(ForgeError) {
    transport = try GitHubTransport(settings: settings, http: http, timing: timing, logger: logger)
    authority = try await GitHubAuthority(credentials: credentials, transport: transport)
  }

  /// Takes other credentials of the same sort, for a secret that was rotated: requests from now on are made with them.
  /// - Throws: `invalid` where they are none, or of another sort; those of before stay.
  package func replace(_ credentials: GitHubCredentials) async throws(ForgeError) { try await authority.replace(credentials) }

  /// Sends a request with the rights that the ground gives. A token that GitHub refuses before its time is renewed once.
  /// - Returns: the answer, of any status below 500 that is no refusal for the rate.
  func send(_ request: GitHubRequest, on ground: Ground) async throws(ForgeError) -> GitHubResponse {
    let grant = try await authority.grant(on: ground)
    var response = try await transport.exchange(request, grant: grant)
    var last = grant
    if response.status == 401, await authority.forget(grant) {
      last = try await authority.grant(on: ground)
      response = try await transport.exchange(request, grant: last)
    }
    return response.redacted(by: last)
  }

  /// Reads a list page by page until one of them satisfies the caller.
  /// - Parameter visit: takes a page; gives a value to end with, or nil for the next page.
  func search<Page: Decodable, Found: Sendable>(
    _ request: GitHubRequest, on ground: Ground, as type: Page.Type, _ visit: (Page) -> Found?
  ) async throws(ForgeError) -> Found? {
    var next = request
    for _ in 0..<Self.maximumPages {
      let response = try await send(next, on: ground).expecting(200)
      if let found = visit(try response.decoded(as: type)) { return found }
      guard let page = response.nextPage else { return nil }
      next = GitHubRequest(page: page, of: request)
    }
    throw .invalid("\(request.name) has more than \(Self.maximumPages) pages")
  }

  /// All pages of a list.
  func pages<Page: Decodable>(_ request: GitHubRequest, on ground: Ground, as type: Page.Type) async throws(ForgeError) -> [Page] {
    var pages: [Page] = []
    var next: GitHubRequest? = request
    while let asked = next {
      guard pages.count < Self.maximumPages else { throw .invalid("\(request.name) has more than \(Self.maximumPages) pages") }
      let response = try await send(asked, on: ground).expecting(200)
      pages.append(try response.decoded(as: type))
      next = response.nextPage.map { GitHubRequest(page: $0, of: request) }
    }
    return pages
  }
}

extension GitHubResponse {
  /// A refusal whose text echoes the secret, without it. Bodies of success are not for messages and stay as they are.
  fileprivate func redacted(by grant: Grant) -> GitHubResponse {
    guard status >= 400, let text = String(data: body, encoding: .utf8) else { return self }
    var response = self
    response.body = Data(grant.redact(text).utf8)
    return response
  }
}
