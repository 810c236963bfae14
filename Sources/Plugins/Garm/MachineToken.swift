internal import Crypto
package import Foundation

/// The word by which a machine proves which one it is: a JWT (RFC 7519, HS256) that names one machine and one attempt to create it.
///
/// GARM's expires with the bootstrap timeout and five minutes. A machine of ours waits longer than that for its job, so `expiry` is the end of
/// the time for its *first* call; one that has called by then is known as long as it lives. It is worth nothing for any other machine, and
/// nothing once its own is removed.
package struct MachineToken: Hashable, Sendable {
  /// The engine whose machine it is.
  package var engine: String
  package var machine: String
  package var attempt: Int
  package var expiry: Date

  private struct Header: Codable {
    var alg = "HS256"
    var typ = "JWT"
  }

  private struct Claims: Codable {
    var iss: String
    var sub: String
    var create_attempt: Int
    var exp: Int64
  }

  package init(engine: String, machine: String, attempt: Int, expiry: Date) {
    self.engine = engine
    self.machine = machine
    self.attempt = attempt
    self.expiry = expiry
  }

  /// The text that the machine sends.
  package func signed(with key: SymmetricKeyBytes) -> String {
    let claims = Claims(iss: engine, sub: machine, create_attempt: attempt, exp: Int64(expiry.timeIntervalSince1970))
    // Texts and whole numbers always encode; what could not would be no token, and refused.
    let parts = [try? JSONEncoder().encode(Header()), try? JSONEncoder().encode(claims)].map { Self.base64url($0 ?? Data()) }
    let body = parts.joined(separator: ".")
    return body + "." + Self.base64url(Data(HMAC<SHA256>.authenticationCode(for: Data(body.utf8), using: key.key)))
  }

  /// What a text claims to be, before anybody has looked at its signature: good only for finding the key.
  package static func claimedEngine(_ text: String) -> String? { read(text)?.token.engine }

  /// - Returns: nil unless the signature is this key's.
  package init?(_ text: String, key: SymmetricKeyBytes) {
    guard let (token, body, signature) = Self.read(text),
      HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Data(body.utf8), using: key.key)
    else { return nil }
    self = token
  }

  private static func read(_ text: String) -> (token: MachineToken, body: String, signature: Data)? {
    guard text.utf8.count <= 2048 else { return nil }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let header = data(parts[0]), let payload = data(parts[1]), let signature = data(parts[2]),
      // The algorithm is ours to choose, not the sender's.
      let head = try? JSONDecoder().decode(Header.self, from: header), head.alg == "HS256",
      let claims = try? JSONDecoder().decode(Claims.self, from: payload)
    else { return nil }
    let token = MachineToken(
      engine: claims.iss, machine: claims.sub, attempt: claims.create_attempt, expiry: Date(timeIntervalSince1970: Double(claims.exp)))
    return (token, "\(parts[0]).\(parts[1])", signature)
  }

  private static func base64url(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  private static func data(_ text: Substring) -> Data? {
    let plain = text.replacing("-", with: "+").replacing("_", with: "/")
    return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4))
  }
}

/// A key for tokens: 32 bytes that only this installation has.
package struct SymmetricKeyBytes: Sendable {
  let key: SymmetricKey
  package init(_ bytes: Data) { key = SymmetricKey(data: bytes) }

  /// A fresh one.
  package static func random() -> Data { SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) } }
}
