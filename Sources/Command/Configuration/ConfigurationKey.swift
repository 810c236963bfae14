import Domain

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
    case url(schemes: [String])

    /// What a value must be, for error messages and documentation.
    var expectation: String {
      switch self {
      case .text: "text"
      case .nonEmpty: "text that is not empty"
      case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
      case .boolean: "true or false"
      case .choice(let words): "one of \(words.joined(separator: ", "))"
      case .size: "a size such as 512m or 4g"
      case .list: "a list of words"
      case .address: "HOST:PORT, such as 127.0.0.1:8080"
      case .url(let schemes): "an address that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
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
    case .integer(let range): return Int(value).map(range.contains) ?? false
    case .boolean: return value == "true" || value == "false"
    case .choice(let words): return words.contains(value)
    case .size: return (ByteCount(text: value)?.bytes ?? 0) > 0
    case .address: return ListenAddress(value) != nil
    case .url(let schemes): return schemes.contains { value.hasPrefix("\($0)://") && value.count > $0.count + 3 }
    }
  }
}

/// `127.0.0.1:8080`, `[::1]:8080`; port 0 takes a free one.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  var host: String
  var port: Int

  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port) else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard !host.isEmpty else { return nil }
    self.host = host
    self.port = port
  }

  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
