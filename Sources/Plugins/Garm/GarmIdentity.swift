internal import Crypto
internal import Foundation

/// Names that a provider wants as UUIDs, made from ours: the same ones after every restart, without being written down.
package enum GarmIdentity {
  /// A UUID (version 8 of RFC 9562: of the maker's own making) from texts.
  package static func uuid(of parts: String...) -> String {
    var hash = SHA256()
    for part in parts {
      hash.update(data: Data(part.utf8))
      hash.update(data: [0])
    }
    var bytes = Array(hash.finalize().prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x80
    bytes[8] = bytes[8] & 0x3f | 0x80
    let digits = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.append(digit)
    }
    return text
  }
}
