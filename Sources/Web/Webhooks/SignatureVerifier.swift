import Crypto
package import Foundation

/// Checks `X-Hub-Signature-256` against the raw bytes of a body.
///
/// Source: GitHub Docs, "Validating webhook deliveries". Several secrets may hold at once, so that one can be exchanged without losing a
/// delivery. Which of them matched takes the same time for each; the comparison itself is constant in time.
package struct SignatureVerifier: Sendable {
  /// Why a verifier cannot be made.
  package enum Refusal: Error, Equatable, CustomStringConvertible {
    case noSecret
    case emptySecret(position: Int)

    package var description: String {
      switch self {
      case .noSecret: "webhook secret: none is configured; set one, since without it anybody could start jobs"
      case .emptySecret(let position): "webhook secret \(position) is empty; remove it or give it a value"
      }
    }
  }

  private let keys: [SymmetricKey]

  /// - Parameter secrets: one or more, none empty.
  package init(secrets: [String]) throws(Refusal) {
    if secrets.isEmpty { throw .noSecret }
    if let empty = secrets.firstIndex(where: { $0.allSatisfy(\.isWhitespace) }) { throw .emptySecret(position: empty + 1) }
    keys = secrets.map { SymmetricKey(data: Data($0.utf8)) }
  }

  /// Whether a header value is the signature of the bytes under one of the secrets.
  /// - Parameter header: `sha256=` and 64 hexadecimal digits. Anything else is false.
  package func accepts(_ header: String, for body: some DataProtocol) -> Bool {
    guard let code = Self.code(in: header) else { return false }
    return keys.reduce(false) { HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: body, using: $1) || $0 }
  }

  /// The 32 bytes that a header value spells, or nil.
  static func code(in header: String) -> Data? {
    let digits = header.utf8
    guard digits.count == 71, header.hasPrefix("sha256=") else { return nil }
    var code = Data(capacity: 32)
    var high: UInt8?
    for digit in digits.dropFirst(7) {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
      default: return nil
      }
      if let upper = high {
        code.append(upper << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return code
  }
}
