import Crypto
import Foundation
import JWTKit

/// Decides who a caller is and whether a route is open to them, in GitHub's words.
struct Gatekeeper: Sendable {
  private struct AppClaims: JWTPayload {
    let iss: IssuerClaim
    let iat: IssuedAtClaim
    let exp: ExpirationClaim

    func verify(using algorithm: some JWTAlgorithm) throws { try exp.verifyNotExpired() }

    enum CodingKeys: String, CodingKey { case iss, iat, exp }

    /// GitHub takes the App's number both as a text and as a number.
    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      if let number = try? container.decode(Int64.self, forKey: .iss) {
        iss = IssuerClaim(value: String(number))
      } else {
        iss = try container.decode(IssuerClaim.self, forKey: .iss)
      }
      iat = try container.decode(IssuedAtClaim.self, forKey: .iat)
      exp = try container.decode(ExpirationClaim.self, forKey: .exp)
    }
  }

  private let configuration: EmulatorConfiguration
  private let keys: JWTKeyCollection?

  /// - Throws: for an App's key that is no PEM of an RSA public key.
  init(configuration: EmulatorConfiguration) async throws {
    self.configuration = configuration
    if let app = configuration.app {
      keys = await JWTKeyCollection().add(rsa: try Insecure.RSA.PublicKey(pem: app.publicKeyPEM), digestAlgorithm: .sha256)
    } else {
      keys = nil
    }
  }

  /// The caller, once everything that the route asks for is there.
  ///
  /// - Throws: 401 for wrong credentials, 403 without a `User-Agent` or permission.
  func admit(_ call: Call, to access: Route.Access?, of github: EmulatedGitHub) async throws -> Caller {
    if case .own = access { return .anonymous }
    guard call.header("User-Agent")?.isEmpty == false else {
      throw Refusal(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.")
    }
    let caller = try await identify(call, of: github)
    switch access {
    case nil, .own, .anyone: return caller
    case .app:
      guard caller == .app else { throw Refusal(401, "A JSON web token could not be decoded") }
    case .token(let permissions):
      try demandToken(caller)
      for permission in permissions { try demand(permission, of: caller) }
    case .installation(let name, let level):
      try demandToken(caller)
      guard caller == .installation else { throw inaccessible(caller, "\(name)=\(level)") }
      try demand((name, level), of: caller)
    }
    return caller
  }

  private func identify(_ call: Call, of github: EmulatedGitHub) async throws -> Caller {
    guard call.header("Authorization") != nil else { return .anonymous }
    guard let credential = call.credential else { throw Refusal.badCredentials }
    if let token = configuration.token, token == credential { return .person }
    if let ends = await github.installationTokens[credential] {
      guard ends > github.now() else { throw Refusal.badCredentials }
      return .installation
    }
    guard credential.split(separator: ".", omittingEmptySubsequences: false).count == 3 else { throw Refusal.badCredentials }
    try await verify(credential, now: github.now())
    return .app
  }

  private func verify(_ token: String, now: Date) async throws {
    guard let keys, let app = configuration.app else { throw Refusal(404, "Integration not found") }
    let claims: AppClaims
    do {
      claims = try await keys.verify(token, as: AppClaims.self)
    } catch let error as JWTError where error.errorType == .claimVerificationFailure {
      throw Refusal(
        401, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
    } catch {
      throw Refusal(401, "A JSON web token could not be decoded")
    }
    guard claims.iss.value == String(app.id) || claims.iss.value == "Iv1.\(app.id)" else {
      throw Refusal(401, "'Issuer' claim ('iss') must be the App's id or client id")
    }
    guard claims.iat.value <= now.addingTimeInterval(5) else {
      throw Refusal(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
    }
    guard claims.exp.value.timeIntervalSince(claims.iat.value) <= 660 else {
      throw Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    }
  }

  private func demandToken(_ caller: Caller) throws(Refusal) {
    switch caller {
    case .person, .installation: return
    case .anonymous: throw Refusal(401, "Requires authentication")
    case .app: throw Refusal(401, "A JSON web token cannot be used here: ask for an installation's token")
    }
  }

  private func demand(_ permission: (name: String, level: String), of caller: Caller) throws(Refusal) {
    let granted = configuration.permissions[permission.name]
    guard granted == "write" || (granted != nil && permission.level == "read") || permission.name == "metadata" else {
      throw inaccessible(caller, "\(permission.name)=\(permission.level)")
    }
  }

  private func inaccessible(_ caller: Caller, _ accepted: String) -> Refusal {
    Refusal(403, "Resource not accessible by \(caller == .person ? "personal access token" : "integration")", acceptedPermissions: accepted)
  }
}
