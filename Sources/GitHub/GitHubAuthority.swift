import Foundation
import NIOHTTP1
import RunnerHub

/// On whose ground a request stands; for an App this decides whose installation gives the right to make it.
enum Ground: Hashable, Sendable {
  /// `owner/name`, and the installation that a delivery named, if any. It may have gone stale by a new installation.
  case repository(String, installationID: Int64?)
  case organization(String, installationID: Int64?)

  fileprivate var named: Int64? {
    switch self {
    case .repository(_, let id), .organization(_, let id): id
    }
  }

  fileprivate var name: String {
    switch self {
    case .repository(let name, _), .organization(let name, _): name
    }
  }
}

/// Hands out the rights to make requests: the token as it is, or an App's installation tokens, each kept until shortly before its end
/// and renewed by one flight at a time.
actor GitHubAuthority {
  /// Seconds before its end at which a token is renewed.
  private static let renewEarlier: Double = 300

  private struct InstallationToken {
    let grant: Grant
    let expiresAt: Date
  }

  private enum Method {
    case token(Grant)
    case app(AppSigner)
  }

  /// Whether check runs may be written: only Apps may.
  nonisolated let isApp: Bool
  private var method: Method
  private let transport: GitHubTransport
  private var tokens: [Int64: InstallationToken] = [:]
  private var flights: [Int64: RequestGate] = [:]
  /// By repository or organisation, as GitHub told.
  private var installations: [String: Int64] = [:]
  /// Installations that GitHub does not know any more.
  private var gone: Set<Int64> = []

  init(credentials: GitHubCredentials, transport: GitHubTransport) async throws(ForgeError) {
    self.transport = transport
    method = try await Self.method(by: credentials)
    if case .app = credentials { isApp = true } else { isApp = false }
  }

  private static func method(by credentials: GitHubCredentials) async throws(ForgeError) -> Method {
    switch credentials {
    case .token(let token):
      guard !token.isEmpty, !token.contains(where: { $0.isWhitespace || $0.isNewline }) else {
        throw .invalid("the GitHub token is empty or has white space in it")
      }
      return .token(Grant(credential: "token", secret: token))
    case .app(let id, let privateKeyPEM):
      return .app(try await AppSigner.make(id: id, privateKeyPEM: privateKeyPEM))
    }
  }

  /// Other credentials of the same sort hold from now on; an App's installation tokens are kept, which do not depend on its key.
  /// - Throws: `invalid` where they are none, or of another sort; those of before stay.
  func replace(_ credentials: GitHubCredentials) async throws(ForgeError) {
    let new = try await Self.method(by: credentials)
    switch (credentials, isApp) {
    case (.app, true), (.token, false): method = new
    default: throw .invalid("a GitHub App and a token cannot take each other's place while RunnerHub runs")
    }
  }

  func grant(on ground: Ground) async throws(ForgeError) -> Grant {
    switch method {
    case .token(let grant):
      return grant
    case .app(let signer):
      let installation = try await installation(on: ground, signer: signer)
      if let grant = try await token(of: installation, signer: signer) { return grant }
      // The App was installed anew since this id was learned: its successor is asked for, once.
      gone.insert(installation)
      tokens[installation] = nil
      installations = installations.filter { $0.value != installation }
      let successor = try await self.installation(on: ground, signer: signer)
      if let grant = try await token(of: successor, signer: signer) { return grant }
      throw .notFound("installation \(successor) of the GitHub App on \(ground.name)")
    }
  }

  /// GitHub refused a grant before its time (revoked, suspended): the next call asks for a new one.
  /// - Returns: whether a new one can be had.
  func forget(_ grant: Grant) -> Bool {
    guard case .app = method else { return false }
    tokens = tokens.filter { $0.value.grant.secret != grant.secret }
    return true
  }

  private func installation(on ground: Ground, signer: AppSigner) async throws(ForgeError) -> Int64 {
    if let named = ground.named, !gone.contains(named) { return named }
    if let known = installations[ground.name] { return known }
    let path: [String]
    switch ground {
    case .repository(let name, _): path = try GitHubRequest.repository(name) + ["installation"]
    case .organization(let name, _): path = ["orgs", name, "installation"]
    }
    let request = try GitHubRequest(.GET, path)
    let response = try await transport.exchange(request, grant: try await signer.grant(now: transport.now))
    struct Installation: Decodable { let id: Int64 }
    let id = try response.expecting(200, "the GitHub App's installation on \(ground.name)").decoded(as: Installation.self).id
    installations[ground.name] = id
    return id
  }

  /// - Returns: nil when GitHub does not know the installation.
  private func token(of installation: Int64, signer: AppSigner) async throws(ForgeError) -> Grant? {
    if let grant = keptGrant(of: installation) { return grant }
    let flight = flights[installation] ?? RequestGate(limit: 1)
    flights[installation] = flight
    do {
      return try await flight.run { try await self.renew(installation, signer: signer) }
    } catch let error as ForgeError {
      throw error
    } catch {
      throw .unavailable("cancelled while waiting for a token of installation \(installation)")
    }
  }

  private func renew(_ installation: Int64, signer: AppSigner) async throws(ForgeError) -> Grant? {
    // The flight before this one may have brought it.
    if let grant = keptGrant(of: installation) { return grant }
    let request = try GitHubRequest(.POST, ["app", "installations", "\(installation)", "access_tokens"])
    let response = try await transport.exchange(request, grant: try await signer.grant(now: transport.now))
    if response.status == 404 { return nil }
    struct Token: Decodable {
      let token: String
      let expiresAt: WireTime
      enum CodingKeys: String, CodingKey {
        case token
        case expiresAt = "expires_at"
      }
    }
    let token = try response.expecting(201, "a token of installation \(installation)").decoded(as: Token.self)
    let grant = Grant(credential: "installation \(installation)", secret: token.token)
    tokens[installation] = InstallationToken(grant: grant, expiresAt: token.expiresAt.date)
    return grant
  }

  private func keptGrant(of installation: Int64) -> Grant? {
    guard let token = tokens[installation], token.expiresAt > transport.now + Self.renewEarlier else { return nil }
    return token.grant
  }
}
