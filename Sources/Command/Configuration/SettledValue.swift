import Foundation

/// One value, and where it was written.
struct SettledValue: Hashable, Sendable {
  /// Lists are joined with `, `.
  var text: String
  var place: Place

  enum Place: Hashable, Sendable, CustomStringConvertible {
    case standard
    case file(String, line: Int, column: Int)
    case environment(String)
    case flag(String)
    /// The file that a secret was read from.
    case secretFile(String)

    var description: String {
      switch self {
      case .standard: "default"
      case .file(let name, let line, let column): "\(name):\(line):\(column)"
      case .environment(let name): "environment variable \(name)"
      case .flag(let flag): "flag \(flag)"
      case .secretFile(let path): "file \(path)"
      }
    }

    /// A greater one overrides; two of the same contradict each other.
    var rank: Int {
      switch self {
      case .standard: 0
      case .file, .secretFile: 1
      case .environment: 2
      case .flag: 3
      }
    }
  }
}

/// What is wrong with a configuration: each with its place and, where there is one, the nearest valid thing.
struct ConfigurationError: Error, CustomStringConvertible, Hashable {
  var problems: [String]
  var description: String { problems.map { "configuration: \($0)" }.joined(separator: "\n") }
}

/// A text of the configuration as people may see it in messages and listings.
enum Disclosure {
  /// An address without what may be a password: user information (to the last `@`, since passwords hold any character) and query.
  static func address(_ text: String) -> String {
    var text = text
    if let query = text.firstIndex(of: "?") { text = text[..<query] + "?…" }
    guard let at = text.lastIndex(of: "@") else { return text }
    let start = text.range(of: "://").map(\.upperBound) ?? text.startIndex
    return start <= at ? text[..<start] + "…" + text[at...] : "…" + text[at...]
  }

  /// What is shown of a key's value.
  static func value(_ text: String, of key: ConfigurationKey?) -> String {
    guard let key else { return text }
    if key.isSecret { return "(secret)" }
    switch key.kind {
    case .url, .registry: return address(text)
    // Values may be secrets that were written in place.
    case .tree: return ConfigurationTree(text: text).map { "{\($0.names.joined(separator: ", "))}" } ?? text
    default: return text
    }
  }
}
