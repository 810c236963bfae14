import Domain
import Foundation

/// One thing that can be set. The list of all of them is the schema: it reads the file, the environment and the flags, and writes the documentation.
struct ConfigurationKey {
  enum Kind {
    case text
    /// A path or address that must not be empty.
    case nonEmpty
    case integer(ClosedRange<Int>)
    case boolean
    case choice([String])
    /// `4g`, `512m`
    case size
    case list
    /// `HOST:PORT`
    case address
    /// Refused schemes are told apart from wrong ones: they are refused with their reason, together with everything else that is wrong.
    case url(schemes: [String], refused: [String] = [])
    /// `registry.acme.com`, `https://registry.acme.com/team`
    case registry
    /// Any keys and values, whose owner says what they must be.
    case tree

    /// What a value must be, for error messages and documentation.
    var expectation: String {
      switch self {
      case .text: "text"
      case .nonEmpty: "text that is not empty"
      case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
      case .boolean: "true or false"
      case .choice(let words): "one of \(words.joined(separator: ", "))"
      case .size: "a size such as 512m or 4g, at most 64t"
      case .list: "a list of words"
      case .address: "HOST:PORT, such as 127.0.0.1:8080"
      case .url(let schemes, _) where schemes == ["sqlite"]: "sqlite://PATH"
      case .url(let schemes, _) where schemes.isEmpty: "nothing yet"
      case .url(let schemes, _): "an address that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
      case .tree: "keys and values"
      case .registry: "a registry such as registry.acme.com or https://registry.acme.com/team"
      }
    }
  }

  /// `orchestrator.max-concurrent-jobs`; in a section with names of the operator's own, `*` stands for the name: `pools.*.maximum`.
  var path: String
  var kind: Kind
  /// Text of the default, as it would be written; nil: not set.
  var standard: String?
  /// Name in the environment, where it has one of its own.
  var environment: String?
  /// A secret is never shown, and may come from a file: `<path>-file`, `<environment>_FILE`.
  var isSecret = false
  var summary: String

  /// Whether a value fits.
  func accepts(_ value: String) -> Bool {
    switch kind {
    case .text, .list: return true
    case .nonEmpty: return !value.isEmpty
    case .tree: return ConfigurationTree(text: value) != nil
    case .integer(let range): return Int(value).map(range.contains) ?? false
    case .boolean: return value == "true" || value == "false"
    case .choice(let words): return words.contains(value)
    // So that a hundred thousand of the greatest still fit a 64-bit sum.
    case .size: return ByteCount(text: value).map { (1...(64 << 40)).contains($0.bytes) } ?? false
    case .address: return ListenAddress(value) != nil
    case .url(let schemes, let refused):
      return schemes.contains { Self.rest(of: value, after: $0)?.isEmpty == false }
        || refused.contains { Self.rest(of: value, after: $0) != nil }
    case .registry:
      let host = Self.registryHost(value)
      return !host.isEmpty && !host.hasPrefix("/")
        && host.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 0x20 && !"@*?#|,\\".unicodeScalars.contains($0) }
        && !host.contains("://")
    }
  }

  /// Whether a value is one that this version cannot serve.
  func refuses(_ value: String) -> Bool {
    guard case .url(_, let refused) = kind else { return false }
    return refused.contains { Self.rest(of: value, after: $0) != nil }
  }

  /// `https://registry.acme.com/` → `registry.acme.com`
  static func registryHost(_ text: String) -> String {
    var host = rest(of: text, after: "https") ?? rest(of: text, after: "http") ?? text
    while host.hasSuffix("/") { host.removeLast() }
    return host
  }

  /// What stands after `scheme://`; nil where that is not how it begins. A scheme's case does not matter (RFC 3986, 3.1).
  static func rest(of text: String, after scheme: String) -> String? {
    let prefix = scheme + "://"
    return text.lowercased().hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
  }
}

/// `127.0.0.1:8080`, `[::1]:8080`; port 0 takes a free one.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  var host: String
  var port: Int

  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard (1...5).contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(digits), port <= 65535 else {
      return nil
    }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      var address = in6_addr()
      guard inet_pton(AF_INET6, host, &address) == 1 else { return nil }
    } else {
      guard !host.isEmpty, host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }) else { return nil }
    }
    self.host = host
    self.port = port
  }

  /// Whether only this machine can reach it. A name that merely looks so (`127.example.org`) is none.
  var isLoopback: Bool {
    var address = in_addr()
    if inet_pton(AF_INET, host, &address) == 1 { return UInt32(bigEndian: address.s_addr) >> 24 == 127 }
    return host == "localhost" || host == "::1"
  }

  /// As an address of the web, with the port that was taken.
  func url(port: Int) -> String {
    "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }

  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
