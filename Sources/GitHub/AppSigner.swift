import Foundation
import JWTKit
import RunnerHub

/// Signs the tokens by which a GitHub App shows who it is (RS256; good for calls of `/app…` and for finding installations).
struct AppSigner: Sendable {
  /// GitHub refuses a token from its own future: allow for a clock that runs ahead. Source: "Generating a JSON Web Token for a GitHub App".
  private static let issuedEarlier = 60
  /// Seconds from `iat` to `exp`; GitHub allows 600.
  private static let lifetime = 540

  private struct Claims: JWTPayload {
    let iss: String
    let iat: Int
    let exp: Int
    func verify(using algorithm: some JWTAlgorithm) throws {}
  }

  private let id: String
  private let keys: JWTKeyCollection

  /// - Parameter privateKeyPEM: PKCS#1 (`BEGIN RSA PRIVATE KEY`) or PKCS#8 (`BEGIN PRIVATE KEY`).
  /// - Throws: `invalid` when it is no RSA key; the message does not quote it.
  static func make(id: String, privateKeyPEM: String) async throws(ForgeError) -> AppSigner {
    do {
      let key = try Insecure.RSA.PrivateKey(pem: privateKeyPEM)
      return AppSigner(id: id, keys: await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256))
    } catch {
      throw .invalid("the private key of GitHub App \(id) is not an RSA key in PEM form (2048 bits or more)")
    }
  }

  func grant(now: Date) async throws(ForgeError) -> Grant {
    let issued = Int(now.timeIntervalSince1970) - Self.issuedEarlier
    do {
      let token = try await keys.sign(Claims(iss: id, iat: issued, exp: issued + Self.lifetime))
      return Grant(credential: "app \(id)", secret: token)
    } catch {
      throw .invalid("the private key of GitHub App \(id) cannot sign")
    }
  }
}
