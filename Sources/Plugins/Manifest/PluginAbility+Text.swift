internal import Domain
internal import RunnerHub

extension PluginAbility {
  /// Why a text is no ability.
  package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
  }

  /// As a manifest asks for it and `runnerhub.yaml` grants it.
  package init(text: String) throws(Refusal) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let detail = parts.count > 1 ? parts[1] : nil
    switch (parts[0], detail) {
    case ("network", nil): self = .network
    case ("jobs", nil): self = .jobs
    case ("environment", let name?):
      guard Self.isVariable(name) else {
        throw Refusal(description: "'\(name)' is no name of a variable: expected letters, digits and _, such as environment:HTTPS_PROXY")
      }
      self = .environment(name)
    case ("read", let path?): self = .read(try Self.path(path, of: "read"))
    case ("write", let path?): self = .write(try Self.path(path, of: "write"))
    case ("events", let word?):
      guard let kind = HubEventKind(rawValue: word) else {
        let hint = Suggestion.nearest(to: word, among: HubEventKind.allCases.map(\.rawValue)).map { "; did you mean '\($0)'?" } ?? ""
        throw Refusal(
          description: "'\(word)' is no kind of event: expected \(HubEventKind.allCases.map(\.rawValue).joined(separator: ", "))\(hint)")
      }
      self = .events(kind)
    default:
      let words = ["network", "environment:NAME", "read:/PATH", "write:/PATH", "events:KIND", "jobs"]
      let hint =
        Suggestion.nearest(to: parts[0], among: words.map { String($0.prefix { $0 != ":" }) }).map { "; did you mean '\($0)'?" } ?? ""
      throw Refusal(description: "'\(PluginText.line(text, limit: 80))' is no ability: expected \(words.joined(separator: ", "))\(hint)")
    }
  }

  private static func isVariable(_ name: String) -> Bool {
    (1...100).contains(name.utf8.count) && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      && name.first?.isNumber == false
  }

  private static func path(_ path: String, of ability: String) throws(Refusal) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard path.hasPrefix("/"), path.utf8.count <= 1000, !parts.contains(".."), !parts.contains("."), !path.contains("\0") else {
      throw Refusal(
        description: "'\(PluginText.line(path, limit: 80))' must be an absolute path without . and .., such as \(ability):/srv/reports")
    }
    return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }
}

extension PluginAbility: CustomStringConvertible {
  package var description: String {
    switch self {
    case .network: "network"
    case .jobs: "jobs"
    case .environment(let name): "environment:\(name)"
    case .read(let path): "read:\(path)"
    case .write(let path): "write:\(path)"
    case .events(let kind): "events:\(kind.rawValue)"
    }
  }
}

extension Set<PluginAbility> {
  /// In a fixed order, as text.
  package var texts: [String] { map(\.description).sorted() }
}
